/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: traps and returns (8.6). Where a trap goes, what it writes, which of several
 * exceptions is taken, and what SRET restores. lab_expect_trap() checks all registers of a trap
 * into HS-mode.
 */
#include "suite/riscv64/rules_lab.h"

#define STATUS (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE)

static uint64_t code_at(enum lab_mode mode)
{
	return mode == LAB_HS || mode == LAB_U ? lab_host(LAB_CODE)
	       : lab.stage1                    ? lab_va(LAB_CODE)
	                                       : lab_at(LAB_CODE);
}

/* --- causes --- */

static void ecalls(struct suite_run *run)
{
	static const struct {
		enum lab_mode mode;
		uint64_t cause;
	} rows[] = {{LAB_VS, CAUSE_ECALL_VS}, {LAB_VU, CAUSE_ECALL_U}, {LAB_U, CAUSE_ECALL_U}};

	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		for (unsigned spie = 0; spie < 2; spie++) {
			lab.with.sstatus = spie ? SSTATUS_SPIE : 0;
			(void)lab_do(rows[i].mode, INSN_ECALL);
			lab_expect_trap(run, rows[i].cause, code_at(rows[i].mode), 0);
		}
	}
}

/* SPVP and SPV of a trap from V=0: SPVP is kept. */
static void from_v0(struct suite_run *run)
{
	for (unsigned spvp = 0; spvp < 2; spvp++) {
		lab.with.hstatus = (lab.with.hstatus & ~HSTATUS_SPVP) | (spvp ? HSTATUS_SPVP : 0);
		(void)lab_do(LAB_U, INSN_ECALL);
		lab_expect_trap(run, CAUSE_ECALL_U, lab_host(LAB_CODE), 0);
		(void)lab_do(LAB_HS, INSN_EBREAK);
		lab_expect_trap(run, CAUSE_BREAKPOINT, lab_host(LAB_CODE), lab_host(LAB_CODE));
	}
}

/* --- delegation --- */

struct delegated {
	const char *name;
	uint64_t cause;
	enum lab_mode mode;
	uint32_t insn; /* 0: a fetch from LAB_EMPTY */
	uint64_t stval;
};

static void try_delegated(struct suite_run *run, const struct delegated *row, bool delegate)
{
	uint64_t pc = row->insn != 0 ? lab_va(LAB_CODE) : lab_va(LAB_EMPTY);
	bool vs = row->mode == LAB_VS;

	csr_write(hedeleg, delegate ? BIT(row->cause) : UINT64_MAX & ~BIT(row->cause));
	csr_write(vsstatus, vs ? SSTATUS_SIE : SSTATUS_SPP | SSTATUS_SPIE);
	csr_write(vsepc, 0);
	csr_write(vscause, 0);
	csr_write(vstval, 1);
	lab.with.sstatus = SSTATUS_SPIE;
	lab.x[A0] = lab_va(LAB_EMPTY);
	if (row->insn != 0)
		(void)lab_do(row->mode, row->insn);
	else
		lab_run(row->mode, pc);
	if (!delegate) {
		if (row->cause == CAUSE_LOAD_PAGE || row->cause == CAUSE_STORE_PAGE ||
		    row->cause == CAUSE_FETCH_PAGE)
			lab_expect_page_fault(run, row->name, row->cause, pc, row->stval,
			                      row->insn);
		else
			lab_expect_named(run, row->name, row->cause, pc, row->stval);
		lab_expect(run, row->name, "vscause", csr_read(vscause), 0);
		return;
	}
	/* The handler's ecall. sstatus.SIE and SPVP are as the run began. */
	lab.mode = LAB_VS;
	lab_expect_named(run, row->name, CAUSE_ECALL_VS, lab_va(LAB_HANDLER), 0);
	lab_expect(run, row->name, "vscause", csr_read(vscause), row->cause);
	lab_expect(run, row->name, "vsepc", csr_read(vsepc), pc);
	if (row->cause != CAUSE_BREAKPOINT || csr_read(vstval) != 0)
		lab_expect(run, row->name, "vstval", csr_read(vstval), row->stval);
	lab_expect(run, row->name, "vsstatus", csr_read(vsstatus) & STATUS,
	           vs ? SSTATUS_SPP | SSTATUS_SPIE : 0);
}

static void delegation(struct suite_run *run)
{
	const struct delegated rows[] = {
		{"ebreak", CAUSE_BREAKPOINT, LAB_VS, INSN_EBREAK, lab_va(LAB_CODE)},
		{"ecall from VU", CAUSE_ECALL_U, LAB_VU, INSN_ECALL, 0},
		{"load page fault", CAUSE_LOAD_PAGE, LAB_VS, INSN_LD(A2, 0, A0), lab_va(LAB_EMPTY)},
		{"store page fault", CAUSE_STORE_PAGE, LAB_VS, INSN_SD(A2, A0), lab_va(LAB_EMPTY)},
		{"AMO page fault", CAUSE_STORE_PAGE, LAB_VS, INSN_AMOADD_D(A2, A1, A0),
	         lab_va(LAB_EMPTY)},
		{"fetch page fault", CAUSE_FETCH_PAGE, LAB_VS, 0, lab_va(LAB_EMPTY)},
	};
	const struct delegated user[] = {
		{"ebreak in VU", CAUSE_BREAKPOINT, LAB_VU, INSN_EBREAK, lab_va(LAB_CODE)},
		{"ecall from VU", CAUSE_ECALL_U, LAB_VU, INSN_ECALL, 0},
		{"load page fault in VU", CAUSE_LOAD_PAGE, LAB_VU, INSN_LD(A2, 0, A0),
	         lab_va(LAB_EMPTY)},
	};

	lab_stage1(LAB_SUPER);
	lab_stage1_leaf(LAB_EMPTY, 0);
	csr_write(vstvec, lab_va(LAB_HANDLER));
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		if (rows[i].mode == LAB_VU)
			continue;
		try_delegated(run, &rows[i], true);
		try_delegated(run, &rows[i], false);
	}
	lab_stage1_leaf(LAB_CODE, LAB_SUPER | PTE_U);
	for (size_t i = 0; i < MM_ARRAY_SIZE(user); i++) {
		try_delegated(run, &user[i], true);
		try_delegated(run, &user[i], false);
	}
}

/* These go to HS-mode, whatever is written to hedeleg. */
static void not_delegated(struct suite_run *run)
{
	csr_write(hedeleg, UINT64_MAX);
	lab.x[A0] = lab_at(LAB_EMPTY);
	(void)lab_do(LAB_VS, INSN_LD(A2, 0, A0));
	lab_expect_guest_fault(run, "load", CAUSE_LOAD_GUEST_PAGE, lab_at(LAB_CODE),
	                       lab_at(LAB_EMPTY), lab_at(LAB_EMPTY), INSN_LD(A2, 0, A0));
	(void)lab_do(LAB_VS, INSN_SD(A2, A0));
	lab_expect_guest_fault(run, "store", CAUSE_STORE_GUEST_PAGE, lab_at(LAB_CODE),
	                       lab_at(LAB_EMPTY), lab_at(LAB_EMPTY), INSN_SD(A2, A0));
	lab_run(LAB_VS, lab_at(LAB_EMPTY));
	lab_expect_guest_fault(run, "fetch", CAUSE_FETCH_GUEST_PAGE, lab_at(LAB_EMPTY),
	                       lab_at(LAB_EMPTY), lab_at(LAB_EMPTY), 0);
	(void)lab_do(LAB_VS, INSN_CSRR(A2, CSR_HSTATUS));
	lab_expect_insn_trap(run, "virtual instruction", CAUSE_VIRTUAL_INSTRUCTION,
	                     lab_at(LAB_CODE), INSN_CSRR(A2, CSR_HSTATUS));
	(void)lab_do(LAB_VS, INSN_ECALL);
	lab_expect_trap(run, CAUSE_ECALL_VS, lab_at(LAB_CODE), 0);
	/* hedeleg is for V=1 only. */
	(void)lab_do(LAB_U, INSN_ECALL);
	lab_expect_trap(run, CAUSE_ECALL_U, lab_host(LAB_CODE), 0);
	(void)lab_do(LAB_HS, INSN_EBREAK);
	lab_expect_trap(run, CAUSE_BREAKPOINT, lab_host(LAB_CODE), lab_host(LAB_CODE));
}

/* Exceptions go to the base in both modes of vstvec. */
static void vectored(struct suite_run *run)
{
	csr_write(hedeleg, BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_ECALL_U));
	csr_write(vstvec, lab_at(LAB_HANDLER) | 1);
	(void)lab_do(LAB_VS, INSN_EBREAK);
	EXPECT_EQ(run, lab.pc, lab_at(LAB_HANDLER));
	EXPECT_EQ(run, csr_read(vscause), CAUSE_BREAKPOINT);
	(void)lab_do(LAB_VU, INSN_ECALL);
	EXPECT_EQ(run, lab.pc, lab_at(LAB_HANDLER));
	EXPECT_EQ(run, csr_read(vscause), CAUSE_ECALL_U);
}

/* --- priority --- */

static void exception_priority(struct suite_run *run)
{
	const uint32_t load = INSN_LD(A2, 0, A0), hlv = INSN_HLV_D(A2, A0);

	lab_stage1(LAB_SUPER);
	/* A virtual instruction, before the fault of the access that it would make. */
	lab.x[A0] = lab_va(LAB_EMPTY);
	(void)lab_do(LAB_VS, hlv);
	lab.as_guest = false;
	lab_expect_insn_trap(run, "virtual instruction first", CAUSE_VIRTUAL_INSTRUCTION,
	                     lab_va(LAB_CODE), hlv);
	/* The VS-stage's leaf is checked before its address is translated by the G-stage. */
	lab.x[A0] = lab_va(LAB_EMPTY);
	lab_stage1_leaf(LAB_EMPTY, 0);
	(void)lab_do(LAB_VS, load);
	lab_expect_page_fault(run, "both stages, leaf not valid", CAUSE_LOAD_PAGE, lab_va(LAB_CODE),
	                      lab_va(LAB_EMPTY), load);
	lab_stage1_leaf(LAB_EMPTY, LAB_SUPER & ~(PTE_R | PTE_W));
	(void)lab_do(LAB_VS, load);
	lab_expect_page_fault(run, "both stages, leaf not readable", CAUSE_LOAD_PAGE,
	                      lab_va(LAB_CODE), lab_va(LAB_EMPTY), load);
	lab_stage1_leaf(LAB_EMPTY, LAB_SUPER);
	(void)lab_do(LAB_VS, load);
	lab_expect_guest_fault(run, "the G-stage", CAUSE_LOAD_GUEST_PAGE, lab_va(LAB_CODE),
	                       lab_va(LAB_EMPTY), lab_at(LAB_EMPTY), load);
	/* The fetch comes before the instruction. */
	LAB_CODE_OF(LAB_CODE, hlv);
	lab_gstage(LAB_CODE, 0);
	lab_run(LAB_VS, lab_va(LAB_CODE));
	lab.as_guest = false;
	lab_expect_guest_fault(run, "fetch first", CAUSE_FETCH_GUEST_PAGE, lab_va(LAB_CODE),
	                       lab_va(LAB_CODE), lab_at(LAB_CODE), 0);
}

/* --- SRET --- */

/* SRET in HS-mode with SPV=0 and SPP=1 stays there: so the next instructions see what it wrote. */
static void sret_in_hs(struct suite_run *run)
{
	for (unsigned spie = 0; spie < 2; spie++) {
		uint64_t before = SSTATUS_SPP | (spie ? SSTATUS_SPIE : 0);

		csr_write(sie, 0);
		LAB_CODE_OF(LAB_CODE, INSN_CSRW(CSR_SEPC, A0), INSN_CSRRC(0, CSR_SSTATUS, A1),
		            INSN_CSRRS(0, CSR_SSTATUS, A2), INSN_SRET, INSN_CSRR(A4, CSR_SSTATUS),
		            INSN_CSRR(A5, CSR_HSTATUS), INSN_EBREAK);
		lab.x[A0] = lab_host(LAB_CODE) + 16;
		lab.x[A1] = STATUS;
		lab.x[A2] = before;
		lab_run(LAB_HS, lab_host(LAB_CODE));
		EXPECT_EQ(run, lab.scause, CAUSE_BREAKPOINT);
		EXPECT_EQ(run, lab.pc, lab_host(LAB_CODE) + 24);
		EXPECT_EQ(run, lab.x[A4] & STATUS, SSTATUS_SPIE | (spie ? SSTATUS_SIE : 0));
		EXPECT_EQ(run, lab.x[A5] & HSTATUS_SPV, 0);
		EXPECT_EQ(run, lab.sstatus & SSTATUS_SPIE, spie ? SSTATUS_SPIE : 0);
	}
	csr_write(sie, INTERRUPT_TIMER);
}

/* The mode after SRET in HS-mode, by SPV and SPP: the trap that ends the run is the answer.
 * lab_run() itself uses SRET. */
static void sret_modes(struct suite_run *run)
{
	for (enum lab_mode mode = LAB_U; mode <= LAB_VU; mode++) {
		(void)lab_do(mode, INSN_ECALL);
		lab_expect_trap(run, mode == LAB_VS ? CAUSE_ECALL_VS : CAUSE_ECALL_U, code_at(mode),
		                0);
	}
	/* SRET does not change VS-mode's registers. */
	csr_write(vsstatus, SSTATUS_SPP | SSTATUS_SPIE);
	csr_write(vsepc, 0x1234);
	(void)lab_do(LAB_VS, INSN_ECALL);
	EXPECT_EQ(run, csr_read(vsstatus) & STATUS, SSTATUS_SPP | SSTATUS_SPIE);
	EXPECT_EQ(run, csr_read(vsepc), 0x1234);
}

/* SRET in VS-mode. */
static void sret_in_vs(struct suite_run *run)
{
	for (unsigned spp = 0; spp < 2; spp++) {
		for (unsigned spie = 0; spie < 2; spie++) {
			uint64_t hstatus, sstatus;

			csr_write(vsstatus, (spp ? SSTATUS_SPP : 0) | (spie ? SSTATUS_SPIE : 0));
			csr_write(vsepc, lab_at(LAB_HANDLER));
			lab.with.sstatus = SSTATUS_SPIE;
			(void)lab_do(LAB_VS, INSN_SRET);
			hstatus = lab.hstatus;
			sstatus = lab.sstatus;
			EXPECT_EQ(run, lab.scause, spp ? CAUSE_ECALL_VS : CAUSE_ECALL_U);
			EXPECT_EQ(run, lab.pc, lab_at(LAB_HANDLER));
			EXPECT_EQ(run, csr_read(vsstatus) & STATUS,
			          SSTATUS_SPIE | (spie ? SSTATUS_SIE : 0));
			/* It stays in the guest, and HS-mode's registers are untouched. */
			EXPECT_EQ(run, hstatus & HSTATUS_SPV, HSTATUS_SPV);
			EXPECT_EQ(run, sstatus & SSTATUS_SPIE, SSTATUS_SPIE);
			EXPECT_EQ(run, csr_read(vsepc), lab_at(LAB_HANDLER));
		}
	}
}

static const struct suite_case cases[] = {
	LAB_CASE("trap.ecall", ecalls,
                 "H_cause H_cause_ecall H_trap_hs_csrwrites hstatus_spv_op hstatus_spvp_op "
                 "hstatus_gva_op htval_op HTVAL_TRAPVAL htinst_op H_trap_xtinst"),
	LAB_CASE("trap.from-v0", from_v0, "hstatus_spvp_op hstatus_spv_op H_trap_hs_csrwrites"),
	LAB_CASE("trap.delegated", delegation,
                 "hedeleg_op H_trap_deleg H_trap_vs_csrwrites hstatus_gva_op H_trap_xtinst_val "
                 "H_trap_xtinst_exception vscause_op vstval_op vspec_op"),
	LAB_CASE("trap.not-delegated", not_delegated,
                 "H_guest_page_fault H_trap_deleg hedeleg_op HTVAL_TRAPVAL hstatus_gva_op"),
	LAB_CASE("trap.vectored", vectored, "vstvec_op"),
	LAB_CASE("trap.priority", exception_priority, "H_exception_priority"),
	LAB_CASE("trap.sret.hs", sret_in_hs, "sret_h sret_v0"),
	LAB_CASE("trap.sret.modes", sret_modes, "sret_v0 hstatus_spv_sret"),
	LAB_CASE("trap.sret.vs", sret_in_vs, "sret_h sret_v1"),
};

const struct suite_subject suite_rules_trap = {
	.name = "rules_trap",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
