/*
 * For assembly: starts the cycle counter of the PMU at 0, on the boot CPU's first instruction
 * and on every other CPU's, so that machine_cycles() counts from there.
 */
#ifndef ARM_CYCLES_H
#define ARM_CYCLES_H

#ifdef __ASSEMBLER__
/*
 * Leaves 0 in \reg where there is no PMU (Arm ARM D17.2.59, ID_AA64DFR0_EL1.PMUVer: 0 is none,
 * 15 something else). PMCCFILTR_EL0.NSH counts at EL2 too; PMCR_EL0 is E, C (reset), LC.
 */
.macro start_cycle_counter reg mrs	\reg, id_aa64dfr0_el1 ubfx	\reg, \reg, #8, #4 add	\reg, \reg,
	#1 and	\reg, \reg, #15 cmp	\reg, #1 mov	\reg, #0 b.ls.Lno_pmu\@mov	\reg,
	#(1 << 27) msr pmccfiltr_el0, \reg mov	\reg, #(1 << 31) msr pmcntenset_el0, \reg mov	\reg,
	#0x45 msr pmcr_el0, \reg isb.Lno_pmu\@ :.endm
#endif

#endif
