/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: the hypervisor CSRs as HS-mode reads and writes them (8.2.1 to 8.2.10). Which bits
 * exist, which hold a value, and what the implementation has chosen.
 */
#include "machine/riscv64/isa.h"
#include "machine/riscv64/timer.h"
#include "suite/feature.h"
#include "suite/riscv64/rules_lab.h"

/* Writes 0, all ones and each single bit: every bit is writable, or read-only zero. Returns the
 * writable bits. */
static uint64_t writable_bits(struct suite_run *run, unsigned csr, const char *name)
{
	uint64_t all = lab_csr_try(run, csr, UINT64_MAX);

	lab_expect(run, name, "after a write of 0", lab_csr_try(run, csr, 0), 0);
	for (unsigned bit = 0; bit < 64; bit++)
		lab_expect(run, name, "after a write of one bit", lab_csr_try(run, csr, BIT(bit)),
		           all & BIT(bit));
	(void)lab_csr_try(run, csr, 0);
	return all;
}

/* Each of these CSRs exists for HS-mode. */
static void exist(struct suite_run *run)
{
	static const uint16_t csrs[] = {
		CSR_HSTATUS,   CSR_HEDELEG, CSR_HIDELEG,    CSR_HVIP,       CSR_HIP,
		CSR_HIE,       CSR_HGEIP,   CSR_HGEIE,      CSR_HCOUNTEREN, CSR_HTVAL,
		CSR_HTINST,    CSR_HGATP,   CSR_VSSTATUS,   CSR_VSIE,       CSR_VSTVEC,
		CSR_VSSCRATCH, CSR_VSEPC,   CSR_VSCAUSE,    CSR_VSTVAL,     CSR_VSIP,
		CSR_VSATP,     CSR_HENVCFG, CSR_HTIMEDELTA,
	};
	uint64_t value;

	for (size_t i = 0; i < MM_ARRAY_SIZE(csrs); i++) {
		if (!lab_csr_read(csrs[i], &value))
			suite_fail(run, "CSR 0x%x does not exist", csrs[i]);
		else if (csrs[i] != CSR_HGEIP && !lab_csr_write(csrs[i], value))
			suite_fail(run, "CSR 0x%x cannot be written", csrs[i]);
	}
}

/* The high halves exist with XLEN=32 only. */
static void no_high_halves(struct suite_run *run)
{
	static const uint16_t csrs[] = {CSR_HEDELEGH, CSR_HTIMEDELTAH, CSR_HENVCFGH,
	                                CSR_VSTIMECMPH};
	uint64_t value;

	for (size_t i = 0; i < MM_ARRAY_SIZE(csrs); i++) {
		EXPECT(run, !lab_csr_read(csrs[i], &value));
		lab_expect_insn_trap(run, "high half", CAUSE_ILLEGAL, lab_host(LAB_CODE),
		                     INSN_CSRR(A0, csrs[i]));
	}
}

/* --- hstatus --- */

/* XLEN of HS-mode: a shift by 63 leaves one bit. */
static void hsxlen(struct suite_run *run)
{
	const uint32_t shift = INSN_I(63, A0, 1, A0, 0x13); /* slli a0, a0, 63 */

	lab.x[A0] = 3;
	EXPECT(run, lab_do(LAB_HS, shift));
	EXPECT_EQ(run, lab.x[A0], BIT(63));
	lab_choice("HSXLEN", 64);
}

static void vsxl(struct suite_run *run)
{
	uint64_t before = lab_csr_try(run, CSR_HSTATUS, lab.with.hstatus), vsxl[4];
	bool writable = false;

	for (uint64_t i = 0; i < 4; i++) {
		vsxl[i] = FIELD_GET(HSTATUS_VSXL, lab_csr_try(run, CSR_HSTATUS,
		                                              (before & ~HSTATUS_VSXL) |
		                                                      FIELD_PREP(HSTATUS_VSXL, i)));
		EXPECT(run, vsxl[i] == 1 || vsxl[i] == 2 || vsxl[i] == 3);
		writable = writable || vsxl[i] != vsxl[0];
	}
	if (!writable)
		EXPECT_EQ(run, vsxl[0], 2);
	EXPECT_EQ(run, vsxl[2], 2);
	/* The guest's registers have the width that VSXL selects. */
	lab.x[A0] = 3;
	EXPECT(run, lab_do(LAB_VS, INSN_I(63, A0, 1, A0, 0x13)));
	EXPECT_EQ(run, lab.x[A0], BIT(63));
	lab_choice("VSXLEN", 64);
	lab_choice("VSXL_RO", !writable);
	lab_choice("HSTATUS_VSXL_64_WARL", (uint64_t)1 << vsxl[0] | 1 << vsxl[1] | 1 << vsxl[2]);
}

static void hstatus_fields(struct suite_run *run)
{
	const uint64_t bits[] = {HSTATUS_GVA,  HSTATUS_SPV, HSTATUS_SPVP, HSTATUS_HU,
	                         HSTATUS_VTVM, HSTATUS_VTW, HSTATUS_VTSR};
	uint64_t all = 0;

	/* lab_do() writes hstatus, too: so the instructions are written and read in one run. */
	for (size_t i = 0; i < MM_ARRAY_SIZE(bits); i++)
		all |= bits[i];
	for (size_t i = 0; i < MM_ARRAY_SIZE(bits); i++) {
		for (unsigned set = 0; set < 2; set++) {
			uint64_t value = lab.with.hstatus | (set ? bits[i] : all & ~bits[i]);

			LAB_CODE_OF(LAB_CODE, INSN_CSRW(CSR_HSTATUS, A0),
			            INSN_CSRR(A1, CSR_HSTATUS), INSN_EBREAK);
			lab.x[A0] = value;
			lab_run(LAB_HS, lab_host(LAB_CODE));
			EXPECT_EQ(run, lab.scause, CAUSE_BREAKPOINT);
			lab_expect(run, "hstatus", "its fields", lab.x[A1] & all, value & all);
		}
	}
}

/* GEILEN, by hgeie: bits GEILEN:1 are writable, and no others. */
static unsigned geilen(struct suite_run *run)
{
	uint64_t bits = writable_bits(run, CSR_HGEIE, "hgeie");
	unsigned length = bits == 0 ? 0 : mm_fls64(bits);

	EXPECT_EQ(run, bits, length == 0 ? 0 : GENMASK(length, 1));
	return length;
}

static void guest_external(struct suite_run *run)
{
	unsigned length = geilen(run);
	uint64_t allowed = length == 0 ? 0 : GENMASK(length, 1), hgeip, hie;

	EXPECT(run, lab_csr_read(CSR_HGEIP, &hgeip));
	EXPECT_EQ(run, hgeip & ~allowed, 0);
	EXPECT(run, !lab_csr_write(CSR_HGEIP, 0));
	lab_expect_insn_trap(run, "hgeip is read-only", CAUSE_ILLEGAL, lab_host(LAB_CODE),
	                     INSN_CSRW(CSR_HGEIP, A0));
	/* SGEIP: any of hgeip & hgeie. SGEIE is writable if SGEIP can be set. */
	hie = lab_csr_try(run, CSR_HIE, BIT(12));
	EXPECT_EQ(run, hie & ~BIT(12), 0);
	if (length != 0)
		EXPECT_EQ(run, hie, BIT(12));
	(void)lab_csr_try(run, CSR_HGEIE, UINT64_MAX);
	EXPECT_EQ(run, csr_read(hip) >> 12 & 1, (csr_read(hgeip) & csr_read(hgeie)) != 0);
	(void)lab_csr_try(run, CSR_HGEIE, 0);
	EXPECT_EQ(run, csr_read(hip) >> 12 & 1, 0);
	lab_choice("GEILEN", length);
	lab_choice("HGEIE_WARL", allowed);
}

/* VGEIN by itself: lab_run() writes hstatus, so the field is part of the run. */
static void vgein(struct suite_run *run)
{
	unsigned length = geilen(run);

	for (uint64_t i = 0; i <= length; i++) {
		lab.x[A0] = lab.with.hstatus | FIELD_PREP(HSTATUS_VGEIN, i);
		LAB_CODE_OF(LAB_CODE, INSN_CSRW(CSR_HSTATUS, A0), INSN_CSRR(A1, CSR_HSTATUS),
		            INSN_CSRR(A2, CSR_HIP), INSN_EBREAK);
		lab_run(LAB_HS, lab_host(LAB_CODE));
		EXPECT_EQ(run, FIELD_GET(HSTATUS_VGEIN, lab.x[A1]), i);
		/* hip.VSEIP: the selected bit of hgeip; none if VGEIN is 0. */
		EXPECT_EQ(run, lab.x[A2] >> 10 & 1, i == 0 ? 0 : csr_read(hgeip) >> i & 1);
	}
	lab_choice("HSTATUS_VGEIN_WLRL", length);
}

/* --- delegation --- */

static void hedeleg(struct suite_run *run)
{
	const uint64_t must = GENMASK(8, 1) | BIT(12) | BIT(13) | BIT(15);
	const uint64_t never = GENMASK(11, 9) | BIT(16) | GENMASK(23, 20);
	uint64_t bits = writable_bits(run, CSR_HEDELEG, "hedeleg");

	EXPECT_EQ(run, bits & must, must);
	EXPECT_EQ(run, bits & never, 0);
	/* Bit 0 is writable without the C extension (IALIGN=32). */
	if (!isa_has("c"))
		EXPECT_EQ(run, bits & 1, 1);
	lab_choice("HEDELEG_WARL", bits);
}

static void hideleg(struct suite_run *run)
{
	uint64_t bits = writable_bits(run, CSR_HIDELEG, "hideleg");

	EXPECT_EQ(run, bits & (BIT(10) | BIT(6) | BIT(2)), BIT(10) | BIT(6) | BIT(2));
	EXPECT_EQ(run, bits & (BIT(12) | BIT(9) | BIT(5) | BIT(1)), 0);
	if (!isa_has("shlcofideleg") && !isa_has("ssaia"))
		EXPECT_EQ(run, bits & BIT(13), 0);
	lab_choice("HIDELEG_WARL", bits);
}

/* --- counters and time --- */

static void hcounteren(struct suite_run *run)
{
	uint64_t bits = writable_bits(run, CSR_HCOUNTEREN, "hcounteren");

	/* 32 bits. */
	EXPECT_EQ(run, bits >> 32, 0);
	lab_choice("HCOUNTEREN_WARL", bits);
}

static void htimedelta(struct suite_run *run)
{
	static const uint64_t values[] = {0, 1, UINT64_MAX, UINT64_C(0x8000000000000000),
	                                  UINT64_C(0x0123456789abcdef)};

	for (size_t i = 0; i < MM_ARRAY_SIZE(values); i++)
		EXPECT_EQ(run, lab_csr_try(run, CSR_HTIMEDELTA, values[i]), values[i]);
	/* time in VS and VU-mode is the sum, modulo 2^64. */
	for (size_t i = 0; i < MM_ARRAY_SIZE(values); i++) {
		for (enum lab_mode mode = LAB_VS; mode <= LAB_VU; mode++) {
			uint64_t before = csr_read(time), elapsed;

			csr_write(htimedelta, values[i]);
			EXPECT(run, lab_do(mode, INSN_CSRR(A0, CSR_TIME)));
			elapsed = lab.x[A0] - values[i] - before;
			EXPECT(run, elapsed <= csr_read(time) - before);
			/* time in HS-mode does not change. */
			EXPECT(run, csr_read(time) - before < (UINT64_C(1) << 40));
		}
	}
}

/* --- htval, htinst --- */

static void htval(struct suite_run *run)
{
	static const uint64_t values[] = {0, BIT(28), (BIT(41) - 1) >> 2, UINT64_MAX >> 2};
	uint64_t held = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(values); i++) {
		uint64_t value;

		/* lab_csr_try() would read it after another trap. */
		LAB_CODE_OF(LAB_CODE, INSN_CSRW(CSR_HTVAL, A0), INSN_CSRR(A1, CSR_HTVAL),
		            INSN_CSRW(CSR_HTVAL, A1), INSN_CSRR(A2, CSR_HTVAL), INSN_EBREAK);
		lab.x[A0] = values[i];
		lab_run(LAB_HS, lab_host(LAB_CODE));
		value = lab.x[A1];
		EXPECT_EQ(run, lab.scause, CAUSE_BREAKPOINT);
		/* What it holds, it can hold. */
		EXPECT_EQ(run, lab.x[A2], value);
		if (values[i] == 0)
			EXPECT_EQ(run, value, 0);
		held |= value;
	}
	lab_choice("HTVAL_WARL", held);
}

static void htinst(struct suite_run *run)
{
	static const uint64_t values[] = {0, LAB_WALK, LAB_WALK_WRITE, 0x3003, 0x7fff};
	uint64_t held = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(values); i++) {
		LAB_CODE_OF(LAB_CODE, INSN_CSRW(CSR_HTINST, A0), INSN_CSRR(A1, CSR_HTINST),
		            INSN_CSRW(CSR_HTINST, A1), INSN_CSRR(A2, CSR_HTINST), INSN_EBREAK);
		lab.x[A0] = values[i];
		lab_run(LAB_HS, lab_host(LAB_CODE));
		EXPECT_EQ(run, lab.x[A2], lab.x[A1]);
		if (values[i] == 0)
			EXPECT_EQ(run, lab.x[A1], 0);
		held |= lab.x[A1];
	}
	lab_choice("HTINST_WARL", held);
}

/* --- hgatp --- */

static void hgatp_modes(struct suite_run *run)
{
	uint64_t modes = 0, value;

	value = lab_csr_try(run, CSR_HGATP, 0);
	EXPECT_EQ(run, value, 0);
	for (enum atp_mode mode = ATP_SV39; mode <= ATP_SV57; mode++) {
		value = lab_csr_try(run, CSR_HGATP, lab_hgatp(mode, 0));
		if (FIELD_GET(ATP_MODE, value) != (uint64_t)mode)
			continue;
		modes |= BIT(mode);
		EXPECT_EQ(run, value & ATP_PPN, lab_hgatp(mode, 0) & ATP_PPN);
	}
	/* RV64 needs Sv39 at least. */
	EXPECT(run, (modes & BIT(ATP_SV39)) != 0);
	lab_choice("HGATP_MODE_WARL", modes);
}

/* A mode that is reserved, or not implemented, does not read back; no mode but a valid one does. */
static void hgatp_reserved(struct suite_run *run)
{
	for (uint64_t mode = 1; mode < 16; mode++) {
		uint64_t value, got;

		if (mode >= ATP_SV39 && mode <= ATP_SV57)
			continue;
		(void)lab_csr_try(run, CSR_HGATP, lab_hgatp(ATP_SV39, 0));
		value = lab_csr_try(run, CSR_HGATP, FIELD_PREP(ATP_MODE, mode));
		got = FIELD_GET(ATP_MODE, value);
		if (got != ATP_BARE && (got < ATP_SV39 || got > ATP_SV57))
			suite_fail(run, "hgatp.MODE holds the reserved value %" PRIu64, got);
	}
}

/* The root is 16 KiB, so the lowest two bits of PPN read as zeros in the paged modes. */
static void hgatp_ppn(struct suite_run *run)
{
	uint64_t value = lab_csr_try(run, CSR_HGATP, lab_hgatp(ATP_SV39, 0) | 3);

	EXPECT_EQ(run, value & 3, 0);
}

static void hgatp_vmid(struct suite_run *run)
{
	uint64_t vmid = FIELD_GET(HGATP_VMID,
	                          lab_csr_try(run, CSR_HGATP, lab_hgatp(ATP_SV39, BIT(14) - 1)));

	/* The lowest bits are implemented first. */
	EXPECT_EQ(run, vmid & (vmid + 1), 0);
	for (uint64_t bit = 1; bit <= vmid; bit <<= 1)
		EXPECT_EQ(run,
		          FIELD_GET(HGATP_VMID,
		                    lab_csr_try(run, CSR_HGATP, lab_hgatp(ATP_SV39, bit))),
		          bit);
	lab_choice("HGATP_VMID", vmid == 0 ? 0 : mm_fls64(vmid) + 1);
}

/* --- henvcfg --- */

/* Fields of extensions. A field of an extension that the hart does not have is read-only zero. */
static void henvcfg(struct suite_run *run)
{
	static const struct {
		uint64_t bits;
		const char *field, *extensions[3];
	} fields[] = {
		{BIT(2), "LPE", {"zicfilp"}},
		{BIT(3), "SSE", {"zicfiss"}},
		{HENVCFG_CBIE, "CBIE", {"zicbom"}},
		{HENVCFG_CBCFE, "CBCFE", {"zicbom"}},
		{HENVCFG_CBZE, "CBZE", {"zicboz"}},
		{HENVCFG_PMM, "PMM", {"ssnpm"}},
		{BIT(59), "DTE", {"ssdbltrp", "smdbltrp"}},
		{HENVCFG_STCE, "STCE", {"sstc"}},
	};
	uint64_t all = lab_csr_try(run, CSR_HENVCFG, UINT64_MAX);

	for (size_t i = 0; i < MM_ARRAY_SIZE(fields); i++) {
		bool listed = false;

		for (size_t k = 0; k < 3 && fields[i].extensions[k] != NULL; k++)
			listed = listed || isa_has(fields[i].extensions[k]);
		if (!listed)
			lab_expect(run, "henvcfg without the extension", fields[i].field,
			           all & fields[i].bits, 0);
	}
	EXPECT_EQ(run, lab_csr_try(run, CSR_HENVCFG, 0), 0);
	lab_choice("henvcfg", all);
}

/* CBIE: 2 is reserved. PMM: 1 is. */
static void henvcfg_reserved(struct suite_run *run)
{
	uint64_t held = 0;

	for (uint64_t i = 0; i < 4; i++) {
		uint64_t value = lab_csr_try(
			run, CSR_HENVCFG, FIELD_PREP(HENVCFG_CBIE, i) | FIELD_PREP(HENVCFG_PMM, i));

		EXPECT(run, FIELD_GET(HENVCFG_CBIE, value) != 2);
		EXPECT(run, FIELD_GET(HENVCFG_PMM, value) != 1);
		held |= BIT(FIELD_GET(HENVCFG_CBIE, value));
	}
	lab_choice("HENVCFG_CBIE_WARL", held);
}

/* FIOM is a bit of its own, if it is there at all. */
static void henvcfg_fiom(struct suite_run *run)
{
	uint64_t set = lab_csr_try(run, CSR_HENVCFG, 1);

	EXPECT_EQ(run, set & ~UINT64_C(1), 0);
	EXPECT_EQ(run, lab_csr_try(run, CSR_HENVCFG, 0), 0);
	lab_choice("henvcfg_fiom", set);
}

/* The field is read-only zero without its extension. */
static void zero_without(struct suite_run *run, const char *extension, uint64_t field)
{
	if (isa_has(extension))
		run->skip = "the hart has the extension";
	else
		EXPECT_EQ(run, lab_csr_try(run, CSR_HENVCFG, UINT64_MAX) & field, 0);
}

static void henvcfg_pbmte(struct suite_run *run)
{
	zero_without(run, "svpbmt", HENVCFG_PBMTE);
}

static void henvcfg_adue(struct suite_run *run)
{
	zero_without(run, "svadu", HENVCFG_ADUE);
}

static const struct suite_case cases[] = {
	LAB_CASE("csr.exist", exist,
                 "H_csrs_hs_not_vs H_vscsrs_acc_m_hs hstatus_acc hedeleg_sz hideleg_sz hvip_sz "
                 "hip_hie_sz hgeip_sz hgeie_sz henvcfg_sz htval_sz htinst_sz hgatp_sz vsstatus_sz "
                 "vsip_vsie_sz time_htimedelta_req hcounteren_sz"),
	LAB_NOISY("csr.no-high-halves", no_high_halves,
                  "hedelegh_acc htimedeltah_acc henvcfgh_acc vstimecmp_acc"),
	LAB_CASE("csr.hsxlen", hsxlen, "HSXLEN"),
	LAB_CASE("csr.vsxl", vsxl,
                 "hstatus_vsxl_op hstatus_vsxl_64 VSXLEN VSXL_RO HSTATUS_VSXL_64_WARL"),
	LAB_CASE("csr.hstatus", hstatus_fields, "hstatus_sz hstatus_acc hstatus_op"),
	LAB_NOISY("csr.guest-external", guest_external,
                  "GEILEN HGEIE_WARL hgeip_sz hgeip_acc hgeip_op hgeie_sz hgeie_acc "
                  "hgeip_hgeie_fields hgeie_op hip_sgeip_sgeie_acc hip_sgeip_sgeie_op"),
	LAB_CASE("csr.vgein", vgein, "hstatus_vgein_op HSTATUS_VGEIN_WLRL"),
	LAB_CASE("csr.hedeleg", hedeleg, "hedeleg_sz hedeleg_acc HEDELEG_WARL"),
	LAB_CASE("csr.hideleg", hideleg, "hideleg_sz hideleg_acc HIDELEG_WARL"),
	LAB_CASE("csr.hcounteren", hcounteren, "hcounteren_sz HCOUNTEREN_WARL"),
	LAB_CASE("csr.htimedelta", htimedelta,
                 "htimedelta_sz htimedelta_acc htimedelta_op time_htimedelta_req"),
	LAB_CASE("csr.htval", htval, "htval_sz htval_acc htval_val HTVAL_WARL"),
	LAB_CASE("csr.htinst", htinst, "htinst_sz htinst_acc htinst_val HTINST_WARL"),
	LAB_CASE("csr.hgatp.modes", hgatp_modes,
                 "hgatp_sz hgatp_acc hgatp_op hgatp_mode_bare hgatp_mode_sv HGATP_MODE_WARL "
                 "H_vm_supported"),
	LAB_CASE("csr.hgatp.reserved", hgatp_reserved, "HGATP_MODE_WARL hgatp_mode_sv"),
	LAB_CASE("csr.hgatp.ppn", hgatp_ppn, "hgatp_ppn_op"),
	LAB_CASE("csr.hgatp.vmid", hgatp_vmid, "HGATP_VMID hgatp_vmid_lsbs"),
	LAB_CASE("csr.henvcfg", henvcfg,
                 "henvcfg_sz henvcfg_acc henvcfg_pmm_op henvcfg_lpe_op henvcfg_sse_op "
                 "henvcfg_dte_op"),
	LAB_CASE("csr.henvcfg.reserved", henvcfg_reserved, "HENVCFG_CBIE_WARL henvcfg_cbie"),
	LAB_CASE("csr.henvcfg.fiom", henvcfg_fiom, "henvcfg_acc"),
	LAB_CASE("csr.henvcfg.pbmte", henvcfg_pbmte, "henvcfg_pbmte_op"),
	LAB_CASE("csr.henvcfg.adue", henvcfg_adue, "henvcfg_adue_op"),
};

const struct suite_subject suite_rules_csr = {
	.name = "rules_csr",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
