/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 3, a CPU in software: it walks the nested page table that the library has built, as the
 * hardware does, and interprets the few instructions of real mode that the guest has.
 */
#ifndef CPU_SOFT_H
#define CPU_SOFT_H

#include "vm.h"

#define EPT_LARGE   (UINT64_C(1) << 7)
#define EPT_ADDRESS UINT64_C(0x000ffffffffff000)

/* The byte at gpa, or NULL: an EPT violation. Bits 2:0 of an entry are X, W and R, as in mm_perm.
 */
static inline uint8_t *soft_walk(const struct mm_aspace *as, uint64_t gpa, enum mm_perm access)
{
	uint64_t table = mm_aspace_root(as).raw;

	for (unsigned level = 3;; level--) {
		uint64_t inside = MM_LEVEL_SIZE(level) - 1;
		uint64_t entry =
			((const uint64_t *)(uintptr_t)table)[gpa >> MM_LEVEL_SHIFT(level) & 511];

		if ((entry & (uint64_t)access) == 0)
			return NULL;
		if (level == 0 || (entry & EPT_LARGE) != 0)
			return (uint8_t *)(uintptr_t)((entry & EPT_ADDRESS & ~inside) |
			                              (gpa & inside));
		table = entry & EPT_ADDRESS;
	}
}

static inline bool soft_access(struct vm *vm, uint64_t gpa, enum mm_perm access, uint8_t *byte)
{
	for (;;) {
		uint8_t *at = soft_walk(&vm->as, gpa, access);
		uint64_t value = *byte;
		bool is_device;

		if (at) {
			*(access == MM_W ? at : byte) = access == MM_W ? *byte : *at;
			return true;
		}
		if (!vm_fault(vm, mm_gpa_at(gpa), access, &is_device))
			return false;
		if (!is_device)
			continue;
		if (!vm_device(vm, mm_gpa_at(gpa), MM_WIDTH_1, access == MM_W, &value))
			return false;
		*byte = (uint8_t)value;
		return true;
	}
}

enum {
	AX,
	CX,
	DX,
	BX,
	SI = 6
};

struct soft_cpu {
	struct vm *vm;
	uint16_t r[8], ip, ds;
	bool zero, failed;
};

static inline uint8_t fetch8(struct soft_cpu *cpu)
{
	uint8_t byte = 0;

	cpu->failed |= !soft_access(cpu->vm, cpu->ip++, MM_X, &byte);
	return byte;
}

static inline uint16_t fetch16(struct soft_cpu *cpu)
{
	uint8_t low = fetch8(cpu);

	return (uint16_t)(low | fetch8(cpu) << 8);
}

static inline uint8_t data(struct soft_cpu *cpu, uint16_t offset, enum mm_perm access, uint8_t byte)
{
	cpu->failed |= !soft_access(cpu->vm, cpu->ds * UINT64_C(16) + offset, access, &byte);
	return byte;
}

static inline void set_low(uint16_t *reg, uint8_t byte)
{
	*reg = (uint16_t)((*reg & 0xff00) | byte);
}

static inline void jump(struct soft_cpu *cpu, bool taken)
{
	int8_t distance = (int8_t)fetch8(cpu);

	if (taken)
		cpu->ip = (uint16_t)(cpu->ip + distance);
}

static inline bool out(struct soft_cpu *cpu)
{
	uint64_t value = (uint8_t)cpu->r[AX];

	return vm_port(cpu->vm, mm_port_at(cpu->r[DX]), MM_WIDTH_1, true, &value);
}

static inline bool has_operands(unsigned op)
{
	return op == 0x02 || op == 0x81 || op == 0x84 || op == 0x88 || op == 0x8e;
}

/* One instruction. False: the guest has failed. */
static inline bool soft_step(struct soft_cpu *cpu, unsigned op)
{
	uint16_t *r = cpu->r;

	if (has_operands(op))
		op = op << 8 | fetch8(cpu);
	switch (op) {
	case 0xa0: /* MOV AL, [imm16] */
		set_low(&r[AX], data(cpu, fetch16(cpu), MM_R, 0));
		break;
	case 0xac: /* LODSB */
		set_low(&r[AX], data(cpu, r[SI]++, MM_R, 0));
		break;
	case 0xb8 + AX: /* MOV r16, imm16 */
	case 0xb8 + CX:
	case 0xb8 + DX:
	case 0xb8 + BX:
	case 0xb8 + SI:
		r[op - 0xb8] = fetch16(cpu);
		break;
	case 0x74: /* JZ */
		jump(cpu, cpu->zero);
		break;
	case 0xe2: /* LOOP */
		jump(cpu, --r[CX] != 0);
		break;
	case 0xeb: /* JMP */
		jump(cpu, true);
		break;
	case 0xee: /* OUT DX, AL */
		return out(cpu);
	case 0x0227: /* ADD AH, [BX] */
		r[AX] = (uint16_t)(r[AX] + (data(cpu, r[BX], MM_R, 0) << 8));
		break;
	case 0x81c3: /* ADD BX, imm16 */
		r[BX] = (uint16_t)(r[BX] + fetch16(cpu));
		break;
	case 0x84c0: /* TEST AL, AL */
		cpu->zero = (uint8_t)r[AX] == 0;
		break;
	case 0x880f: /* MOV [BX], CL */
		(void)data(cpu, r[BX], MM_W, (uint8_t)r[CX]);
		break;
	case 0x8826: /* MOV [imm16], AH */
		(void)data(cpu, fetch16(cpu), MM_W, (uint8_t)(r[AX] >> 8));
		break;
	case 0x8edb: /* MOV DS, BX */
		cpu->ds = r[BX];
		break;
	default:
		return false;
	}
	return !cpu->failed;
}

/* Until the guest halts. False: it has failed. */
static inline bool soft_run(struct vm *vm)
{
	struct soft_cpu cpu = {.vm = vm, .ip = GUEST_CODE};
	unsigned op;

	while ((op = fetch8(&cpu)) != 0xf4) { /* HLT */
		if (!soft_step(&cpu, op))
			return false;
	}
	return !cpu.failed;
}

#endif
