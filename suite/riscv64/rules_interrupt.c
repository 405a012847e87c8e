/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: interrupts. hvip, hip and hie (8.2.3), delegation and translation (8.2.2),
 * priority, and the VS-level timer (Sstc).
 */
#include "machine.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/timer.h"
#include "suite/riscv64/rules_lab.h"

#define VS_INTERRUPTS (INTERRUPT_VS_SOFTWARE | INTERRUPT_VS_TIMER | INTERRUPT_VS_EXTERNAL)

static const unsigned vs_codes[] = {2, 6, 10};

/* --- the registers --- */

static void hvip(struct suite_run *run)
{
	uint64_t all = lab_csr_try(run, CSR_HVIP, UINT64_MAX);

	/* Bit 13 is LCOFI's, with Shlcofideleg or the AIA. */
	EXPECT_EQ(run, all & 0xffff & ~BIT(13), VS_INTERRUPTS);
	EXPECT_EQ(run, lab_csr_try(run, CSR_HVIP, 0), 0);
	for (size_t i = 0; i < MM_ARRAY_SIZE(vs_codes); i++) {
		uint64_t bit = BIT(vs_codes[i]);

		EXPECT_EQ(run, lab_csr_try(run, CSR_HVIP, bit), bit);
		/* It is pending in hip. */
		EXPECT_EQ(run, csr_read(hip) & VS_INTERRUPTS, bit);
		csr_write(hvip, 0);
		EXPECT_EQ(run, csr_read(hip) & VS_INTERRUPTS, 0);
	}
	lab_choice("HVIP_WARL", all);
}

/* In hip only VSSIP is writable: it is an alias of hvip.VSSIP. */
static void hip(struct suite_run *run)
{
	csr_write(hvip, 0);
	csr_write(hip, UINT64_MAX);
	EXPECT_EQ(run, csr_read(hip) & VS_INTERRUPTS, INTERRUPT_VS_SOFTWARE);
	EXPECT_EQ(run, csr_read(hvip), INTERRUPT_VS_SOFTWARE);
	csr_write(hip, 0);
	EXPECT_EQ(run, csr_read(hvip), 0);
	csr_write(hvip, VS_INTERRUPTS);
	csr_write(hip, 0);
	EXPECT_EQ(run, csr_read(hip) & VS_INTERRUPTS, INTERRUPT_VS_TIMER | INTERRUPT_VS_EXTERNAL);
	EXPECT_EQ(run, csr_read(hvip), INTERRUPT_VS_TIMER | INTERRUPT_VS_EXTERNAL);
	csr_write(hvip, 0);
	EXPECT_EQ(run, csr_read(hip), 0);
	lab_choice("HIP_WARL", INTERRUPT_VS_SOFTWARE);
}

static void hie(struct suite_run *run)
{
	uint64_t all = lab_csr_try(run, CSR_HIE, UINT64_MAX);

	EXPECT_EQ(run, all & VS_INTERRUPTS, VS_INTERRUPTS);
	EXPECT_EQ(run, all & 0xffff & ~(VS_INTERRUPTS | BIT(12)), 0);
	EXPECT_EQ(run, lab_csr_try(run, CSR_HIE, 0), 0);
	for (size_t i = 0; i < MM_ARRAY_SIZE(vs_codes); i++)
		EXPECT_EQ(run, lab_csr_try(run, CSR_HIE, BIT(vs_codes[i])), BIT(vs_codes[i]));
	lab_choice("HIE_WARL", all);
}

/* A bit is in sie or in hie, never in both; the same for sip and hip. */
static void exclusive(struct suite_run *run)
{
	uint64_t sie, hie;

	sie = lab_csr_try(run, CSR_SIE, UINT64_MAX);
	csr_write(sie, INTERRUPT_TIMER);
	hie = lab_csr_try(run, CSR_HIE, UINT64_MAX);
	EXPECT_EQ(run, sie & hie, 0);
	/* What hie enables is not in sie, and the reverse. */
	EXPECT_EQ(run, csr_read(sie) & hie, 0);
	(void)lab_csr_try(run, CSR_HIE, 0);
	csr_write(hvip, VS_INTERRUPTS);
	EXPECT_EQ(run, csr_read(sip) & VS_INTERRUPTS, 0);
	EXPECT_EQ(run, csr_read(hip) & sie, 0);
	csr_write(hvip, 0);
}

/* --- traps to HS-mode --- */

static void expect_interrupt(struct suite_run *run, const char *name, unsigned code, uint64_t pc)
{
	lab_expect_named(run, name, SCAUSE_INTERRUPT | code, pc, 0);
}

static void no_interrupt(struct suite_run *run, const char *name, enum lab_mode mode)
{
	if (!lab_do(mode, INSN_NOP))
		suite_fail(run, "%s: mode %u: expected no interrupt, got scause=0x%" PRIx64, name,
		           mode, lab.scause);
}

static uint64_t code_at(enum lab_mode mode)
{
	return mode == LAB_VS || mode == LAB_VU ? lab_at(LAB_CODE) : lab_host(LAB_CODE);
}

/* Each VS-level interrupt traps to HS-mode from each mode, if hideleg is clear. */
static void to_hs(struct suite_run *run)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(vs_codes); i++) {
		uint64_t bit = BIT(vs_codes[i]);

		for (enum lab_mode mode = LAB_HS; mode <= LAB_VU; mode++) {
			/* Pending but not enabled; enabled but not pending. */
			csr_write(hvip, bit);
			no_interrupt(run, "not enabled", mode);
			csr_write(hvip, VS_INTERRUPTS & ~bit);
			csr_write(hie, bit);
			no_interrupt(run, "not pending", mode);
			csr_write(hvip, bit);
			/* In HS-mode sstatus.SIE enables it. */
			lab.with.sstatus = 0;
			if (mode == LAB_HS)
				no_interrupt(run, "SIE=0", mode);
			lab.with.sstatus = mode == LAB_HS ? SSTATUS_SPIE : 0;
			(void)lab_do(mode, INSN_NOP);
			expect_interrupt(run, "not delegated", vs_codes[i], code_at(mode));
			/* vsstatus.SIE and vsie have nothing to do with it. */
			csr_write(vsstatus, SSTATUS_SIE);
			(void)lab_do(mode, INSN_NOP);
			expect_interrupt(run, "vsstatus.SIE=1", vs_codes[i], code_at(mode));
			csr_write(vsstatus, 0);
			lab.with.sstatus = 0;
			csr_write(hie, 0);
			csr_write(hvip, 0);
		}
	}
}

/* Of several interrupts for HS-mode: SSI, STI, VSEI, VSSI, VSTI. */
static void expect_order(struct suite_run *run)
{
	static const unsigned order[] = {1, 5, 10, 2, 6};

	csr_write(hvip, VS_INTERRUPTS);
	csr_write(hie, VS_INTERRUPTS);
	csr_write(sip, INTERRUPT_SOFTWARE);
	timer_program(0);
	csr_write(sie, INTERRUPT_SOFTWARE | INTERRUPT_TIMER);
	for (size_t i = 0; i < MM_ARRAY_SIZE(order); i++) {
		(void)lab_do(LAB_VS, INSN_NOP);
		expect_interrupt(run, "priority", order[i], lab_at(LAB_CODE));
		csr_write(sie, csr_read(sie) & ~BIT(order[i]));
		csr_write(hie, csr_read(hie) & ~BIT(order[i]));
	}
	csr_write(sip, 0);
	csr_write(hvip, 0);
	timer_program(UINT64_MAX);
	no_interrupt(run, "all disabled", LAB_VS);
}

static void priority(struct suite_run *run)
{
	if (isa_has("ssaia"))
		run->skip = "the hart has Ssaia: see rules.interrupt.priority.aia";
	else
		expect_order(run);
}

/* Ssaia has the same order by default. */
static void priority_aia(struct suite_run *run)
{
	if (!isa_has("ssaia"))
		run->skip = "no Ssaia";
	else
		expect_order(run);
}

/* --- traps to VS-mode --- */

/* A delegated interrupt goes to VS-mode, as the S-level interrupt of the same kind. */
static void to_vs(struct suite_run *run)
{
	csr_write(hideleg, VS_INTERRUPTS);
	csr_write(hie, VS_INTERRUPTS);
	for (size_t i = 0; i < MM_ARRAY_SIZE(vs_codes); i++) {
		for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++) {
			csr_write(hvip, BIT(vs_codes[i]));
			csr_write(vscause, 0);
			csr_write(vstval, 1);
			csr_write(vsstatus, mode == LAB_VS ? SSTATUS_SIE : 0);
			(void)lab_do(mode, INSN_NOP);
			/* The handler's ecall. */
			EXPECT_EQ(run, lab.scause, CAUSE_ECALL_VS);
			EXPECT_EQ(run, lab.pc, lab_at(LAB_HANDLER));
			EXPECT_EQ(run, csr_read(vscause), SCAUSE_INTERRUPT | (vs_codes[i] - 1));
			EXPECT_EQ(run, csr_read(vsepc), lab_at(LAB_CODE));
			EXPECT_EQ(run, csr_read(vstval), 0);
			EXPECT_EQ(run,
			          csr_read(vsstatus) & (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE),
			          mode == LAB_VS ? SSTATUS_SPP | SSTATUS_SPIE : 0);
			/* Not with vsstatus.SIE=0 in VS-mode, nor with V=0. */
			csr_write(vsstatus, 0);
			no_interrupt(run, "vsstatus.SIE=0", LAB_VS);
			lab.with.sstatus = SSTATUS_SPIE;
			no_interrupt(run, "delegated, in HS-mode", LAB_HS);
			no_interrupt(run, "delegated, in U-mode", LAB_U);
			lab.with.sstatus = 0;
		}
	}
	/* Vectored: the entry of the translated cause. */
	csr_write(vstvec, lab_at(LAB_HANDLER) | 1);
	if ((csr_read(vstvec) & 3) == 1) {
		for (size_t i = 0; i < MM_ARRAY_SIZE(vs_codes); i++) {
			uint32_t *entry = (uint32_t *)lab_ptr(LAB_HANDLER) + vs_codes[i] - 1;

			*entry = INSN_ECALL;
			csr_write(hvip, BIT(vs_codes[i]));
			csr_write(vsstatus, SSTATUS_SIE);
			(void)lab_do(LAB_VS, INSN_NOP);
			EXPECT_EQ(run, lab.pc,
			          lab_at(LAB_HANDLER) + UINT64_C(4) * (vs_codes[i] - 1));
		}
	}
}

/* One interrupt delegated, another not: the HS-level one comes first. */
static void hs_before_vs(struct suite_run *run)
{
	csr_write(hideleg, INTERRUPT_VS_SOFTWARE);
	csr_write(hie, INTERRUPT_VS_SOFTWARE | INTERRUPT_VS_TIMER);
	csr_write(hvip, INTERRUPT_VS_SOFTWARE | INTERRUPT_VS_TIMER);
	csr_write(vsstatus, SSTATUS_SIE);
	(void)lab_do(LAB_VS, INSN_NOP);
	expect_interrupt(run, "HS-level first", 6, lab_at(LAB_CODE));
}

/* --- vstimecmp --- */

static uint64_t pending(void)
{
	return csr_read(hip) & INTERRUPT_VS_TIMER;
}

/* A change of the comparison is seen after some time. */
static bool becomes(uint64_t expected)
{
	uint64_t end = machine_ticks() + machine_ticks_per_second() / 100;

	while (pending() != expected && machine_ticks() < end)
		machine_relax();
	return pending() == expected;
}

static void vstimecmp_bits(struct suite_run *run)
{
	if (!lab_use_vstimecmp(run))
		return;
	for (unsigned bit = 0; bit < 64; bit++)
		EXPECT_EQ(run, lab_csr_try(run, CSR_VSTIMECMP, BIT(bit)), BIT(bit));
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSTIMECMP, UINT64_MAX), UINT64_MAX);
}

static void vstimecmp(struct suite_run *run)
{
	static const uint64_t deltas[] = {0, UINT64_C(1) << 40, UINT64_MAX - 1000};

	if (!lab_use_vstimecmp(run))
		return;
	for (size_t i = 0; i < MM_ARRAY_SIZE(deltas); i++) {
		csr_write(htimedelta, deltas[i]);
		(void)lab_csr_write(CSR_VSTIMECMP, UINT64_MAX);
		EXPECT(run, becomes(0));
		/* Equal, earlier, and later than the guest's time; V=0 all the while. */
		(void)lab_csr_write(CSR_VSTIMECMP, csr_read(time) + deltas[i]);
		EXPECT(run, becomes(INTERRUPT_VS_TIMER));
		(void)lab_csr_write(CSR_VSTIMECMP,
		                    csr_read(time) + deltas[i] + machine_ticks_per_second() * 1000);
		EXPECT(run, becomes(0));
		(void)lab_csr_write(CSR_VSTIMECMP, 0);
		EXPECT(run, becomes(INTERRUPT_VS_TIMER));
		/* hvip.VSTIP is another source. */
		csr_write(hvip, INTERRUPT_VS_TIMER);
		(void)lab_csr_write(CSR_VSTIMECMP, UINT64_MAX);
		EXPECT(run, becomes(INTERRUPT_VS_TIMER));
		csr_write(hvip, 0);
		EXPECT(run, becomes(0));
	}
}

/* hvip.VSTIP stays set when vstimecmp is written. */
static void vstimecmp_hvip(struct suite_run *run)
{
	if (!lab_use_vstimecmp(run))
		return;
	csr_write(hvip, INTERRUPT_VS_TIMER);
	(void)lab_csr_write(CSR_VSTIMECMP, UINT64_MAX);
	EXPECT_EQ(run, csr_read(hvip), INTERRUPT_VS_TIMER);
	(void)lab_csr_write(CSR_VSTIMECMP, 0);
	EXPECT_EQ(run, csr_read(hvip), INTERRUPT_VS_TIMER);
	csr_write(hvip, 0);
	EXPECT_EQ(run, csr_read(hvip), 0);
}

/* The guest takes it, and a write of stimecmp removes it. */
static void vstimecmp_taken(struct suite_run *run)
{
	if (!lab_use_vstimecmp(run))
		return;
	csr_write(hideleg, INTERRUPT_VS_TIMER);
	csr_write(hie, INTERRUPT_VS_TIMER);
	csr_write(vsstatus, SSTATUS_SIE);
	(void)lab_csr_write(CSR_VSTIMECMP, 0);
	EXPECT(run, becomes(INTERRUPT_VS_TIMER));
	(void)lab_do(LAB_VS, INSN_NOP);
	EXPECT_EQ(run, lab.pc, lab_at(LAB_HANDLER));
	EXPECT_EQ(run, csr_read(vscause), SCAUSE_INTERRUPT | IRQ_TIMER);
	csr_write(vsstatus, 0);
	lab.x[A0] = UINT64_MAX;
	EXPECT(run, lab_do(LAB_VS, INSN_CSRW(CSR_STIMECMP, A0)));
	EXPECT(run, becomes(0));
	csr_write(vsstatus, SSTATUS_SIE);
	no_interrupt(run, "withdrawn", LAB_VS);
	/* Not delegated: it is HS-mode's, whatever vsstatus.SIE is. */
	csr_write(hideleg, 0);
	(void)lab_csr_write(CSR_VSTIMECMP, 0);
	EXPECT(run, becomes(INTERRUPT_VS_TIMER));
	(void)lab_do(LAB_VS, INSN_NOP);
	expect_interrupt(run, "not delegated", 6, lab_at(LAB_CODE));
}

/* Without STCE, vstimecmp makes nothing pending. */
static void vstimecmp_disabled(struct suite_run *run)
{
	if (!lab_use_vstimecmp(run))
		return;
	(void)lab_csr_write(CSR_VSTIMECMP, 0);
	EXPECT(run, becomes(INTERRUPT_VS_TIMER));
	(void)lab_csr_try(run, CSR_HENVCFG, 0);
	EXPECT(run, becomes(0));
}

static const struct suite_case cases[] = {
	LAB_CASE("interrupt.hvip", hvip, "hvip_sz hvip_op HVIP_WARL hvip_acc hip_op"),
	LAB_CASE("interrupt.hip", hip,
                 "HIP_WARL hip_acc hip_vseip_vseie_op hip_vstip_vstie_acc hip_vssip_vssie_op"),
	LAB_CASE("interrupt.hie", hie, "hip_hie_sz hip_hie_acc hie_acc HIE_WARL"),
	LAB_CASE("interrupt.exclusive", exclusive, "sie_hip_hie_mutex"),
	LAB_CASE("interrupt.to-hs", to_hs,
                 "hideleg_hs hie_op hip_op hip_vseip_vseie_op hip_vstip_vstie_op "
                 "hip_vssip_vssie_op H_cause H_trap_xtinst_interrupt H_trap_deleg "
                 "H_trap_hs_csrwrites hstatus_spv_op hstatus_spvp_op"),
	LAB_CASE("interrupt.priority", priority, "hsint_priority"),
	LAB_CASE("interrupt.priority.aia", priority_aia, "hsint_priority"),
	LAB_CASE("interrupt.to-vs", to_vs,
                 "hideleg_op hideleg_trans H_trap_deleg H_trap_vs_csrwrites vscause_op"),
	LAB_CASE("interrupt.hs-before-vs", hs_before_vs, "hideleg_hs hideleg_op"),
	LAB_CASE("interrupt.vstimecmp.bits", vstimecmp_bits, "vstimecmp_sz"),
	LAB_CASE("interrupt.vstimecmp", vstimecmp,
                 "hip_vstip_op hip_vstip_clear hip_vstip_vstie_op htimedelta_op"),
	LAB_CASE("interrupt.vstimecmp.hvip", vstimecmp_hvip, "hvip_acc hip_vstip_vstie_op"),
	LAB_CASE("interrupt.vstimecmp.taken", vstimecmp_taken, "hip_vstip_enable"),
	LAB_CASE("interrupt.vstimecmp.disabled", vstimecmp_disabled, "henvcfg_stce"),
};

const struct suite_subject suite_rules_interrupt = {
	.name = "rules_interrupt",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
