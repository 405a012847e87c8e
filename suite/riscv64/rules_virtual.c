/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: which instructions raise a virtual-instruction exception in VS and VU-mode, which
 * an illegal-instruction exception, and which none (8.6.1). A row is one instruction in one mode.
 * Each row also checks every register that the trap writes.
 */
#include "machine/riscv64/isa.h"
#include "machine/riscv64/timer.h"
#include "suite/feature.h"
#include "suite/riscv64/rules_lab.h"

#define NONE UINT64_MAX /* no trap */

struct row {
	const char *name;
	enum lab_mode mode;
	uint32_t insn;
	uint64_t cause;
	uint64_t hstatus;    /* set in hstatus */
	uint64_t counters;   /* clear in hcounteren */
	uint64_t s_counters; /* clear in scounteren */
};

static void try_row(struct suite_run *run, const struct row *row)
{
	uint64_t pc =
		row->mode == LAB_VS || row->mode == LAB_VU ? lab_at(LAB_CODE) : lab_host(LAB_CODE);
	uint64_t hstatus = lab.with.hstatus;
	bool done;

	lab.with.hstatus |= row->hstatus;
	csr_write(hcounteren, UINT32_MAX & ~row->counters);
	csr_write(scounteren, UINT32_MAX & ~row->s_counters);
	lab.x[A0] = lab_at(LAB_DATA);
	lab.x[A1] = 0;
	done = lab_do(row->mode, row->insn);
	lab.as_guest = false;
	if (row->cause == NONE && !done)
		suite_fail(run, "%s: expected no trap, got scause=%" PRIu64 " sepc=0x%" PRIx64,
		           row->name, lab.scause, lab.pc);
	else if (row->cause != NONE)
		lab_expect_insn_trap(run, row->name, row->cause, pc, row->insn);
	lab.with.hstatus = hstatus;
}

#define VIRTUAL_INSN CAUSE_VIRTUAL_INSTRUCTION
#define ILLEGAL      CAUSE_ILLEGAL

static void try_rows(struct suite_run *run, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		try_row(run, &rows[i]);
}

#define ROWS(rows) try_rows(run, rows, MM_ARRAY_SIZE(rows))

/* Reads and writes a CSR in a mode. */
static void access_csr(struct suite_run *run, enum lab_mode mode, unsigned csr, uint64_t read,
                       uint64_t written)
{
	char name[32];
	struct row row = {.name = name, .mode = mode};

	format_string(name, sizeof(name), "csrr 0x%x in %s", csr, mode == LAB_VS ? "VS" : "VU");
	row.insn = INSN_CSRR(A2, csr);
	row.cause = read;
	try_row(run, &row);
	format_string(name, sizeof(name), "csrw 0x%x in %s", csr, mode == LAB_VS ? "VS" : "VU");
	row.insn = INSN_CSRW(csr, A1);
	row.cause = written;
	try_row(run, &row);
	/* csrrs with x0 only reads; with another register it writes. */
	format_string(name, sizeof(name), "csrs 0x%x in %s", csr, mode == LAB_VS ? "VS" : "VU");
	row.insn = INSN_CSRRS(A2, csr, A1);
	try_row(run, &row);
}

static bool present(unsigned csr)
{
	uint64_t value;

	return lab_csr_read(csr, &value);
}

/* --- CSRs --- */

static const uint16_t hypervisor_csrs[] = {
	CSR_HSTATUS,    CSR_HEDELEG,    CSR_HIDELEG, CSR_HVIP,   CSR_HIP,   CSR_HIE,     CSR_HGEIE,
	CSR_HCOUNTEREN, CSR_HTIMEDELTA, CSR_HTVAL,   CSR_HTINST, CSR_HGATP, CSR_HENVCFG,
};

static const uint16_t vs_csrs[] = {
	CSR_VSSTATUS, CSR_VSIE,   CSR_VSTVEC, CSR_VSSCRATCH, CSR_VSEPC,
	CSR_VSCAUSE,  CSR_VSTVAL, CSR_VSIP,   CSR_VSATP,     CSR_VSTIMECMP,
};

static const uint16_t supervisor_csrs[] = {
	CSR_SSTATUS, CSR_SIE,    CSR_STVEC, CSR_SCOUNTEREN, CSR_SENVCFG,  CSR_SSCRATCH,
	CSR_SEPC,    CSR_SCAUSE, CSR_STVAL, CSR_SIP,        CSR_STIMECMP, CSR_SATP,
};

static void access_all(struct suite_run *run, const uint16_t *csrs, size_t count,
                       enum lab_mode mode)
{
	for (size_t i = 0; i < count; i++) {
		if (present(csrs[i]))
			access_csr(run, mode, csrs[i], VIRTUAL_INSN, VIRTUAL_INSN);
	}
}

static void hypervisor_from_guest(struct suite_run *run)
{
	for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++)
		access_all(run, hypervisor_csrs, MM_ARRAY_SIZE(hypervisor_csrs), mode);
}

/* HS-mode may read hgeip, and may not write it. */
static void hgeip_from_guest(struct suite_run *run)
{
	for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++)
		access_csr(run, mode, CSR_HGEIP, VIRTUAL_INSN, ILLEGAL);
}

static void vs_from_guest(struct suite_run *run)
{
	for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++)
		access_all(run, vs_csrs, MM_ARRAY_SIZE(vs_csrs), mode);
}

static void supervisor_from_vu(struct suite_run *run)
{
	access_all(run, supervisor_csrs, MM_ARRAY_SIZE(supervisor_csrs), LAB_VU);
}

/* Not HS-qualified: CSRs of M-mode, of no mode, and the high halves of RV32. */
static void not_for_hs(struct suite_run *run)
{
	static const uint16_t csrs[] = {0x300, 0x302, 0x34a, 0x34b, 0x6c0, 0x2c0, 0x1c0};

	for (size_t i = 0; i < MM_ARRAY_SIZE(csrs); i++) {
		if (present(csrs[i]))
			continue;
		access_csr(run, LAB_VS, csrs[i], ILLEGAL, ILLEGAL);
		access_csr(run, LAB_VU, csrs[i], ILLEGAL, ILLEGAL);
	}
}

static void high_halves(struct suite_run *run)
{
	static const uint16_t csrs[] = {CSR_HEDELEGH,   CSR_HTIMEDELTAH, CSR_HENVCFGH,
	                                CSR_VSTIMECMPH, CSR_CYCLEH,      CSR_CYCLEH + 1,
	                                CSR_CYCLEH + 2};

	for (size_t i = 0; i < MM_ARRAY_SIZE(csrs); i++) {
		access_csr(run, LAB_VS, csrs[i], ILLEGAL, ILLEGAL);
		access_csr(run, LAB_VU, csrs[i], ILLEGAL, ILLEGAL);
	}
}

/* From U-mode as from any other privilege: illegal. */
static void from_u(struct suite_run *run)
{
	const struct row more[] = {
		{"hfence.vvma in U", LAB_U, INSN_HFENCE_VVMA(0, 0), ILLEGAL, 0, 0, 0},
		{"hfence.gvma in U", LAB_U, INSN_HFENCE_GVMA(0, 0), ILLEGAL, 0, 0, 0},
		{"hfence.vvma in U, HU=1", LAB_U, INSN_HFENCE_VVMA(0, 0), ILLEGAL, HSTATUS_HU, 0,
	         0},
		{"hfence.gvma in U, HU=1", LAB_U, INSN_HFENCE_GVMA(0, 0), ILLEGAL, HSTATUS_HU, 0,
	         0},
		{"sret in U", LAB_U, INSN_SRET, ILLEGAL, 0, 0, 0},
		{"csrr vsstatus in U", LAB_U, INSN_CSRR(A2, CSR_VSSTATUS), ILLEGAL, 0, 0, 0},
		{"csrr vsatp in U", LAB_U, INSN_CSRR(A2, CSR_VSATP), ILLEGAL, 0, 0, 0},
		{"csrw vsscratch in U", LAB_U, INSN_CSRW(CSR_VSSCRATCH, A1), ILLEGAL, 0, 0, 0},
		{"csrr hstatus in U", LAB_U, INSN_CSRR(A2, CSR_HSTATUS), ILLEGAL, 0, 0, 0},
		{"csrw hgatp in U", LAB_U, INSN_CSRW(CSR_HGATP, A1), ILLEGAL, 0, 0, 0},
	};

	ROWS(more);
}

/* --- counters --- */

static void counters(struct suite_run *run)
{
	for (unsigned i = 0; i < 32; i++) {
		unsigned csr = CSR_CYCLE + i;
		uint64_t bit = BIT(i);
		const struct row rows[] = {
			{"counter in VS", LAB_VS, INSN_CSRR(A2, csr), NONE, 0, 0, 0},
			{"counter in VS, not in scounteren", LAB_VS, INSN_CSRR(A2, csr), NONE, 0, 0,
		         bit},
			{"counter in VS, not in hcounteren", LAB_VS, INSN_CSRR(A2, csr),
		         VIRTUAL_INSN, 0, bit, 0},
			{"counter in VS, neither", LAB_VS, INSN_CSRR(A2, csr), VIRTUAL_INSN, 0, bit,
		         bit},
			{"counter in VS, all others not", LAB_VS, INSN_CSRR(A2, csr), NONE, 0, ~bit,
		         ~bit},
			{"counter in VU", LAB_VU, INSN_CSRR(A2, csr), NONE, 0, 0, 0},
			{"counter in VU, not in scounteren", LAB_VU, INSN_CSRR(A2, csr),
		         VIRTUAL_INSN, 0, 0, bit},
			{"counter in VU, not in hcounteren", LAB_VU, INSN_CSRR(A2, csr),
		         VIRTUAL_INSN, 0, bit, 0},
			{"counter in VU, neither", LAB_VU, INSN_CSRR(A2, csr), VIRTUAL_INSN, 0, bit,
		         bit},
			{"counter in VU, all others not", LAB_VU, INSN_CSRR(A2, csr), NONE, 0, ~bit,
		         ~bit},
		};

		csr_write(hcounteren, UINT32_MAX);
		csr_write(scounteren, UINT32_MAX);
		/* Only counters that mcounteren permits, and that the enables can stop. */
		if (!present(csr) || (csr_read(hcounteren) & bit) == 0 ||
		    (csr_read(scounteren) & bit) == 0)
			continue;
		/* HS-mode does not depend on hcounteren. */
		csr_write(hcounteren, 0);
		EXPECT(run, present(csr));
		ROWS(rows);
	}
}

/* stimecmp in VS-mode depends on hcounteren.TM and henvcfg.STCE. */
static void stimecmp(struct suite_run *run)
{
	const struct row rows[] = {
		{"stimecmp, TM=1", LAB_VS, INSN_CSRR(A2, CSR_STIMECMP), NONE, 0, 0, 0},
		{"stimecmp, TM=0", LAB_VS, INSN_CSRR(A2, CSR_STIMECMP), VIRTUAL_INSN, 0, BIT(1), 0},
		{"write of stimecmp, TM=0", LAB_VS, INSN_CSRW(CSR_STIMECMP, A1), VIRTUAL_INSN, 0,
	         BIT(1), 0},
		{"stimecmp, scounteren.TM=0", LAB_VS, INSN_CSRR(A2, CSR_STIMECMP), NONE, 0, 0,
	         BIT(1)},
	};
	const struct row off[] = {
		{"stimecmp, STCE=0", LAB_VS, INSN_CSRR(A2, CSR_STIMECMP), VIRTUAL_INSN, 0, 0, 0},
		{"write of stimecmp, STCE=0", LAB_VS, INSN_CSRW(CSR_STIMECMP, A1), VIRTUAL_INSN, 0,
	         0, 0},
	};

	if (!lab_use_vstimecmp(run))
		return;
	ROWS(rows);
	(void)lab_csr_try(run, CSR_HENVCFG, 0);
	ROWS(off);
}

/* --- instructions --- */

static void hypervisor_instructions(struct suite_run *run)
{
	const uint32_t insns[] = {
		INSN_HLV_B(A2, A0),      INSN_HLV_BU(A2, A0),     INSN_HLV_H(A2, A0),
		INSN_HLV_HU(A2, A0),     INSN_HLVX_HU(A2, A0),    INSN_HLV_W(A2, A0),
		INSN_HLV_WU(A2, A0),     INSN_HLVX_WU(A2, A0),    INSN_HLV_D(A2, A0),
		INSN_HSV_B(A1, A0),      INSN_HSV_H(A1, A0),      INSN_HSV_W(A1, A0),
		INSN_HSV_D(A1, A0),      INSN_HFENCE_VVMA(0, 0),  INSN_HFENCE_GVMA(0, 0),
		INSN_HFENCE_VVMA(A0, 0), INSN_HFENCE_GVMA(0, A1),
	};

	for (size_t i = 0; i < MM_ARRAY_SIZE(insns); i++) {
		for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++) {
			struct row row = {
				"hypervisor instruction", mode, insns[i], VIRTUAL_INSN, 0, 0, 0};

			try_row(run, &row);
			/* HU is for U-mode. */
			row.hstatus = HSTATUS_HU;
			try_row(run, &row);
		}
	}
}

static void vu_instructions(struct suite_run *run)
{
	const struct row rows[] = {
		{"sret in VU", LAB_VU, INSN_SRET, VIRTUAL_INSN, 0, 0, 0},
		{"sret in VU, VTSR=1", LAB_VU, INSN_SRET, VIRTUAL_INSN, HSTATUS_VTSR, 0, 0},
		{"sfence.vma in VU", LAB_VU, INSN_SFENCE_VMA(0, 0), VIRTUAL_INSN, 0, 0, 0},
		{"sfence.vma in VU, VTVM=1", LAB_VU, INSN_SFENCE_VMA(A0, A1), VIRTUAL_INSN,
	         HSTATUS_VTVM, 0, 0},
	};

	ROWS(rows);
	if (isa_has("svinval")) {
		const struct row inval[] = {
			{"sinval.vma in VU", LAB_VU, INSN_SINVAL_VMA(0, 0), VIRTUAL_INSN, 0, 0, 0},
			{"sinval.vma in VS", LAB_VS, INSN_SINVAL_VMA(0, 0), NONE, 0, 0, 0},
		};

		ROWS(inval);
	}
}

static void mret(struct suite_run *run)
{
	const struct row rows[] = {
		{"mret in VU", LAB_VU, INSN_MRET, ILLEGAL, 0, 0, 0},
		{"mret in VS", LAB_VS, INSN_MRET, ILLEGAL, 0, 0, 0},
	};

	ROWS(rows);
}

static void wfi_in_vu(struct suite_run *run)
{
	const struct row rows[] = {
		{"wfi in VU", LAB_VU, INSN_WFI, VIRTUAL_INSN, 0, 0, 0},
		{"wfi in VU, VTW=1", LAB_VU, INSN_WFI, VIRTUAL_INSN, HSTATUS_VTW, 0, 0},
	};

	ROWS(rows);
}

/* Nothing is pending that could end the wait: so it does not complete within the limit. */
static void wfi_in_vs(struct suite_run *run)
{
	const struct row row = {"wfi in VS, VTW=1", LAB_VS, INSN_WFI, VIRTUAL_INSN,
	                        HSTATUS_VTW,        0,      0};

	try_row(run, &row);
}

/* With a pending interrupt wfi may complete, or trap nevertheless. */
static void wfi_pending(struct suite_run *run)
{
	const uint32_t wfi = INSN_WFI;
	bool done;

	csr_write(hideleg, INTERRUPT_VS_SOFTWARE);
	csr_write(hvip, INTERRUPT_VS_SOFTWARE);
	csr_write(hie, INTERRUPT_VS_SOFTWARE);
	/* vsstatus.SIE is 0: it is not taken. Without VTW the wait ends. */
	EXPECT(run, lab_do(LAB_VS, wfi));
	lab.with.hstatus |= HSTATUS_VTW;
	done = lab_do(LAB_VS, wfi);
	if (!done)
		lab_expect_insn_trap(run, "wfi, VTW=1", VIRTUAL_INSN, lab_at(LAB_CODE), wfi);
	lab_choice("VTW_VIRTINSTR", !done);
}

static void vtsr(struct suite_run *run)
{
	const struct row trapped = {"sret, VTSR=1", LAB_VS, INSN_SRET, VIRTUAL_INSN,
	                            HSTATUS_VTSR,   0,      0};

	try_row(run, &trapped);
	/* VTSR=0: sret goes to vsepc, in VU-mode because vsstatus.SPP is 0. */
	csr_write(vsepc, lab_at(LAB_HANDLER));
	csr_write(vsstatus, 0);
	(void)lab_do(LAB_VS, INSN_SRET);
	lab.mode = LAB_VU; /* which the trap comes from */
	lab_expect_trap(run, CAUSE_ECALL_U, lab_at(LAB_HANDLER), 0);
}

static void vtvm(struct suite_run *run)
{
	const struct row rows[] = {
		{"sfence.vma, VTVM=1", LAB_VS, INSN_SFENCE_VMA(0, 0), VIRTUAL_INSN, HSTATUS_VTVM, 0,
	         0},
		{"sfence.vma with operands, VTVM=1", LAB_VS, INSN_SFENCE_VMA(A0, A1), VIRTUAL_INSN,
	         HSTATUS_VTVM, 0, 0},
		{"csrr satp, VTVM=1", LAB_VS, INSN_CSRR(A2, CSR_SATP), VIRTUAL_INSN, HSTATUS_VTVM,
	         0, 0},
		{"csrw satp, VTVM=1", LAB_VS, INSN_CSRW(CSR_SATP, A1), VIRTUAL_INSN, HSTATUS_VTVM,
	         0, 0},
		{"sfence.vma", LAB_VS, INSN_SFENCE_VMA(0, 0), NONE, 0, 0, 0},
		{"csrr satp", LAB_VS, INSN_CSRR(A2, CSR_SATP), NONE, 0, 0, 0},
		{"csrw satp", LAB_VS, INSN_CSRW(CSR_SATP, A1), NONE, 0, 0, 0},
		{"other bits: sfence.vma", LAB_VS, INSN_SFENCE_VMA(0, 0), NONE,
	         HSTATUS_VTSR | HSTATUS_VTW | HSTATUS_HU, 0, 0},
		{"other CSRs, VTVM=1", LAB_VS, INSN_CSRR(A2, CSR_SSCRATCH), NONE, HSTATUS_VTVM, 0,
	         0},
		/* HS-mode is not affected. */
		{"hfence.vvma in HS, VTVM=1", LAB_HS, INSN_HFENCE_VVMA(0, 0), NONE, HSTATUS_VTVM, 0,
	         0},
		{"hfence.gvma in HS, VTVM=1", LAB_HS, INSN_HFENCE_GVMA(0, 0), NONE, HSTATUS_VTVM, 0,
	         0},
		{"csrr satp in HS, VTVM=1", LAB_HS, INSN_CSRR(A2, CSR_SATP), NONE, HSTATUS_VTVM, 0,
	         0},
		{"sfence.vma in HS, VTVM=1", LAB_HS, INSN_SFENCE_VMA(0, 0), NONE, HSTATUS_VTVM, 0,
	         0},
	};

	ROWS(rows);
	if (isa_has("svinval")) {
		const struct row inval = {"sinval.vma, VTVM=1",
		                          LAB_VS,
		                          INSN_SINVAL_VMA(0, 0),
		                          VIRTUAL_INSN,
		                          HSTATUS_VTVM,
		                          0,
		                          0};

		try_row(run, &inval);
	}
}

/* --- floating point and vectors: always illegal, never virtual --- */

struct unit {
	const char *extension;
	uint32_t insn;  /* modifies the state */
	uint64_t field; /* of sstatus */
};

#define UNITS_ON (FIELD_PREP(SSTATUS_FS, 1) | FIELD_PREP(SSTATUS_VS, 1))

static bool has_unit(struct suite_run *run, const struct unit *unit)
{
	if (!isa_has(unit->extension))
		run->skip = "the hart has no such unit";
	return isa_has(unit->extension);
}

/* Both sstatus and vsstatus switch the unit off. */
static void unit_off(struct suite_run *run, const struct unit *unit)
{
	uint64_t on = UNITS_ON;
	const struct row off = {"the unit is off", LAB_VS, unit->insn, ILLEGAL, 0, 0, 0};
	const struct row off_vu = {"the unit is off", LAB_VU, unit->insn, ILLEGAL, 0, 0, 0};

	if (!has_unit(run, unit))
		return;
	for (unsigned i = 0; i < 3; i++) {
		lab.with.sstatus = (i & 1) != 0 ? on : on & ~unit->field;
		csr_write(vsstatus, (i & 2) != 0 ? on : on & ~unit->field);
		try_row(run, &off);
		try_row(run, &off_vu);
	}
}

/* The instruction makes the unit dirty in both. */
static void unit_dirty(struct suite_run *run, const struct unit *unit)
{
	uint64_t on = UNITS_ON;

	if (!has_unit(run, unit))
		return;
	lab.with.sstatus = on;
	csr_write(vsstatus, on);
	EXPECT(run, lab_do(LAB_VS, unit->insn));
	EXPECT_EQ(run, csr_read(vsstatus) & unit->field, unit->field);
	EXPECT_EQ(run, lab.sstatus & unit->field, unit->field);
	/* vsstatus.SD does not depend on sstatus. */
	csr_write(vsstatus, on);
	lab.with.sstatus = on | unit->field;
	EXPECT(run, lab_do(LAB_VS, INSN_CSRR(A2, CSR_SSTATUS)));
	EXPECT_EQ(run, lab.x[A2] & SSTATUS_SD, 0);
}

/* fmv.w.x f0, x0; vsetivli x0, 1, e8, m1 */
static const struct unit unit_f = {"f", INSN(0x78, 0, 0, 0, 0, 0x53), SSTATUS_FS};
static const struct unit unit_v = {"v", UINT32_C(0xc000f057), SSTATUS_VS};

static void f_off(struct suite_run *run)
{
	unit_off(run, &unit_f);
}

static void f_dirty(struct suite_run *run)
{
	unit_dirty(run, &unit_f);
}

static void v_off(struct suite_run *run)
{
	unit_off(run, &unit_v);
}

static void v_dirty(struct suite_run *run)
{
	unit_dirty(run, &unit_v);
}

/* --- cache blocks --- */

struct cache_row {
	uint32_t insn;
	uint64_t enabled; /* henvcfg */
};

static void cache_blocks(struct suite_run *run, const struct cache_row *row, uint64_t field)
{
	uint64_t senvcfg = HENVCFG_CBZE | HENVCFG_CBCFE | HENVCFG_CBIE;

	(void)lab_csr_try(run, CSR_SENVCFG, senvcfg);
	lab.x[A0] = lab_host(LAB_DATA);
	if (!lab_do(LAB_HS, row->insn)) {
		run->skip = "HS-mode may not execute the instruction";
		return;
	}
	for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++) {
		const struct row on = {"enabled", mode, row->insn, NONE, 0, 0, 0};
		const struct row off = {"disabled", mode, row->insn, VIRTUAL_INSN, 0, 0, 0};

		(void)lab_csr_try(run, CSR_HENVCFG, row->enabled);
		try_row(run, &on);
		(void)lab_csr_try(run, CSR_HENVCFG, senvcfg & ~field);
		try_row(run, &off);
	}
	/* senvcfg disables it in VU-mode too. */
	(void)lab_csr_try(run, CSR_HENVCFG, senvcfg);
	(void)lab_csr_try(run, CSR_SENVCFG, 0);
	{
		const struct row off = {
			"disabled by senvcfg", LAB_VU, row->insn, VIRTUAL_INSN, 0, 0, 0};
		const struct row on = {"senvcfg is not for VS", LAB_VS, row->insn, NONE, 0, 0, 0};

		try_row(run, &off);
		try_row(run, &on);
	}
}

static void cbo_zero(struct suite_run *run)
{
	const struct cache_row row = {INSN_CBO(CBO_ZERO, A0), HENVCFG_CBZE};

	cache_blocks(run, &row, HENVCFG_CBZE);
}

static void cbo_clean(struct suite_run *run)
{
	const struct cache_row clean = {INSN_CBO(CBO_CLEAN, A0), HENVCFG_CBCFE};
	const struct cache_row flush = {INSN_CBO(CBO_FLUSH, A0), HENVCFG_CBCFE};

	cache_blocks(run, &clean, HENVCFG_CBCFE);
	cache_blocks(run, &flush, HENVCFG_CBCFE);
}

static void cbo_inval(struct suite_run *run)
{
	for (uint64_t i = 1; i <= 3; i += 2) {
		const struct cache_row row = {INSN_CBO(CBO_INVAL, A0), FIELD_PREP(HENVCFG_CBIE, i)};

		cache_blocks(run, &row, HENVCFG_CBIE);
	}
}

static const struct suite_case cases[] = {
	LAB_CASE("virtual.csr.hypervisor", hypervisor_from_guest,
                 "H_csrs_hs_not_vs H_virtinst_vu_vs_nonhigh_allowedhs_tvm0 H_virtinst_xtval "
                 "H_cause_virtual_instruction H_cause"),
	LAB_NOISY("virtual.csr.hgeip", hgeip_from_guest,
                  "H_virtinst_vu_vs_nonhigh_allowedhs_tvm0 hgeip_acc"),
	LAB_CASE("virtual.csr.vs", vs_from_guest,
                 "H_vscsrs_acc_vs H_vscsrs_acc_m_hs H_virtinst_vu_vs_nonhigh_allowedhs_tvm0"),
	LAB_CASE("virtual.csr.supervisor", supervisor_from_vu,
                 "H_virtinst_vu_nonhigh_supervisor_allowedhs_tvm0"),
	LAB_NOISY("virtual.csr.not-hs-qualified", not_for_hs, "H_cause_virtual_instruction"),
	LAB_NOISY("virtual.csr.high-halves", high_halves, "H_illegal_high_half"),
	LAB_NOISY("virtual.from-u", from_u,
                  "H_vscsrs_acc_u hfence-vvma_hfence-gvma_exceptions hfence-vvma_mode "
                  "hfence-gvma_mode"),
	LAB_CASE("virtual.counters", counters,
                 "hcounteren_op H_virtinst_vs_nonhighctr_h0_m1 "
                 "H_virtinst_vu_nonhighctr_h0_s0_m1"),
	LAB_CASE("virtual.stimecmp", stimecmp, "hcounteren_acc henvcfg_stce vstimecmp_sz"),
	LAB_CASE("virtual.hypervisor-instructions", hypervisor_instructions,
                 "H_virtinst_vu_vs_hinst hlsv_virtinst hlsv_mode "
                 "hfence-vvma_hfence-gvma_exceptions"),
	LAB_CASE("virtual.vu", vu_instructions, "H_virtinst_vu_sret_sfence"),
	LAB_NOISY("virtual.mret", mret, "H_cause_virtual_instruction"),
	LAB_CASE("virtual.wfi.vu", wfi_in_vu, "H_virtinst_vu_wfi_tw0"),
	LAB_CASE("virtual.wfi.vs", wfi_in_vs, "hstatus_vtw_op H_virtinst_wfi_vtw1_tw0"),
	LAB_CASE("virtual.wfi.pending", wfi_pending, "VTW_VIRTINSTR hstatus_vtw_op"),
	LAB_CASE("virtual.vtsr", vtsr, "hstatus_vtsr_op H_virtinst_vs_sret_vtsr1"),
	LAB_CASE("virtual.vtvm", vtvm,
                 "hstatus_vtvm_op H_virtinst_vs_sfence_sinval_satp_vtvm1 hfence-vvma_tvm"),
	LAB_NOISY("virtual.unit.f.off", f_off, "H_illegalinst_xstatus_fs_vs vsstatus_fs_op"),
	LAB_CASE("virtual.unit.f.dirty", f_dirty, "vsstatus_fs_op vsstatus_sd_xs_op"),
	LAB_NOISY("virtual.unit.v.off", v_off, "H_illegalinst_xstatus_fs_vs vsstatus_vs_op"),
	LAB_CASE("virtual.unit.v.dirty", v_dirty, "vsstatus_vs_op vsstatus_sd_xs_op"),
	LAB_NOISY("virtual.cbo.zero", cbo_zero, "henvcfg_cbze"),
	LAB_NOISY("virtual.cbo.clean", cbo_clean, "henvcfg_cbcfe"),
	LAB_NOISY("virtual.cbo.inval", cbo_inval, "henvcfg_cbie cbo-inval_h-mode_veq1_op"),
};

const struct suite_subject suite_rules_virtual = {
	.name = "rules_virtual",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
