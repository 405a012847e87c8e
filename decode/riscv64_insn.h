/*
 * Instructions of the hypervisor extension, which clang 14's assembler has no names for, and two
 * registers. Privileged manual, 8.3 "Hypervisor Instructions".
 *
 *	hfence.vvma  va, asid		funct7 0x11
 *	hfence.gvma  gpa >> 2, vmid	funct7 0x31
 *	hlv.d        rd, (va)		funct7 0x36, rs2 0
 *	hlvx.hu      rd, (va)		funct7 0x32, rs2 3
 *	hlvx.wu      rd, (va)		funct7 0x34, rs2 3
 */
#ifndef DECODE_RISCV64_INSN_H
#define DECODE_RISCV64_INSN_H

#include <stdint.h>

#define HLV_D(rd, rs1)   ".insn r 0x73, 4, 0x36, " rd ", " rs1 ", x0"
#define HLVX_HU(rd, rs1) ".insn r 0x73, 4, 0x32, " rd ", " rs1 ", x3"
#define HLVX_WU(rd, rs1) ".insn r 0x73, 4, 0x34, " rd ", " rs1 ", x3"

/* CSRs by number. */
#define HENVCFG   0x60a
#define VSTIMECMP 0x24d
#define SENVCFG   0x10a

/* Everything of the VS-stage, of the VMID in hgatp. */
static inline void hfence_vvma_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" ::: "memory");
}

static inline void hfence_gvma_all(void)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" ::: "memory");
}

static inline void hfence_gvma_vmid(uint64_t vmid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" ::"r"(vmid) : "memory");
}

/* The leaf entry that maps this guest-physical address: its bits 1:0 are not an operand. */
static inline void hfence_gvma_page(uint64_t gpa, uint64_t vmid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, %0, %1" ::"r"(gpa >> 2), "r"(vmid) : "memory");
}

#endif
