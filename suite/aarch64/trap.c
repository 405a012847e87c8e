/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every system register that a guest may not use is undefined for it, and every one that it may use
 * works: register by register, by its encoding (Arm ARM, DDI 0487, D17). A register of a feature
 * that the CPU does not have is undefined as well, so the rows need no features.
 */
#include "kernel/string.h"
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"

enum kind {
	HIDDEN,    /* a read and a write are undefined */
	HIDDEN_RO, /* the register has no write; a read is undefined */
	HIDDEN_WO,
	ZERO,    /* a read gives 0; a write has no effect */
	ZERO_RO, /* the same, without writes */
	ZERO_WO,
	FREE,   /* a read gives any value */
	SAME,   /* a read gives the value that the hypervisor reads */
	EITHER, /* hardware decides whether the register is undefined or has a constant */
	ENABLE, /* CPACR_EL1: a write of CPACR_ON */
	CYCLES, /* a read gives a value that is not 0; a write is undefined */
};

struct row {
	uint32_t reg; /* NOTHING ends a group */
	enum kind kind;
	uint64_t (*read)(void);
};

#define R(op0, op1, crn, crm, op2, kind)                                                           \
	{                                                                                          \
		(op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5, (kind), NULL    \
	}
#define S(op0, op1, crn, crm, op2, read)                                                           \
	{                                                                                          \
		(op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5, SAME, (read)    \
	}

SYSREG_READ(ctr_el0, "ctr_el0")
SYSREG_READ(dczid_el0, "dczid_el0")
SYSREG_READ(clidr_el1, "clidr_el1")
SYSREG_READ(aidr_el1, "aidr_el1")
SYSREG_READ(revidr_el1, "revidr_el1")
SYSREG_READ(midr_el1, "midr_el1")
SYSREG_READ(cntfrq_el0, "cntfrq_el0")

#define MOST_ROWS 24

static const struct group {
	const char *name;
	struct row rows[MOST_ROWS + 1];
} groups[] = {
	{"pmu", /* PMCR, PMCNTENSET, PMCNTENCLR, PMOVSCLR, PMSWINC, PMSELR, PMCEID0, PMCEID1,
                   PMCCNTR, PMXEVTYPER, PMXEVCNTR, PMUSERENR, PMOVSSET, PMINTENSET, PMINTENCLR,
                   PMCCFILTR, PMEVCNTR0, PMEVTYPER0 */
         {R(3, 3, 9, 12, 0, HIDDEN), R(3, 3, 9, 12, 1, HIDDEN), R(3, 3, 9, 12, 2, HIDDEN),
          R(3, 3, 9, 12, 3, HIDDEN), R(3, 3, 9, 12, 4, HIDDEN_WO), R(3, 3, 9, 12, 5, HIDDEN),
          R(3, 3, 9, 12, 6, HIDDEN_RO), R(3, 3, 9, 12, 7, HIDDEN_RO), R(3, 3, 9, 13, 0, CYCLES),
          R(3, 3, 9, 13, 1, HIDDEN), R(3, 3, 9, 13, 2, HIDDEN), R(3, 3, 9, 14, 0, HIDDEN),
          R(3, 3, 9, 14, 3, HIDDEN), R(3, 0, 9, 14, 1, HIDDEN), R(3, 0, 9, 14, 2, HIDDEN),
          R(3, 3, 14, 15, 7, HIDDEN), R(3, 3, 14, 8, 0, HIDDEN), R(3, 3, 14, 12, 0, HIDDEN)}},
	{"timer", /* CNTP_TVAL, CNTP_CTL, CNTP_CVAL, CNTPCT, CNTVCT, CNTFRQ */
         {R(3, 3, 14, 2, 0, HIDDEN), R(3, 3, 14, 2, 1, HIDDEN), R(3, 3, 14, 2, 2, HIDDEN),
          R(3, 3, 14, 0, 1, FREE), R(3, 3, 14, 0, 2, FREE), S(3, 3, 14, 0, 0, read_cntfrq_el0)}},
	{"gic", /* ICC_PMR, IAR0, EOIR0, HPPIR0, BPR0, AP0R0, AP1R0, DIR, RPR, SGI1R, ASGI1R,
                   SGI0R, IAR1, EOIR1, HPPIR1, BPR1, CTLR, SRE, IGRPEN0, IGRPEN1 */
         {R(3, 0, 4, 6, 0, HIDDEN),      R(3, 0, 12, 8, 0, HIDDEN_RO),
          R(3, 0, 12, 8, 1, HIDDEN_WO),  R(3, 0, 12, 8, 2, HIDDEN_RO),
          R(3, 0, 12, 8, 3, HIDDEN),     R(3, 0, 12, 8, 4, HIDDEN),
          R(3, 0, 12, 9, 0, HIDDEN),     R(3, 0, 12, 11, 1, HIDDEN_WO),
          R(3, 0, 12, 11, 3, HIDDEN_RO), R(3, 0, 12, 11, 5, HIDDEN_WO),
          R(3, 0, 12, 11, 6, HIDDEN_WO), R(3, 0, 12, 11, 7, HIDDEN_WO),
          R(3, 0, 12, 12, 0, HIDDEN_RO), R(3, 0, 12, 12, 1, HIDDEN_WO),
          R(3, 0, 12, 12, 2, HIDDEN_RO), R(3, 0, 12, 12, 3, HIDDEN),
          R(3, 0, 12, 12, 4, HIDDEN),    R(3, 0, 12, 12, 5, EITHER),
          R(3, 0, 12, 12, 6, HIDDEN),    R(3, 0, 12, 12, 7, HIDDEN)}},
	{"errors", /* ERRIDR, ERRSELR, ERXFR, ERXCTLR, ERXSTATUS, ERXADDR, ERXMISC0, ERXMISC1 */
         {R(3, 0, 5, 3, 0, HIDDEN_RO), R(3, 0, 5, 3, 1, HIDDEN), R(3, 0, 5, 4, 0, HIDDEN_RO),
          R(3, 0, 5, 4, 1, HIDDEN), R(3, 0, 5, 4, 2, HIDDEN), R(3, 0, 5, 4, 3, HIDDEN),
          R(3, 0, 5, 5, 0, HIDDEN), R(3, 0, 5, 5, 1, HIDDEN)}},
	{"ordering", /* LORSA, LOREA, LORN, LORC, LORID */
         {R(3, 0, 10, 4, 0, HIDDEN), R(3, 0, 10, 4, 1, HIDDEN), R(3, 0, 10, 4, 2, HIDDEN),
          R(3, 0, 10, 4, 3, HIDDEN), R(3, 0, 10, 4, 7, HIDDEN_RO)}},
	{"keys", /* APIA, APIB, APDA, APDB, APGA: low and high */
         {R(3, 0, 2, 1, 0, HIDDEN), R(3, 0, 2, 1, 1, HIDDEN), R(3, 0, 2, 1, 2, HIDDEN),
          R(3, 0, 2, 1, 3, HIDDEN), R(3, 0, 2, 2, 0, HIDDEN), R(3, 0, 2, 2, 1, HIDDEN),
          R(3, 0, 2, 2, 2, HIDDEN), R(3, 0, 2, 2, 3, HIDDEN), R(3, 0, 2, 3, 0, HIDDEN),
          R(3, 0, 2, 3, 1, HIDDEN)}},
	{"vectors", /* ZCR, SMCR, SVCR, with CPACR_EL1.ZEN and SMEN */
         {R(3, 0, 1, 0, 2, ENABLE), R(3, 0, 1, 2, 0, HIDDEN), R(3, 0, 1, 2, 6, HIDDEN),
          R(3, 3, 4, 2, 2, HIDDEN)}},
	{"tags", /* RGSR, GCR, TFSR, TFSRE0 */
         {R(3, 0, 1, 0, 5, HIDDEN), R(3, 0, 1, 0, 6, HIDDEN), R(3, 0, 5, 6, 0, HIDDEN),
          R(3, 0, 5, 6, 1, HIDDEN)}},
	{"debug", /* MDSCR, DBGBVR0, DBGBCR0, DBGWVR0, DBGWCR0, MDCCINT, MDRAR, OSLAR, OSLSR,
                     OSDLR, DBGPRCR, DBGCLAIMSET, DBGCLAIMCLR, DBGAUTHSTATUS, MDCCSR */
         {R(2, 0, 0, 2, 2, ZERO), R(2, 0, 0, 0, 4, ZERO), R(2, 0, 0, 0, 5, ZERO),
          R(2, 0, 0, 0, 6, ZERO), R(2, 0, 0, 0, 7, ZERO), R(2, 0, 0, 2, 0, ZERO),
          R(2, 0, 1, 0, 0, ZERO_RO), R(2, 0, 1, 0, 4, ZERO_WO), R(2, 0, 1, 1, 4, ZERO_RO),
          R(2, 0, 1, 3, 4, ZERO), R(2, 3, 0, 1, 0, ZERO_RO)}},
	{"trace", /* TRCOSLAR, TRCPRGCTLR, TRFCR, BRBCR, PMSCR, PMBLIMITR, TRBLIMITR */
         {R(2, 1, 1, 0, 4, HIDDEN_WO), R(2, 1, 0, 1, 0, HIDDEN), R(3, 0, 1, 2, 1, HIDDEN),
          R(2, 1, 9, 0, 0, HIDDEN), R(3, 0, 9, 9, 0, HIDDEN), R(3, 0, 9, 10, 0, HIDDEN),
          R(3, 0, 9, 11, 0, HIDDEN)}},
	{"activity", /* AMCR, AMCFGR, AMCNTENCLR0 */
         {R(3, 3, 13, 2, 0, HIDDEN), R(3, 3, 13, 2, 1, HIDDEN_RO), R(3, 3, 13, 2, 4, HIDDEN)}},
	/* Of features whose ID register fields are hidden: TCR2, SCTLR2, PIR, POR, RCWMASK, GCSCR,
           ACCDATA */
	{"later",
         {R(3, 0, 2, 0, 3, HIDDEN), R(3, 0, 1, 0, 3, HIDDEN), R(3, 0, 10, 2, 3, HIDDEN),
          R(3, 0, 10, 2, 4, HIDDEN), R(3, 0, 13, 0, 6, HIDDEN), R(3, 0, 2, 5, 0, HIDDEN),
          R(3, 0, 13, 0, 5, HIDDEN)}},
	{"actlr", {R(3, 0, 1, 0, 1, HIDDEN)}},
	/* Reserved for implementations: CRn 11 and 15. Some exist on Arm's own CPUs. */
	{"implementation",
         {R(3, 1, 11, 0, 2, HIDDEN), R(3, 1, 11, 0, 3, HIDDEN), R(3, 1, 15, 0, 0, HIDDEN),
          R(3, 1, 15, 2, 0, HIDDEN), R(3, 1, 15, 2, 1, HIDDEN), R(3, 0, 15, 1, 0, HIDDEN),
          R(3, 0, 11, 0, 0, HIDDEN)}},
	/* DC ISW, CSW, CISW; TLBI IPAS2E1IS, ALLE1; AT S12E1R */
	{"instructions",
         {R(1, 0, 7, 6, 2, HIDDEN_WO), R(1, 0, 7, 10, 2, HIDDEN_WO), R(1, 0, 7, 14, 2, HIDDEN_WO),
          R(1, 4, 8, 0, 1, HIDDEN_WO), R(1, 4, 8, 7, 4, HIDDEN_WO), R(1, 4, 7, 8, 4, HIDDEN_WO)}},
	{"shown", /* ISR, CCSIDR */
         {S(3, 3, 0, 0, 1, read_ctr_el0), S(3, 3, 0, 0, 7, read_dczid_el0),
          S(3, 1, 0, 0, 1, read_clidr_el1), S(3, 1, 0, 0, 7, read_aidr_el1),
          S(3, 0, 0, 0, 6, read_revidr_el1), S(3, 0, 0, 0, 0, read_midr_el1),
          R(3, 0, 12, 1, 0, FREE), R(3, 1, 0, 0, 0, FREE)}},
};

/* --- an operation: 16 bytes of code at `at` --- */

#define CODE_BYTES 16
#define WRITTEN    UINT64_C(0xffffffff)
#define CPACR_ON   UINT64_C(0x3330000) /* SMEN, FPEN, ZEN */

static bool reads(enum kind kind)
{
	return kind != HIDDEN_WO && kind != ZERO_WO && kind != ENABLE;
}

static bool writes(enum kind kind)
{
	return kind == HIDDEN || kind == HIDDEN_WO || kind == ZERO || kind == ZERO_WO ||
	       kind == EITHER || kind == ENABLE || kind == CYCLES;
}

static bool undefined(enum kind kind, bool write)
{
	return kind == HIDDEN || kind == HIDDEN_RO || kind == HIDDEN_WO ||
	       (kind == CYCLES && write);
}

static struct arm_code code;

static void draft_access(struct suite_draft *d, const struct row *row, bool write)
{
	uint64_t at = ARM_CODE + d->op_count * CODE_BYTES;
	uint64_t value = row->kind == ENABLE ? CPACR_ON : WRITTEN;
	struct suite_op op = CALL_AT(at, value, write ? value : 0);

	if (row->kind == SAME)
		op.value = row->read();
	op.any_value = row->kind == FREE || row->kind == CYCLES || row->kind == EITHER;
	op.any_trap = row->kind == EITHER;
	if (undefined(row->kind, write)) {
		op.trap = AGENT_UNDEFINED;
		op.addr = at;
	}
	draft_op(d, op);
}

static void emit_access(const struct row *row, bool write)
{
	/* WRITTEN has more bits than any register; of most, no bit starts anything. */
	arm_emit(&code, (write ? ARM_MSR : ARM_MRS) | row->reg);
	arm_emit(&code, ARM_ISB);
	for (unsigned i = 2; i < CODE_BYTES / 4; i++)
		arm_emit(&code, ARM_RET);
}

/* In the order of the operations: all rows, reads, writes, and reads again. */
static void for_each_access(const struct group *group, struct suite_draft *d)
{
	for (const struct row *row = group->rows; row->reg != 0; row++) {
		for (unsigned pass = 0; pass < 3; pass++) {
			bool write = pass == 1;

			if (write ? !writes(row->kind) : !reads(row->kind))
				continue;
			if (pass == 2 && row->kind != ZERO)
				continue;
			if (d != NULL)
				draft_access(d, row, write);
			else
				emit_access(row, write);
		}
	}
}

static bool ready(struct suite_run *run)
{
	code.count = 0;
	for_each_access(run->c->data, NULL);
	return arm_place(run, run->vm, ARM_CODE, &code);
}

/* CPUs that have some of the registers of the group "implementation": Cortex-A53, A57 and A72, and
 * QEMU's `max`, whose implementer is 0. On the others nothing can trap, and the name ends with
 * "absent". */
static bool has_implementation(void)
{
	uint64_t implementer = FIELD_GET(GENMASK(31, 24), read_midr_el1());
	uint64_t part = FIELD_GET(GENMASK(15, 4), read_midr_el1());

	return implementer == 0 ||
	       (implementer == 0x41 && (part == 0xd03 || part == 0xd07 || part == 0xd08));
}

static const char *suffix(const char *group)
{
	return strcmp(group, "implementation") == 0 && !has_implementation() ? ".absent" : "";
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	if (index >= MM_ARRAY_SIZE(groups))
		return false;
	draft_name(d, "arm.trap.%s%s", groups[index].name, suffix(groups[index].name));
	draft_area(d, (struct suite_area)POPULATED(ARENA, 32 * PAGE, MM_RWX));
	for_each_access(&groups[index], d);
	d->c.data = &groups[index];
	d->c.ready = ready;
	return true;
}

/* --- the register that a trapped MRS or MSR names, and the next instruction --- */

ARM_PIECE(every_mrs);
ARM_PIECE(every_msr);
ARM_PIECE(next_pc);
ARM_PIECE(sve);
ARM_PIECE(ten_wfi);
ARM_PIECE(pauth);
ARM_PIECE(brk);
ARM_PIECE(cycles);

SYSREG_READ(id_aa64isar0_el1, "id_aa64isar0_el1")

#define WORDS     32
#define PATTERN   UINT64_C(0x1111111)
#define ISAR0_TME GENMASK(27, 24)

static bool read_words(struct suite_run *run, uint64_t words[WORDS])
{
	if (mm_aspace_read(&run->vm->as, mm_gpa_at(ARM_DATA), words, WORDS * sizeof(*words)) ==
	    MM_OK)
		return true;
	return suite_fail(run, "no results");
}

/* Each register received the value; the zero register's MRS changed none. */
static bool verify_mrs(struct suite_run *run)
{
	uint64_t words[WORDS], expected = read_id_aa64isar0_el1() & ~ISAR0_TME;

	if (!read_words(run, words))
		return false;
	for (unsigned i = 0; i < 31; i++) {
		if (words[i] != expected)
			suite_fail(run, "mrs x%u: 0x%" PRIx64 ", not 0x%" PRIx64, i, words[i],
			           expected);
	}
	return run->complaints == 0;
}

static bool verify_msr(struct suite_run *run)
{
	uint64_t words[WORDS];

	if (!read_words(run, words))
		return false;
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t expected = i == 31 ? 0 : PATTERN * (i + 1) & UINT32_MAX;

		if (words[i] != expected)
			suite_fail(run, "msr x%u: 0x%" PRIx64 ", not 0x%" PRIx64, i, words[i],
			           expected);
	}
	return run->complaints == 0;
}

/* A WFI without a pending interrupt exits, so that other vCPUs can run. The CPU may complete one
 * for its own reasons, but not all of them. */
static void run_wfi(struct suite_run *run, const void *data)
{
	static struct vm vm;
	struct vm *const vms[] = {&vm};
	unsigned halts;

	(void)data;
	if (!arm_make_moving(run, &vm, ten_wfi))
		return;
	if (arm_run_moving(run, vms, 1, 1, &halts)) {
		arm_compare_moving(run, &vm);
		if (halts == 0)
			suite_fail(run, "no WFI of 10 exits");
	}
	(void)vm_destroy(&vm);
}

static const struct suite_case cases[] = {
	{
		.name = "arm.trap.wfi",
		.run = run_wfi,
	},
	{
		.name = "arm.trap.every-register.read",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0)),
		.data = &every_mrs,
		.ready = arm_ready,
		.verify = verify_mrs,
	},
	{
		.name = "arm.trap.every-register.written",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, ARM_DATA, 0)),
		.data = &every_msr,
		.ready = arm_ready,
		.verify = verify_msr,
	},
	{
		/* A bit for each instruction that was executed once. */
		.name = "arm.trap.next-instruction",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, 0, 0x3f)),
		.data = &next_pc,
		.ready = arm_ready,
	},
	{
		.name = "arm.trap.sve",
		.areas = ARM_AREAS,
		.script = SCRIPT({OP(CALL_AT, .addr = ARM_CODE), .trap = AGENT_UNDEFINED,
                                  .addr = ARM_CODE + 12}),
		.data = &sve,
		.ready = arm_ready,
	},
	{
		.name = "arm.trap.cycles",
		.feature = "pmu",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, 0, 1)),
		.data = &cycles,
		.ready = arm_ready,
	},
	{
		/* Debug exceptions are the guest's own. */
		.name = "arm.trap.brk",
		.areas = ARM_AREAS,
		.script = SCRIPT({OP(CALL_AT, .addr = ARM_CODE), .trap = AGENT_DEBUG}),
		.data = &brk,
		.ready = arm_ready,
	},
	{
		/* PACGA: undefined, with the feature and without it. */
		.name = "arm.trap.pauth",
		.areas = ARM_AREAS,
		.script = SCRIPT(
			{OP(CALL_AT, .addr = ARM_CODE), .trap = AGENT_UNDEFINED, .addr = ARM_CODE}),
		.data = &pauth,
		.ready = arm_ready,
	},
};

const struct suite_subject suite_arm_trap = {
	.name = "arm.trap",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "arm.trap.",
};
