/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers that are switched with a vCPU, by name. struct el1_state has a member for each, and
 * cpu.c saves and restores each. The general registers are not here: enter.S switches them. The
 * suite makes its cases from these lists.
 */
#ifndef EL2_STATE_H
#define EL2_STATE_H

/* Registers of EL1 and EL0 that the guest accesses without a trap. The world switch leaves them
 * in the CPU. */
/* clang-format off */
#define EL1_STATE(X) \
	X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(mair_el1) \
	X(amair_el1) X(vbar_el1) X(contextidr_el1) X(esr_el1) X(far_el1) X(afsr0_el1) \
	X(afsr1_el1) X(par_el1) X(tpidr_el0) X(tpidrro_el0) X(tpidr_el1) X(sp_el0) \
	X(sp_el1) X(elr_el1) X(spsr_el1) X(cntkctl_el1) X(cntv_ctl_el0) X(cntv_cval_el0) \
	X(csselr_el1)
/* clang-format on */

/* On a CPU with floating point and SIMD. fp.S switches the 32 vector registers. */
#define EL1_STATE_FP(X) X(fpcr) X(fpsr)

/* On a CPU with RAS: the guest's DISR_EL1 (HCR_EL2.AMO). */
#define EL1_STATE_RAS(X) X(vdisr_el2)

/* On a CPU whose software context numbers are implemented (CSV2 2). */
#define EL1_STATE_CSV2(X) X(scxtnum_el0) X(scxtnum_el1)

/* On a CPU with SME, whose other registers trap. With FEAT_FGT this one traps, too. */
#define EL1_STATE_SME(X) X(tpidr2_el0)

#endif
