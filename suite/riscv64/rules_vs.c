/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V rules: the VS CSRs (8.2.11 to 8.2.18). HS-mode reads and writes them by their own
 * numbers; VS-mode by those of the supervisor CSRs, which it does not reach.
 */
#include "machine/riscv64/isa.h"
#include "suite/riscv64/rules_lab.h"

#define VS_INTERRUPTS (INTERRUPT_VS_SOFTWARE | INTERRUPT_VS_TIMER | INTERRUPT_VS_EXTERNAL)
/* The same in vsip and vsie: one bit lower. */
#define S_INTERRUPTS (VS_INTERRUPTS >> 1)

/* --- substitution --- */

/* VS-mode exchanges a supervisor CSR. The VS CSR changes, and the supervisor CSR does not. */
static void exchange(struct suite_run *run, const char *name, unsigned s, unsigned vs,
                     uint64_t before, uint64_t after, uint64_t mask)
{
	uint64_t s_before = 0, s_after = 0, vs_after = 0;

	(void)lab_csr_write(vs, before);
	/* A trap writes sepc, scause and stval, and the laboratory uses sscratch. */
	(void)lab_csr_read(s, &s_before);
	lab.x[A0] = after;
	if (!lab_do(LAB_VS, INSN_CSRRW(A2, s, A0))) {
		suite_fail(run, "%s: traps: scause=%" PRIu64, name, lab.scause);
		return;
	}
	lab_expect(run, name, "read in VS", lab.x[A2] & mask, before & mask);
	(void)lab_csr_read(vs, &vs_after);
	lab_expect(run, name, "VS CSR", vs_after & mask, after & mask);
	(void)lab_csr_read(s, &s_after);
	if (s != CSR_SEPC)
		lab_expect(run, name, "HS CSR", s_after & mask, s_before & mask);
	EXPECT(run, lab_do(LAB_VS, INSN_CSRR(A2, s)));
	lab_expect(run, name, "read again in VS", lab.x[A2] & mask, after & mask);
}

static void substitute(struct suite_run *run)
{
	const uint64_t status = SSTATUS_SPIE | SSTATUS_SPP | SSTATUS_SUM | SSTATUS_MXR;
	uint64_t vsatp;

	exchange(run, "sstatus", CSR_SSTATUS, CSR_VSSTATUS, 0, SSTATUS_SUM | SSTATUS_SPP, status);
	exchange(run, "sstatus", CSR_SSTATUS, CSR_VSSTATUS, status, SSTATUS_MXR, status);
	exchange(run, "stvec", CSR_STVEC, CSR_VSTVEC, 0x1000, lab_at(LAB_HANDLER), UINT64_MAX);
	exchange(run, "sscratch", CSR_SSCRATCH, CSR_VSSCRATCH, 1, UINT64_MAX / 3, UINT64_MAX);
	exchange(run, "sepc", CSR_SEPC, CSR_VSEPC, 0x4000, 0x123456788, UINT64_MAX);
	exchange(run, "scause", CSR_SCAUSE, CSR_VSCAUSE, 13, 15, UINT64_MAX);
	exchange(run, "stval", CSR_STVAL, CSR_VSTVAL, 0x1234, 0x7654321000, UINT64_MAX);
	/* Another ASID, with the same tables. */
	lab_stage1(LAB_SUPER);
	vsatp = csr_read(vsatp);
	exchange(run, "satp", CSR_SATP, CSR_VSATP, vsatp, vsatp & ~SATP_ASID, UINT64_MAX);
}

static void substitute_interrupts(struct suite_run *run)
{
	uint64_t sie;

	csr_write(hideleg, VS_INTERRUPTS);
	csr_write(hvip, INTERRUPT_VS_TIMER);
	sie = csr_read(sie);
	lab.x[A0] = S_INTERRUPTS;
	EXPECT(run, lab_do(LAB_VS, INSN_CSRRW(A2, CSR_SIE, A0)));
	EXPECT_EQ(run, csr_read(vsie), S_INTERRUPTS);
	EXPECT_EQ(run, csr_read(hie) & VS_INTERRUPTS, VS_INTERRUPTS);
	EXPECT_EQ(run, csr_read(sie), sie);
	/* sip is vsip: the HS-level timer and software interrupts do not appear in it. */
	csr_write(sip, INTERRUPT_SOFTWARE);
	EXPECT(run, lab_do(LAB_VS, INSN_CSRR(A2, CSR_SIP)));
	EXPECT_EQ(run, lab.x[A2] & S_INTERRUPTS, INTERRUPT_TIMER);
	csr_write(sip, 0);
	/* A write of sip.SSIP makes the VS-level software interrupt pending. */
	lab.x[A0] = INTERRUPT_SOFTWARE;
	csr_write(hie, 0);
	EXPECT(run, lab_do(LAB_VS, INSN_CSRRS(A2, CSR_SIP, A0)));
	EXPECT_EQ(run, csr_read(hip) & INTERRUPT_VS_SOFTWARE, INTERRUPT_VS_SOFTWARE);
	EXPECT_EQ(run, csr_read(sip) & INTERRUPT_SOFTWARE, 0);
}

/* scounteren and senvcfg have no VS CSR. */
static void no_match(struct suite_run *run)
{
	csr_write(scounteren, 0);
	lab.x[A0] = 7;
	EXPECT(run, lab_do(LAB_VS, INSN_CSRRW(A2, CSR_SCOUNTEREN, A0)));
	EXPECT_EQ(run, lab.x[A2], 0);
	EXPECT_EQ(run, csr_read(scounteren) & 7, 7);
	(void)lab_csr_try(run, CSR_SENVCFG, 0);
	lab.x[A0] = HENVCFG_CBZE;
	EXPECT(run, lab_do(LAB_VS, INSN_CSRRW(A2, CSR_SENVCFG, A0)));
	EXPECT_EQ(run, lab.x[A2], 0);
	EXPECT(run, lab_do(LAB_VS, INSN_CSRR(A2, CSR_SENVCFG)));
	EXPECT_EQ(run, lab_csr_read(CSR_SENVCFG, &lab.x[A3]) ? lab.x[A3] : 1, lab.x[A2]);
}

/* While V=1 the supervisor CSRs have no effect: a delegated exception goes to vstvec, SUM is that
 * of vsstatus, and tables are those of vsatp. */
static void hs_without_effect(struct suite_run *run)
{
	csr_write(hedeleg, BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_LOAD_PAGE));
	lab.with.sstatus = SSTATUS_SUM;
	lab_stage1(LAB_SUPER);
	csr_write(vstvec, lab_va(LAB_HANDLER));
	lab_stage1_leaf(LAB_DATA, LAB_SUPER | PTE_U);
	lab.x[A0] = lab_va(LAB_DATA);
	(void)lab_do(LAB_VS, INSN_LD(A2, 0, A0));
	EXPECT_EQ(run, lab.pc, lab_va(LAB_HANDLER));
	EXPECT_EQ(run, csr_read(vscause), CAUSE_LOAD_PAGE);
	lab.with.sstatus = 0;
	csr_write(vsstatus, SSTATUS_SUM);
	EXPECT(run, lab_do(LAB_VS, INSN_LD(A2, 0, A0)));
	/* Their values are kept: lab_run() wrote them before, and HS-mode reads them afterwards. */
	lab.with.sstatus = SSTATUS_MXR | SSTATUS_SUM;
	csr_write(vsstatus, 0);
	EXPECT(run, lab_do(LAB_VS, INSN_CSRRW(A2, CSR_SSTATUS, A1)));
	EXPECT_EQ(run, lab.sstatus & (SSTATUS_MXR | SSTATUS_SUM), SSTATUS_MXR | SSTATUS_SUM);
}

/* While V=0 the VS CSRs have no effect. */
static void vs_without_effect(struct suite_run *run)
{
	csr_write(vsatp, FIELD_PREP(ATP_MODE, ATP_SV39) | 0x12345);
	csr_write(vstvec, 0x1000);
	csr_write(vsepc, 0x2000);
	csr_write(vsscratch, UINT64_MAX);
	csr_write(vscause, 13);
	csr_write(vstval, 0x3000);
	csr_write(vsstatus, SSTATUS_SIE | SSTATUS_SUM | SSTATUS_MXR);
	lab_fence();
	lab.x[A0] = lab_host(LAB_DATA);
	*(uint64_t *)lab_ptr(LAB_DATA) = 0x1122334455667788;
	EXPECT(run, lab_do(LAB_HS, INSN_LD(A2, 0, A0)));
	EXPECT_EQ(run, lab.x[A2], 0x1122334455667788);
	EXPECT(run, lab_do(LAB_U, INSN_LD(A2, 0, A0)));
	EXPECT_EQ(run, csr_read(vsepc), 0x2000);
	EXPECT_EQ(run, csr_read(vscause), 13);
	EXPECT_EQ(run, csr_read(vstval), 0x3000);
	EXPECT_EQ(run, csr_read(vsscratch), UINT64_MAX);
	EXPECT_EQ(run, csr_read(vsstatus) & SSTATUS_SIE, SSTATUS_SIE);
	/* HS-level interrupts that vsie enables are not VS-mode's while V=0. */
	csr_write(hideleg, VS_INTERRUPTS);
	csr_write(hie, VS_INTERRUPTS);
	csr_write(hvip, VS_INTERRUPTS);
	EXPECT(run, lab_do(LAB_HS, INSN_LD(A2, 0, A0)));
	EXPECT(run, lab_do(LAB_U, INSN_LD(A2, 0, A0)));
}

/* --- the registers themselves --- */

/* Both hold the same values. */
static void same_values(struct suite_run *run, const char *name, unsigned s, unsigned vs)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		3,
		0x1000,
		0x1003,
		UINT64_C(0x7fffffffff),
		UINT64_C(0x8000000000000001),
		UINT64_C(0x8000000000000005),
		UINT64_C(0x0123456789abcdee),
		UINT64_C(0xffffffc000000000),
		UINT64_MAX,
		13,
		15,
		20,
		22,
		23,
	};

	for (size_t i = 0; i < MM_ARRAY_SIZE(values); i++) {
		LAB_CODE_OF(LAB_CODE, INSN_CSRW(s, A0), INSN_CSRR(A1, s), INSN_CSRW(vs, A0),
		            INSN_CSRR(A2, vs), INSN_EBREAK);
		lab.x[A0] = values[i];
		lab_run(LAB_HS, lab_host(LAB_CODE));
		EXPECT_EQ(run, lab.scause, CAUSE_BREAKPOINT);
		lab_expect(run, name, "the VS CSR and the supervisor CSR", lab.x[A2], lab.x[A1]);
	}
}

static void vsepc(struct suite_run *run)
{
	same_values(run, "vsepc", CSR_SEPC, CSR_VSEPC);
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSEPC, 0x12345679) & 1, 0);
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSEPC, 0x1234567c), 0x1234567c);
	lab_choice("VSEPC_WARL", lab_csr_try(run, CSR_VSEPC, UINT64_MAX));
}

static void vscause(struct suite_run *run)
{
	same_values(run, "vscause", CSR_SCAUSE, CSR_VSCAUSE);
	for (uint64_t i = 0; i < 16; i++) {
		EXPECT_EQ(run, lab_csr_try(run, CSR_VSCAUSE, i), i);
		EXPECT_EQ(run, lab_csr_try(run, CSR_VSCAUSE, i | SCAUSE_INTERRUPT),
		          i | SCAUSE_INTERRUPT);
	}
	lab_choice("VSCAUSE_WLRL", lab_csr_try(run, CSR_VSCAUSE, UINT64_MAX));
}

static void vstval(struct suite_run *run)
{
	same_values(run, "vstval", CSR_STVAL, CSR_VSTVAL);
	/* All valid virtual addresses. */
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSTVAL, UINT64_C(0x3fffffffff)),
	          UINT64_C(0x3fffffffff));
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSTVAL, 0), 0);
	lab_choice("VSTVAL_WARL", lab_csr_try(run, CSR_VSTVAL, UINT64_MAX));
}

static void vsscratch(struct suite_run *run)
{
	for (unsigned bit = 0; bit < 64; bit++)
		EXPECT_EQ(run, lab_csr_try(run, CSR_VSSCRATCH, BIT(bit)), BIT(bit));
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSSCRATCH, UINT64_MAX), UINT64_MAX);
}

static void vstvec(struct suite_run *run)
{
	uint64_t modes = 0, base;

	for (uint64_t mode = 0; mode < 4; mode++) {
		uint64_t value = lab_csr_try(run, CSR_VSTVEC, lab_at(LAB_HANDLER) | mode);

		EXPECT(run, (value & 3) < 2);
		/* An implementation may align the base further in vectored mode, and may ignore a
		 * write of a reserved mode. */
		if (mode == 0)
			EXPECT_EQ(run, value, lab_at(LAB_HANDLER));
		modes |= BIT(value & 3);
	}
	base = lab_csr_try(run, CSR_VSTVEC, UINT64_MAX & ~UINT64_C(3));
	/* stvec holds the same. */
	LAB_CODE_OF(LAB_CODE, INSN_CSRR(A3, CSR_STVEC), INSN_CSRW(CSR_STVEC, A0),
	            INSN_CSRR(A1, CSR_STVEC), INSN_CSRW(CSR_STVEC, A3), INSN_EBREAK);
	lab.x[A0] = UINT64_MAX & ~UINT64_C(3);
	lab_run(LAB_HS, lab_host(LAB_CODE));
	EXPECT_EQ(run, lab.x[A1], base);
	lab_choice("VSTVEC_MODE_WARL", modes);
	lab_choice("VSTVEC_BASE_WARL", base);
}

static void vsstatus(struct suite_run *run)
{
	static const uint64_t bits[] = {SSTATUS_SIE, SSTATUS_SPIE, SSTATUS_SPP, SSTATUS_SUM,
	                                SSTATUS_MXR};

	for (size_t i = 0; i < MM_ARRAY_SIZE(bits); i++) {
		uint64_t value = lab_csr_try(run, CSR_VSSTATUS, bits[i]);

		for (size_t k = 0; k < MM_ARRAY_SIZE(bits); k++)
			EXPECT_EQ(run, value & bits[k], i == k ? bits[k] : 0);
	}
}

static void vsstatus_summary(struct suite_run *run)
{
	/* XS and SD are read-only. SD is FS == 3, VS == 3 or XS == 3. */
	for (uint64_t fs = 0; fs < 4; fs++) {
		uint64_t value = lab_csr_try(run, CSR_VSSTATUS, FIELD_PREP(SSTATUS_FS, fs));
		bool dirty = FIELD_GET(SSTATUS_FS, value) == 3 || FIELD_GET(SSTATUS_XS, value) == 3;

		EXPECT_EQ(run, (value & SSTATUS_SD) != 0, dirty);
	}
	EXPECT_EQ(run,
	          lab_csr_try(run, CSR_VSSTATUS, SSTATUS_XS | SSTATUS_SD) &
	                  (SSTATUS_XS | SSTATUS_SD),
	          0);
}

static void vsstatus_uxl(struct suite_run *run)
{
	uint64_t held = 0;

	for (uint64_t i = 0; i < 4; i++) {
		uint64_t uxl = FIELD_GET(
			SSTATUS_UXL, lab_csr_try(run, CSR_VSSTATUS, FIELD_PREP(SSTATUS_UXL, i)));

		EXPECT(run, uxl >= 1 && uxl <= 3);
		held |= BIT(uxl);
	}
	EXPECT(run, (held & BIT(2)) != 0);
	(void)lab_csr_try(run, CSR_VSSTATUS, FIELD_PREP(SSTATUS_UXL, 2));
	lab.x[A0] = 3;
	EXPECT(run, lab_do(LAB_VU, INSN_I(63, A0, 1, A0, 0x13)));
	EXPECT_EQ(run, lab.x[A0], BIT(63));
	lab_choice("VSSTATUS_UXL_WARL", held);
}

#define WORD         UINT64_C(0x0102030405060708)
#define WORD_SWAPPED UINT64_C(0x0807060504030201)

/* VSBE: the order of bytes of VS-mode's loads. */
static void endianness(struct suite_run *run)
{
	uint64_t value = WORD;
	bool vsbe;

	*(uint64_t *)lab_ptr(LAB_DATA) = value;
	LAB_CODE_OF(LAB_CODE, INSN_CSRW(CSR_HSTATUS, A1), INSN_CSRR(A2, CSR_HSTATUS), INSN_EBREAK);
	lab.x[A1] = lab.with.hstatus | HSTATUS_VSBE;
	lab_run(LAB_HS, lab_host(LAB_CODE));
	vsbe = (lab.x[A2] & HSTATUS_VSBE) != 0;
	lab.with.hstatus |= HSTATUS_VSBE;
	lab.x[A0] = lab_at(LAB_DATA);
	EXPECT(run, lab_do(LAB_VS, INSN_LD(A2, 0, A0)));
	EXPECT_EQ(run, lab.x[A2], vsbe ? WORD_SWAPPED : value);
	lab.with.hstatus &= ~HSTATUS_VSBE;
	EXPECT(run, lab_do(LAB_VS, INSN_LD(A2, 0, A0)));
	EXPECT_EQ(run, lab.x[A2], value);
	lab_choice("HSTATUS_VSBE_WARL", vsbe);
}

/* vsstatus.UBE: that of VU-mode's loads. */
static void endianness_user(struct suite_run *run)
{
	uint64_t value = WORD;
	bool ube;

	*(uint64_t *)lab_ptr(LAB_DATA) = value;
	ube = (lab_csr_try(run, CSR_VSSTATUS, SSTATUS_UBE) & SSTATUS_UBE) != 0;
	lab.x[A0] = lab_at(LAB_DATA);
	EXPECT(run, lab_do(LAB_VU, INSN_LD(A2, 0, A0)));
	EXPECT_EQ(run, lab.x[A2], ube ? WORD_SWAPPED : value);
	csr_write(vsstatus, 0);
	EXPECT(run, lab_do(LAB_VU, INSN_LD(A2, 0, A0)));
	EXPECT_EQ(run, lab.x[A2], value);
	lab_choice("VSSTATUS_UBE", ube);
}

/* --- vsip, vsie --- */

static void interrupt_aliases(struct suite_run *run)
{
	static const uint64_t bits[] = {INTERRUPT_VS_SOFTWARE, INTERRUPT_VS_TIMER,
	                                INTERRUPT_VS_EXTERNAL};

	for (size_t i = 0; i < MM_ARRAY_SIZE(bits); i++) {
		uint64_t bit = bits[i], s = bit >> 1;

		/* Not delegated: read-only zeros. */
		csr_write(hideleg, VS_INTERRUPTS & ~bit);
		csr_write(hie, VS_INTERRUPTS);
		csr_write(hvip, VS_INTERRUPTS);
		EXPECT_EQ(run, csr_read(vsie) & S_INTERRUPTS, S_INTERRUPTS & ~s);
		EXPECT_EQ(run, csr_read(vsip) & S_INTERRUPTS, S_INTERRUPTS & ~s);
		csr_write(vsie, 0);
		EXPECT_EQ(run, csr_read(hie) & VS_INTERRUPTS, bit);
		csr_write(hie, 0);
		csr_write(vsie, UINT64_MAX);
		EXPECT_EQ(run, csr_read(hie) & VS_INTERRUPTS, VS_INTERRUPTS & ~bit);
		/* Delegated: aliases of hip and hie. */
		csr_write(hideleg, bit);
		csr_write(hie, 0);
		csr_write(hvip, 0);
		EXPECT_EQ(run, csr_read(vsip) & S_INTERRUPTS, 0);
		csr_write(hvip, bit);
		EXPECT_EQ(run, csr_read(vsip) & S_INTERRUPTS, s);
		csr_write(vsie, s);
		EXPECT_EQ(run, csr_read(hie) & VS_INTERRUPTS, bit);
		csr_write(hie, 0);
		EXPECT_EQ(run, csr_read(vsie) & S_INTERRUPTS, 0);
		csr_write(hvip, 0);
	}
	/* Only SSIP is writable in vsip. */
	csr_write(hideleg, VS_INTERRUPTS);
	csr_write(vsip, UINT64_MAX);
	EXPECT_EQ(run, csr_read(vsip) & S_INTERRUPTS, INTERRUPT_SOFTWARE);
	EXPECT_EQ(run, csr_read(hvip) & VS_INTERRUPTS, INTERRUPT_VS_SOFTWARE);
	csr_write(vsip, 0);
	EXPECT_EQ(run, csr_read(hvip) & VS_INTERRUPTS, 0);
	csr_write(hvip, 0);
}

static void interrupt_bits(struct suite_run *run)
{
	uint64_t ip, ie;

	csr_write(hideleg, UINT64_MAX);
	csr_write(vsie, UINT64_MAX);
	ie = csr_read(vsie);
	EXPECT_EQ(run, ie & S_INTERRUPTS, S_INTERRUPTS);
	csr_write(vsie, 0);
	EXPECT_EQ(run, csr_read(vsie), 0);
	csr_write(hvip, UINT64_MAX);
	ip = csr_read(vsip);
	EXPECT_EQ(run, ip & S_INTERRUPTS, S_INTERRUPTS);
	csr_write(hvip, 0);
	EXPECT_EQ(run, csr_read(vsip), 0);
	/* LCOFI is there if hideleg bit 13 is. */
	if ((csr_read(hideleg) & BIT(13)) == 0) {
		EXPECT_EQ(run, (ip | ie) & BIT(13), 0);
	} else {
		csr_write(vsie, BIT(13));
		EXPECT_EQ(run, csr_read(sie) & BIT(13), BIT(13));
		csr_write(sie, INTERRUPT_TIMER);
		EXPECT_EQ(run, csr_read(vsie) & BIT(13), 0);
	}
	lab_choice("VSIP_WARL", ip);
	lab_choice("VSIE_WARL", ie);
}

/* --- vsatp --- */

static void vsatp_fields(struct suite_run *run)
{
	uint64_t modes = 0, asid, ppn;

	for (uint64_t mode = ATP_SV39; mode <= ATP_SV57; mode++) {
		uint64_t value = lab_csr_try(run, CSR_VSATP, FIELD_PREP(ATP_MODE, mode));

		if (FIELD_GET(ATP_MODE, value) == mode)
			modes |= BIT(mode);
	}
	EXPECT(run, (modes & BIT(ATP_SV39)) != 0);
	EXPECT_EQ(run, lab_csr_try(run, CSR_VSATP, 0), 0);
	asid = FIELD_GET(SATP_ASID,
	                 lab_csr_try(run, CSR_VSATP, FIELD_PREP(ATP_MODE, ATP_SV39) | SATP_ASID));
	EXPECT_EQ(run, asid & (asid + 1), 0);
	/* The PPN of a guest-physical address, of which the G-stage has at least 41 bits. */
	ppn = FIELD_GET(ATP_PPN,
	                lab_csr_try(run, CSR_VSATP, FIELD_PREP(ATP_MODE, ATP_SV39) | ATP_PPN));
	EXPECT_EQ(run, ppn & (ppn + 1), 0);
	EXPECT_EQ(run, ppn, ATP_PPN);
	lab_choice("vsatp.modes", modes);
}

/* A mode that does not exist: the write is ignored, or the fields are WARL. */
static void vsatp_reserved_v0(struct suite_run *run)
{
	uint64_t before = FIELD_PREP(ATP_MODE, ATP_SV39) | 0x1234;
	bool ignored = true;

	for (uint64_t mode = 1; mode < 16; mode++) {
		uint64_t value;

		if (mode >= ATP_SV39 && mode <= ATP_SV57)
			continue;
		EXPECT_EQ(run, lab_csr_try(run, CSR_VSATP, before), before);
		value = lab_csr_try(run, CSR_VSATP, FIELD_PREP(ATP_MODE, mode) | 0x4321);
		EXPECT(run, FIELD_GET(ATP_MODE, value) != mode);
		ignored = ignored && value == before;
	}
	lab_choice("VSATP_MODE_UNSUPPORTED_V0_WARL", !ignored);
}

/* In VS-mode such a write is ignored. */
static void vsatp_reserved_v1(struct suite_run *run)
{
	uint64_t before;

	lab_stage1(LAB_SUPER);
	before = csr_read(vsatp);
	for (uint64_t mode = 1; mode < 16; mode++) {
		if (mode >= ATP_SV39 && mode <= ATP_SV57)
			continue;
		lab.x[A0] = FIELD_PREP(ATP_MODE, mode) | (before & ATP_PPN) | SATP_ASID;
		EXPECT(run, lab_do(LAB_VS, INSN_CSRW(CSR_SATP, A0)));
		EXPECT_EQ(run, csr_read(vsatp), before);
		csr_write(vsatp, before);
	}
}

static const struct suite_case cases[] = {
	LAB_CASE("vs.substitute", substitute,
                 "H_vscsrs_sub vsstatus_acc vsstatus_op vstvec_acc vstvec_op vsscratch_acc "
                 "vsscratch_op vspec_acc vscause_acc vstval_acc vsatp_acc"),
	LAB_CASE("vs.substitute.interrupts", substitute_interrupts,
                 "H_vscsrs_sub vsip_vsie_acc vsip_vsie_op vsip_vsie_ssi"),
	LAB_CASE("vs.no-match", no_match, "H_scsrs_nomatch"),
	LAB_CASE("vs.hs-without-effect", hs_without_effect, "H_vscsrs_v1 vsstatus_op vsatp_op"),
	LAB_CASE("vs.without-effect", vs_without_effect,
                 "H_vscsrs_v0 vsstatus_v0 vsatp_v0 vstvec_op vspec_op vscause_op vstval_op "
                 "vsscratch_op"),
	LAB_CASE("vs.vsepc", vsepc, "vspec_sz vspec_op VSEPC_WARL"),
	LAB_CASE("vs.vscause", vscause, "vscause_sz vscause_op VSCAUSE_WLRL"),
	LAB_CASE("vs.vstval", vstval, "vstval_sz vstval_op VSTVAL_WARL"),
	LAB_CASE("vs.vsscratch", vsscratch, "vsscratch_sz vsscratch_op"),
	LAB_CASE("vs.vstvec", vstvec, "vstvec_sz VSTVEC_MODE_WARL VSTVEC_BASE_WARL"),
	LAB_CASE("vs.vsstatus", vsstatus, "vsstatus_sz vsstatus_acc"),
	LAB_CASE("vs.vsstatus.summary", vsstatus_summary, "vsstatus_sd_xs_op"),
	LAB_CASE("vs.vsstatus.uxl", vsstatus_uxl, "vsstatus_uxl_op VSSTATUS_UXL_WARL"),
	LAB_CASE("vs.endianness", endianness, "hstatus_vsbe_op HSTATUS_VSBE_WARL"),
	LAB_CASE("vs.endianness.user", endianness_user, "VSSTATUS_UBE"),
	LAB_CASE("vs.vsip.aliases", interrupt_aliases,
                 "vsip_vsie_sei vsip_vsie_sti vsip_vsie_ssi vsip_vsie_acc hip_acc hie_acc"),
	LAB_CASE("vs.vsip.bits", interrupt_bits,
                 "vsip_vsie_sz VSIP_WARL VSIE_WARL vsip_vsie_lcofi"),
	LAB_CASE("vs.vsatp", vsatp_fields, "vsatp_sz vsatp_acc vsatp_ppn_sv39_sv48_sv57_sz"),
	LAB_CASE("vs.vsatp.reserved.v0", vsatp_reserved_v0,
                 "vsatp_mode_unsupported_v0 VSATP_MODE_UNSUPPORTED_V0_WARL"),
	LAB_CASE("vs.vsatp.reserved.v1", vsatp_reserved_v1, "vsatp_mode_unsupported_v1"),
};

const struct suite_subject suite_rules_vs = {
	.name = "rules_vs",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
