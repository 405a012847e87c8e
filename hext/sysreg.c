/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual-instruction exceptions (8.6.1): instructions that HS-mode may execute and the guest may
 * not. wfi with hstatus.VTW is a halt. The run loop emulates or refuses an access to a CSR. All
 * others (hfence, hlv, sret and sfence.vma from VU) are treated as undefined.
 */
#include "decode/riscv64.h"
#include "hext/hext.h"

#define INSN_WFI UINT32_C(0x10500073)

/* Unprivileged manual, 9 "Zicsr": bit 2 of funct3 makes rs1 an immediate, bits 1:0 are the
 * operation. */
#define INSN_CSR        GENMASK(31, 20)
#define ZICSR_IMMEDIATE 4
#define ZICSR_OPERATION 3
#define ZICSR_WRITE     1

/* CSR instructions and wfi have no compressed form. */
#define TRAPPED_BYTES 4

static enum exit_action decode_csr(const struct hext_vcpu *v, uint32_t insn, struct vm_exit *exit)
{
	unsigned funct3 = (unsigned)FIELD_GET(INSN_FUNCT3, insn);
	unsigned rs1 = (unsigned)FIELD_GET(INSN_RS1, insn);

	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg.reg = (uint32_t)FIELD_GET(INSN_CSR, insn);
	exit->sysreg.gpr = (uint8_t)FIELD_GET(INSN_RD, insn);
	/* csrrs and csrrc with x0 do not write. */
	exit->sysreg.write = (funct3 & ZICSR_OPERATION) == ZICSR_WRITE || rs1 != 0;
	exit->sysreg.value = (funct3 & ZICSR_IMMEDIATE) != 0 ? rs1 : v->x[rs1];
	return EXIT_RETURN;
}

static bool is_csr_access(uint32_t insn)
{
	return FIELD_GET(INSN_OPCODE, insn) == OPCODE_SYSTEM &&
	       (FIELD_GET(INSN_FUNCT3, insn) & ZICSR_OPERATION) != 0;
}

enum exit_action hext_decode_virtual_instruction(struct hext_vcpu *v, struct vm_exit *exit)
{
	/* stval: the instruction, or 0 if the hart does not write it there. */
	uint32_t insn = (uint32_t)exit->raw[1];

	exit->kind = VM_EXIT_UNDEFINED;
	if (insn == 0 && hext_fetch(v, mm_gva_at(exit->pc), &insn) != MM_OK)
		return EXIT_RETURN;
	if (is_csr_access(insn))
		return decode_csr(v, insn, exit);
	if (insn == INSN_WFI)
		exit->kind = VM_EXIT_HALT;
	return EXIT_RETURN;
}

void hext_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct hext_vcpu *v = hext_of(vcpu);

	if (exit->kind == VM_EXIT_SYSREG)
		hext_set_x(v, exit->sysreg.gpr, value);
	hext_step(v, TRAPPED_BYTES);
}
