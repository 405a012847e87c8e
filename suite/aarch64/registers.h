/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers that a guest of AArch64 can write without a trap, from the Arm ARM (DDI 0487,
 * chapter D17), and not from el2/: each must be its own in each vCPU.
 */
#ifndef SUITE_AARCH64_REGISTERS_H
#define SUITE_AARCH64_REGISTERS_H

enum arm_needs {
	ARM_ALWAYS,
	ARM_FP,
	ARM_RAS,
	ARM_SME,  /* without FEAT_FGT, which makes TPIDR2_EL0 trap */
	ARM_CSV2, /* the value 2 of ID_AA64PFR0_EL1.CSV2 */
};

#define ARM_ALL   UINT64_C(0xffffffffffffffff)
#define ARM_FLAGS UINT64_C(0xf0000000)

/* SCTLR_EL1: EOS, TSCXT, EIS, SPAN, nTLSMD, LSMAOE, which are RES1 without their features. */
#define ARM_SCTLR_RES1 UINT64_C(0x30d00800)
#define ARM_CPACR_FPEN UINT64_C(0x300000)

/*
 * X(name, spelling, varied, fixed, sure, needs): the bits that differ between two vCPUs of a case,
 * the bits that are 1 in both, and those of the varied bits that every CPU implements. The MMU
 * stays off, the data little-endian, and the timer masked.
 */
#define ARM_REGISTERS(X)                                                                           \
	X(sctlr_el1, "sctlr_el1", 0x5d204, ARM_SCTLR_RES1, 0x5d204, ARM_ALWAYS)                    \
	X(cpacr_el1, "cpacr_el1", 0x3030000, ARM_CPACR_FPEN, 0, ARM_ALWAYS)                        \
	X(ttbr0_el1, "ttbr0_el1", ARM_ALL, 0, 0x00fffffffffe, ARM_ALWAYS)                          \
	X(ttbr1_el1, "ttbr1_el1", ARM_ALL, 0, 0x00fffffffffe, ARM_ALWAYS)                          \
	X(tcr_el1, "tcr_el1", 0x7fffbfffff, 0, 0x30ff803f, ARM_ALWAYS)                             \
	X(mair_el1, "mair_el1", ARM_ALL, 0, 0, ARM_ALWAYS)                                         \
	X(amair_el1, "amair_el1", ARM_ALL, 0, 0, ARM_ALWAYS)                                       \
	X(vbar_el1, "vbar_el1", ~UINT64_C(0x7ff), 0, 0x7ffffffff800, ARM_ALWAYS)                   \
	X(contextidr_el1, "contextidr_el1", 0xffffffff, 0, 0xffffffff, ARM_ALWAYS)                 \
	X(esr_el1, "esr_el1", 0xffffffff, 0, 0xffffffff, ARM_ALWAYS)                               \
	X(far_el1, "far_el1", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                                     \
	X(afsr0_el1, "afsr0_el1", 0xffffffff, 0, 0, ARM_ALWAYS)                                    \
	X(afsr1_el1, "afsr1_el1", 0xffffffff, 0, 0, ARM_ALWAYS)                                    \
	X(par_el1, "par_el1", ARM_ALL, 0, 0xfffff000, ARM_ALWAYS)                                  \
	X(tpidr_el0, "tpidr_el0", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                                 \
	X(tpidrro_el0, "tpidrro_el0", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                             \
	X(tpidr_el1, "tpidr_el1", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                                 \
	X(tpidr2_el0, "S3_3_C13_C0_5", ARM_ALL, 0, ARM_ALL, ARM_SME)                               \
	X(sp_el0, "sp_el0", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                                       \
	X(sp_el1, "sp_el1", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                                       \
	X(elr_el1, "elr_el1", ARM_ALL, 0, 0xfffffffffffc, ARM_ALWAYS)                              \
	X(spsr_el1, "spsr_el1", ARM_FLAGS | 0x3cf, 0, ARM_FLAGS | 0x3cf, ARM_ALWAYS)               \
	X(cntkctl_el1, "cntkctl_el1", 0x303, 0, 0x303, ARM_ALWAYS)                                 \
	X(cntv_ctl_el0, "cntv_ctl_el0", 1, 2, 1, ARM_ALWAYS)                                       \
	X(cntv_cval_el0, "cntv_cval_el0", ARM_ALL, 0, ARM_ALL, ARM_ALWAYS)                         \
	X(csselr_el1, "csselr_el1", 0x3, 0, 0x3, ARM_ALWAYS)                                       \
	X(vdisr_el2, "S3_0_C12_C1_1", 0x1ffffff, 0, 0, ARM_RAS)                                    \
	X(scxtnum_el0, "S3_3_C13_C0_7", ARM_ALL, 0, ARM_ALL, ARM_CSV2)                             \
	X(scxtnum_el1, "S3_0_C13_C0_7", ARM_ALL, 0, ARM_ALL, ARM_CSV2)                             \
	X(fpcr, "S3_3_C4_C4_0", 0x7c00000, 0, 0x7c00000, ARM_FP)                                   \
	X(fpsr, "S3_3_C4_C4_1", 0x800009f, 0, 0x800009f, ARM_FP)

enum arm_register {
#define ARM_NUMBER(name, spelling, varied, fixed, sure, needs) ARM_##name,
	ARM_REGISTERS(ARM_NUMBER)
#undef ARM_NUMBER
	ARM_REGISTER_COUNT,
};

/* CNTV_CTL_EL0.ISTATUS follows the time. */
#define ARM_CNTV_ISTATUS UINT64_C(4)

#endif
