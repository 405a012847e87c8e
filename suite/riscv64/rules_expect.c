/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The laboratory's checks of a trap into HS-mode: every register that it writes (8.6.2, 8.6.3), and
 * the values that the manual permits for each of them.
 */
#include "log.h"
#include "suite/riscv64/rules_lab.h"

#define NO_GPA UINT64_MAX

struct expected {
	uint64_t cause, pc, stval;
	uint64_t gpa;     /* NO_GPA: no guest-page fault */
	uint32_t insn;    /* of a load or store, or LAB_WALK, LAB_WALK_WRITE */
	bool may_be_zero; /* stval */
};

bool lab_expect(struct suite_run *run, const char *name, const char *what, uint64_t got,
                uint64_t expected)
{
	return got == expected || suite_fail(run, "%s: %s: expected 0x%" PRIx64 ", got 0x%" PRIx64,
	                                     name, what, expected, got);
}

void lab_choice(const char *rule, uint64_t value)
{
	log_line(LOG_INFO, "choice %s=0x%" PRIx64, rule, value);
}

/* --- htinst (8.6.3) --- */

/* The transformation of a load, store, atomic or virtual-machine load or store. `distance`: from
 * the first byte of the access to the byte that faulted. */
static uint32_t transformed(uint32_t insn, uint64_t distance)
{
	uint32_t opcode = insn & 0x7f, rs1 = UINT32_C(31) << 15;

	switch (opcode) {
	case 0x03: /* loads: funct3, rd */
		insn &= UINT32_C(0x7fff);
		break;
	case 0x23: /* stores: rs2, funct3 */
		insn &= UINT32_C(0x1f0707f);
		break;
	default: /* all fields but rs1 */
		insn &= ~rs1;
		break;
	}
	insn |= (uint32_t)distance << 15;
	return lab.compressed ? insn & ~UINT32_C(2) : insn;
}

static void expect_htinst(struct suite_run *run, const char *name, const struct expected *e)
{
	uint64_t distance = lab.first_byte == 0 ? 0 : e->stval - lab.first_byte;

	if (e->insn == LAB_WALK || e->insn == LAB_WALK_WRITE) {
		/* Zero only if htval is zero, too. */
		if (lab.htinst != 0 || lab.htval != 0)
			lab_expect(run, name, "htinst", lab.htinst, e->insn);
	} else if (lab.htinst != 0 && e->insn != 0) {
		lab_expect(run, name, "htinst", lab.htinst, transformed(e->insn, distance));
	} else {
		lab_expect(run, name, "htinst", lab.htinst, 0);
	}
}

/* --- hstatus.GVA (8.2.1) --- */

/* Does this cause write an address to stval? */
static bool writes_address(uint64_t cause)
{
	const uint64_t causes =
		BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_FETCH_ACCESS) | BIT(CAUSE_BREAKPOINT) |
		BIT(CAUSE_LOAD_MISALIGNED) | BIT(CAUSE_LOAD_ACCESS) | BIT(CAUSE_STORE_MISALIGNED) |
		BIT(CAUSE_STORE_ACCESS) | BIT(CAUSE_FETCH_PAGE) | BIT(CAUSE_LOAD_PAGE) |
		BIT(CAUSE_STORE_PAGE) | BIT(CAUSE_FETCH_GUEST_PAGE) | BIT(CAUSE_LOAD_GUEST_PAGE) |
		BIT(CAUSE_STORE_GUEST_PAGE);

	return cause < 64 && (causes >> cause & 1) != 0;
}

/* --- a trap --- */

/* Firmware takes these traps in M-mode first, to emulate the instruction, and passes on to HS-mode
 * what it cannot emulate. It may leave htval, htinst and GVA as they are. */
static bool comes_from_firmware(uint64_t cause)
{
	return cause == CAUSE_ILLEGAL || cause == CAUSE_FETCH_ACCESS ||
	       cause == CAUSE_LOAD_ACCESS || cause == CAUSE_STORE_ACCESS ||
	       cause == CAUSE_LOAD_MISALIGNED || cause == CAUSE_STORE_MISALIGNED;
}

static void expect_status(struct suite_run *run, const char *name, const struct expected *e)
{
	bool v = lab.mode == LAB_VS || lab.mode == LAB_VU;
	bool supervisor = lab.mode == LAB_VS || lab.mode == LAB_HS;
	bool guest_address = writes_address(e->cause) && (v || lab.as_guest);
	uint64_t before = lab.hstatus_before;

	lab_expect(run, name, "hstatus.SPV", (lab.hstatus & HSTATUS_SPV) != 0, v);
	lab_expect(run, name, "sstatus.SPP", (lab.sstatus & SSTATUS_SPP) != 0, supervisor);
	lab_expect(run, name, "hstatus.SPVP", (lab.hstatus & HSTATUS_SPVP) != 0,
	           v ? supervisor : (before & HSTATUS_SPVP) != 0);
	/* A breakpoint may write 0 to stval. */
	if ((e->cause != CAUSE_BREAKPOINT || lab.stval != 0) && !comes_from_firmware(e->cause))
		lab_expect(run, name, "hstatus.GVA", (lab.hstatus & HSTATUS_GVA) != 0,
		           guest_address);
	lab_expect(run, name, "sstatus.SIE", (lab.sstatus & SSTATUS_SIE) != 0, false);
	lab_expect(run, name, "sstatus.SPIE", (lab.sstatus & SSTATUS_SPIE) != 0,
	           (lab.sstatus_before & SSTATUS_SPIE) != 0);
}

static void expect_second_values(struct suite_run *run, const char *name, const struct expected *e)
{
	if (e->gpa == NO_GPA || lab.htval != 0)
		lab_expect(run, name, "htval", lab.htval, e->gpa == NO_GPA ? 0 : e->gpa >> 2);
	expect_htinst(run, name, e);
}

static void expect_all(struct suite_run *run, const char *name, const struct expected *e)
{
	if (lab_expect(run, name, "scause", lab.scause, e->cause)) {
		lab_expect(run, name, "sepc", lab.pc, e->pc);
		if (!e->may_be_zero || lab.stval != 0)
			lab_expect(run, name, "stval", lab.stval, e->stval);
		if (!comes_from_firmware(e->cause))
			expect_second_values(run, name, e);
		expect_status(run, name, e);
	}
	lab.compressed = false;
	lab.first_byte = 0;
}

void lab_expect_named(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                      uint64_t stval)
{
	const struct expected e = {
		.cause = cause,
		.pc = pc,
		.stval = stval,
		.gpa = NO_GPA,
		/* 4.1.9: EBREAK may write 0. */
		.may_be_zero = cause == CAUSE_BREAKPOINT,
	};

	expect_all(run, name, &e);
}

void lab_expect_trap(struct suite_run *run, uint64_t cause, uint64_t pc, uint64_t stval)
{
	lab_expect_named(run, "trap", cause, pc, stval);
}

void lab_expect_insn_trap(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                          uint32_t insn)
{
	const struct expected e = {
		.cause = cause, .pc = pc, .stval = insn, .gpa = NO_GPA, .may_be_zero = true};

	expect_all(run, name, &e);
}

void lab_expect_page_fault(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                           uint64_t stval, uint32_t insn)
{
	const struct expected e = {
		.cause = cause, .pc = pc, .stval = stval, .gpa = NO_GPA, .insn = insn};

	expect_all(run, name, &e);
}

void lab_expect_guest_fault(struct suite_run *run, const char *name, uint64_t cause, uint64_t pc,
                            uint64_t stval, uint64_t gpa, uint32_t insn)
{
	const struct expected e = {
		.cause = cause, .pc = pc, .stval = stval, .gpa = gpa, .insn = insn};

	expect_all(run, name, &e);
}
