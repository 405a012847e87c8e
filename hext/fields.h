/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor extension as the manual defines it: fields of its CSRs, its instructions, and
 * the CSRs that clang 14's assembler has no names for. Privileged manual, chapter 8.
 */
#ifndef HEXT_FIELDS_H
#define HEXT_FIELDS_H

#include <stdint.h>

#include "machine/riscv64/csr.h"

/* --- CSRs: 8.2 "Hypervisor and Virtual Supervisor CSRs" --- */

#define HENVCFG 0x60a

#define HSTATEEN0 0x60c /* Smstateen */

/* hstateen0: the guest may access senvcfg. The other bits are of extensions that guests do not get,
 * and of sstateen0. */
#define HSTATEEN0_ENVCFG BIT(62)

/* hstatus */
#define HSTATUS_GVA  BIT(6)  /* stval is a guest virtual address */
#define HSTATUS_SPV  BIT(7)  /* sret enters V = 1 */
#define HSTATUS_SPVP BIT(8)  /* the guest was in VS, not VU; HLV and HLVX use this privilege */
#define HSTATUS_VTW  BIT(21) /* wfi in VS traps */
#define HSTATUS_VSXL GENMASK(33, 32)
#define VSXL_64      2

/* hcounteren: counters that the guest can read without a trap */
#define HCOUNTEREN_CY BIT(0)
#define HCOUNTEREN_TM BIT(1)
#define HCOUNTEREN_IR BIT(2)

/* henvcfg */
#define HENVCFG_CBIE  GENMASK(5, 4)
#define HENVCFG_CBCFE BIT(6)
#define HENVCFG_CBZE  BIT(7)
#define HENVCFG_ADUE  BIT(61) /* Svadu: hardware sets A and D in VS-stage entries */
#define HENVCFG_PBMTE BIT(62) /* Svpbmt: memory types in VS-stage entries */
#define HENVCFG_STCE  BIT(63) /* Sstc: vstimecmp */

/* vtype: an illegal setting, as after a reset */
#define VTYPE_VILL BIT(63)

/* 8.6.3: pseudoinstructions in htinst, for an access by the VS-stage walk, RV64 */
#define HTINST_WALK_READ  0x3000
#define HTINST_WALK_WRITE 0x3020 /* sets A or D */

/* --- instructions: 8.3 "Hypervisor Instructions" --- */

/*
 *	hfence.vvma  va, asid		funct7 0x11
 *	hfence.gvma  gpa >> 2, vmid	funct7 0x31
 *	hlv.d        rd, (va)		funct7 0x36, rs2 0
 *	hlvx.hu      rd, (va)		funct7 0x32, rs2 3
 *	hlvx.wu      rd, (va)		funct7 0x34, rs2 3
 */
#define HLV_D(rd, rs1)   ".insn r 0x73, 4, 0x36, " rd ", " rs1 ", x0"
#define HLVX_HU(rd, rs1) ".insn r 0x73, 4, 0x32, " rd ", " rs1 ", x3"
#define HLVX_WU(rd, rs1) ".insn r 0x73, 4, 0x34, " rd ", " rs1 ", x3"

/* All VS-stage translations of the VMID in hgatp. */
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

/* The leaf entry that maps this guest-physical address. */
static inline void hfence_gvma_page(uint64_t gpa, uint64_t vmid)
{
	__asm__ volatile(".insn r 0x73, 0, 0x31, x0, %0, %1" ::"r"(gpa >> 2), "r"(vmid) : "memory");
}

#endif
