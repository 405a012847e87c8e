/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traps of a guest, from VS and from VU. Each row is an instruction and what it does: nothing, an
 * exception that the guest's own handler takes, or an exit with exact contents. The case answers an
 * exit with an injected exception, or completes it. The guest's handler then reads what the
 * exception has left. It returns with sret, and the guest continues in the same mode behind the
 * instruction.
 */
#include "machine/riscv64/trap.h"
#include "machine.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/isa.h"
#include "suite/payload.h"
#include "suite/riscv64/bare.h"
#include "suite/riscv64/filter.h"

enum effect {
	NONE,      /* it is executed */
	OWN,       /* the guest takes an exception: `cause` */
	UNDEFINED, /* an exit of kind VM_EXIT_UNDEFINED or VM_EXIT_SYSREG, answered by an injected
	              illegal-instruction exception; or the guest takes that at once */
	SYSREG,    /* an exit of kind VM_EXIT_SYSREG with these contents */
	HALT,      /* an exit of kind VM_EXIT_HALT */
};

enum mode {
	VS,
	VU,
	BOTH,
};

struct row {
	const char *name;
	uint32_t insn;
	enum mode mode;
	enum effect effect;
	unsigned cause;      /* OWN */
	unsigned reg;        /* SYSREG: the CSR */
	unsigned gpr;        /* SYSREG: rd */
	bool write;          /* SYSREG */
	uint64_t value;      /* SYSREG, if write */
	uint64_t scounteren; /* at that time */
	const char *feature; /* skipped without it */
	const char *missing; /* skipped with it */
	enum counters {
		NO_COUNTER,
		COUNTER_TIME,
		COUNTER_CYCLE,
		COUNTER_INSTRET
	} counter; /* NONE only if HS-mode can read it; otherwise UNDEFINED */
};

#define MISALIGNED(b) ((b)->data + 1025)

/* Registers that the guest sets before: a4 and a5 for the operands. */
#define A4_VALUE UINT64_C(0x123456789abcdef0)
#define A3_VALUE UINT64_C(0x3333333333333333)

#define VIRTUAL_CSR(csr_name, number)                                                              \
	{                                                                                          \
		.name = csr_name, .insn = INSN_CSRR(A3, number), .mode = BOTH, .effect = UNDEFINED \
	}
#define DECODED(csr_name, operation, rd, source, writes, what)                                     \
	{                                                                                          \
		.name = csr_name, .insn = INSN_CSR_OP(operation, rd, 0x600, source), .mode = VS,   \
		.effect = SYSREG, .reg = 0x600, .gpr = (rd), .write = (writes), .value = (what)    \
	}

static const struct row rows[] = {
	/* Executed without a trap. */
	{.name = "nop", .insn = INSN_NOP, .mode = BOTH, .effect = NONE},
	{.name = "sfence-vma", .insn = INSN_SFENCE_VMA, .mode = VS, .effect = NONE},
	{.name = "satp-read", .insn = INSN_CSRR(A3, CSR_SATP), .mode = VS, .effect = NONE},
	{.name = "sip-read", .insn = INSN_CSRR(A3, CSR_SIP), .mode = VS, .effect = NONE},
	{.name = "sepc-write", .insn = INSN_CSRW(CSR_SEPC, A4), .mode = VS, .effect = NONE},
	{.name = "fence-i", .insn = INSN_FENCE_I, .mode = BOTH, .effect = NONE},
	{.name = "senvcfg",
         .insn = INSN_CSRR(A3, CSR_SENVCFG),
         .mode = VS,
         .effect = NONE,
         .feature = "envcfg"},
	{.name = "stimecmp",
         .insn = INSN_CSRR(A3, CSR_STIMECMP),
         .mode = VS,
         .effect = NONE,
         .feature = "sstc"},
	{.name = "stimecmp-without",
         .insn = INSN_CSRR(A3, CSR_STIMECMP),
         .mode = VS,
         .effect = UNDEFINED,
         .missing = "sstc"},

	/* Counters: hcounteren for both modes, scounteren for VU. */
	{.name = "time",
         .insn = INSN_CSRR(A3, CSR_TIME),
         .mode = BOTH,
         .effect = NONE,
         .scounteren = 2,
         .counter = COUNTER_TIME},
	{.name = "cycle",
         .insn = INSN_CSRR(A3, CSR_CYCLE),
         .mode = BOTH,
         .effect = NONE,
         .scounteren = 1,
         .counter = COUNTER_CYCLE},
	{.name = "instret",
         .insn = INSN_CSRR(A3, CSR_INSTRET),
         .mode = BOTH,
         .effect = NONE,
         .scounteren = 4,
         .counter = COUNTER_INSTRET},
	{.name = "time.masked",
         .insn = INSN_CSRR(A3, CSR_TIME),
         .mode = VU,
         .effect = UNDEFINED,
         .scounteren = 5},
	{.name = "cycle.masked",
         .insn = INSN_CSRR(A3, CSR_CYCLE),
         .mode = VU,
         .effect = UNDEFINED,
         .scounteren = 6},
	{.name = "instret.masked",
         .insn = INSN_CSRR(A3, CSR_INSTRET),
         .mode = VU,
         .effect = UNDEFINED,
         .scounteren = 3},
	{.name = "hpmcounter3",
         .insn = INSN_CSRR(A3, 0xc03),
         .mode = BOTH,
         .effect = UNDEFINED,
         .scounteren = UINT32_MAX},
	{.name = "hpmcounter31",
         .insn = INSN_CSRR(A3, 0xc1f),
         .mode = BOTH,
         .effect = UNDEFINED,
         .scounteren = UINT32_MAX},

	/* The guest's own exceptions: hedeleg. */
	{.name = "illegal", .insn = INSN_ILLEGAL, .mode = BOTH, .effect = OWN, .cause = 2},
	{.name = "ebreak", .insn = INSN_EBREAK, .mode = BOTH, .effect = OWN, .cause = 3},
	{.name = "ecall", .insn = INSN_ECALL, .mode = VU, .effect = OWN, .cause = 8},
	{.name = "lr-misaligned",
         .insn = INSN_LR_D(A3, A2),
         .mode = BOTH,
         .effect = OWN,
         .cause = 4},
	{.name = "amo-misaligned",
         .insn = INSN_AMOADD_D(A3, A2),
         .mode = BOTH,
         .effect = OWN,
         .cause = 6,
         .missing = "zama16b"},
	/* The upper halves of counters exist on RV32 alone. */
	{.name = "hpmcounter31h",
         .insn = INSN_CSRR(A3, 0xc9f),
         .mode = BOTH,
         .effect = OWN,
         .cause = 2,
         .scounteren = UINT32_MAX},
	{.name = "mret", .insn = INSN_MRET, .mode = BOTH, .effect = OWN, .cause = 2},
	{.name = "mstatus", .insn = INSN_CSRR(A3, 0x300), .mode = BOTH, .effect = OWN, .cause = 2},

	/* Virtual-instruction exceptions: 8.6.1. */
	VIRTUAL_CSR("hstatus", 0x600),
	VIRTUAL_CSR("hedeleg", 0x602),
	VIRTUAL_CSR("hideleg", 0x603),
	VIRTUAL_CSR("hie", 0x604),
	VIRTUAL_CSR("htimedelta", 0x605),
	VIRTUAL_CSR("hcounteren", 0x606),
	VIRTUAL_CSR("hgeie", 0x607),
	VIRTUAL_CSR("htval", 0x643),
	VIRTUAL_CSR("hip", 0x644),
	VIRTUAL_CSR("hvip", 0x645),
	VIRTUAL_CSR("htinst", 0x64a),
	VIRTUAL_CSR("hgatp", 0x680),
	VIRTUAL_CSR("hgeip", 0xe12),
	VIRTUAL_CSR("vsstatus", 0x200),
	VIRTUAL_CSR("vsie", 0x204),
	VIRTUAL_CSR("vstvec", 0x205),
	VIRTUAL_CSR("vsscratch", 0x240),
	VIRTUAL_CSR("vsepc", 0x241),
	VIRTUAL_CSR("vscause", 0x242),
	VIRTUAL_CSR("vstval", 0x243),
	VIRTUAL_CSR("vsip", 0x244),
	VIRTUAL_CSR("vsatp", 0x280),
	{.name = "hfence-vvma", .insn = INSN_HFENCE_VVMA, .mode = BOTH, .effect = UNDEFINED},
	{.name = "hfence-gvma", .insn = INSN_HFENCE_GVMA, .mode = BOTH, .effect = UNDEFINED},
	{.name = "hlv", .insn = INSN_HLV_W(A3, A2), .mode = BOTH, .effect = UNDEFINED},
	{.name = "sret", .insn = INSN_SRET, .mode = VU, .effect = UNDEFINED},
	{.name = "sfence", .insn = INSN_SFENCE_VMA, .mode = VU, .effect = UNDEFINED},
	{.name = "sstatus", .insn = INSN_CSRR(A3, CSR_SSTATUS), .mode = VU, .effect = UNDEFINED},
	{.name = "sscratch", .insn = INSN_CSRW(CSR_SSCRATCH, A4), .mode = VU, .effect = UNDEFINED},
	{.name = "satp", .insn = INSN_CSRR(A3, CSR_SATP), .mode = VU, .effect = UNDEFINED},
	{.name = "wfi", .insn = INSN_WFI, .mode = VS, .effect = HALT},

	/* The exit's contents, and the result of a completed access. */
	DECODED("csrrw", CSR_RW, A3, A4, true, A4_VALUE),
	DECODED("csrrs", CSR_RS, A3, A4, true, A4_VALUE),
	DECODED("csrrc", CSR_RC, A3, A4, true, A4_VALUE),
	DECODED("csrrwi", CSR_RWI, A3, 21, true, 21),
	DECODED("csrrsi", CSR_RSI, A3, 9, true, 9),
	DECODED("csrrci", CSR_RCI, A3, 31, true, 31),
	DECODED("csrr", CSR_RS, A3, X0, false, 0),
	DECODED("csrrc-x0", CSR_RC, A3, X0, false, 0),
	DECODED("csrrsi-0", CSR_RSI, A3, 0, false, 0),
	DECODED("csrrw-x0", CSR_RW, A3, X0, true, 0),
	DECODED("csrrwi-0", CSR_RWI, A3, 0, true, 0),
	DECODED("csrw", CSR_RW, X0, A4, true, A4_VALUE),
	DECODED("csrrw-same", CSR_RW, A4, A4, true, A4_VALUE),
	DECODED("csrrs-same", CSR_RS, A4, A4, true, A4_VALUE),
	DECODED("csrrc-same", CSR_RC, A4, A4, true, A4_VALUE),
	DECODED("csrs", CSR_RS, X0, A4, true, A4_VALUE),
	DECODED("csrc", CSR_RC, X0, A4, true, A4_VALUE),
	DECODED("csrr-x0", CSR_RS, X0, X0, false, 0),
	DECODED("csrw-x0", CSR_RW, X0, X0, true, 0),
	DECODED("csrwi", CSR_RWI, X0, 16, true, 16),
	DECODED("csrsi", CSR_RSI, X0, 1, true, 1),
	DECODED("csrci", CSR_RCI, X0, 1, true, 1),
	DECODED("csrrci-0", CSR_RCI, A3, 0, false, 0),
	DECODED("csrrwi-a4", CSR_RWI, A4, A4, true, A4),
};

/* --- the guest --- */

/* Its data, by offsets from t6. */
struct setup {
	uint64_t stvec;
	uint64_t sepc;
	uint64_t sstatus; /* for the sret to the instruction */
	uint64_t scounteren;
	uint64_t a2, a3, a4;
	uint64_t clear; /* all of sstatus that is set above */
};

#define AT(member) (int)offsetof(struct setup, member)

#define SSTATUS_SWEPT (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE | SSTATUS_SUM | SSTATUS_MXR)

/* An index in the code, as an address. */
static uint64_t address(const struct bare *b, unsigned index)
{
	return b->base + 4 * index;
}

struct places {
	unsigned insn;
	unsigned handler;
};

/*
 *	start	the registers; sret to `insn`, into VS or VU
 *	insn	the instruction; ecall, which reports that it was executed, or returned from
 *	handler	csrr s2..s5; ecall; sepc += 4; sret
 *
 * From VU that second ecall goes to the handler, too, with cause 8.
 */
static struct places write_guest(struct bare *b, uint32_t insn)
{
	struct code code = {.count = 0};
	struct places at;

	emit(&code, INSN_MV(T6, A0));
	emit(&code, INSN_LD(T0, T6, AT(stvec)));
	emit(&code, INSN_CSRW(CSR_STVEC, T0));
	emit(&code, INSN_CSRW(CSR_STVAL, T6)); /* an exception must overwrite it */
	emit(&code, INSN_LD(T0, T6, AT(scounteren)));
	emit(&code, INSN_CSRW(CSR_SCOUNTEREN, T0));
	emit(&code, INSN_LD(T0, T6, AT(clear)));
	emit(&code, INSN_CSRC(CSR_SSTATUS, T0));
	emit(&code, INSN_LD(T0, T6, AT(sstatus)));
	emit(&code, INSN_CSRS(CSR_SSTATUS, T0));
	emit(&code, INSN_LD(T0, T6, AT(sepc)));
	emit(&code, INSN_CSRW(CSR_SEPC, T0));
	emit(&code, INSN_LD(A2, T6, AT(a2)));
	emit(&code, INSN_LD(A3, T6, AT(a3)));
	emit(&code, INSN_LD(A4, T6, AT(a4)));
	emit(&code, INSN_SRET);
	while (code.count % 16 != 0)
		emit(&code, INSN_NOP);
	at.insn = emit(&code, insn);
	emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, code.count));
	while (code.count % 16 != 0)
		emit(&code, INSN_NOP);
	at.handler = emit(&code, INSN_CSRR(S2, CSR_SCAUSE));
	emit(&code, INSN_CSRR(S3, CSR_SEPC));
	emit(&code, INSN_CSRR(S4, CSR_STVAL));
	emit(&code, INSN_CSRR(S5, CSR_SSTATUS));
	emit(&code, INSN_ECALL);
	emit(&code, INSN_ADDI(T0, S3, 4));
	emit(&code, INSN_CSRW(CSR_SEPC, T0));
	emit(&code, INSN_SRET);
	bare_code(b, &code);
	return at;
}

/* A case: a row, with stvec in one of its modes. */
struct kind {
	const struct row *row;
	bool vectored;
	bool no_stval; /* the hart does not write the instruction to stval */
};

FILTER(no_stval, "csrw stval, zero")

/* How it is run. */
struct trial {
	struct bare *b;
	const struct row *row;
	struct places at;
	bool user;
	bool enabled; /* SIE where the instruction is */
	bool vectored;
	char what[48];
};

static uint64_t interrupted_status(const struct trial *t)
{
	return t->enabled ? SSTATUS_SPIE : 0;
}

static void write_setup(const struct trial *t)
{
	struct setup setup = {
		.stvec = address(t->b, t->at.handler) | (t->vectored ? 1 : 0),
		.sepc = address(t->b, t->at.insn),
		.sstatus = interrupted_status(t) | (t->user ? 0 : SSTATUS_SPP) |
	                   (t->vectored ? SSTATUS_SUM : SSTATUS_MXR),
		.scounteren = t->row->scounteren,
		.a2 = MISALIGNED(t->b),
		.a3 = A3_VALUE,
		.a4 = A4_VALUE,
		.clear = SSTATUS_SWEPT,
	};

	bare_write(t->b, t->b->data, &setup, sizeof(setup));
}

static bool expect(const struct trial *t, const char *name, uint64_t got, uint64_t expected)
{
	return bare_expect(t->b->run, t->what, name, got, expected);
}

static uint64_t reg(const struct trial *t, const char *name)
{
	return bare_register(t->b, name);
}

/* The state right after an exception of this cause was injected or taken. */
static void expect_status(const struct trial *t, uint64_t status)
{
	uint64_t expected = (t->user ? 0 : SSTATUS_SPP) | interrupted_status(t) |
	                    (t->vectored ? SSTATUS_SUM : SSTATUS_MXR);

	expect(t, "sstatus", status & SSTATUS_SWEPT, expected);
}

/* 4.1.9: stval may hold an illegal instruction, or be 0. */
static bool stval_fits(const struct trial *t, unsigned cause, uint64_t stval)
{
	if (cause == 2)
		return stval == 0 || stval == t->row->insn;
	if (cause == 3)
		return stval == 0 || stval == address(t->b, t->at.insn);
	if (cause == 4 || cause == 6)
		return stval == MISALIGNED(t->b);
	return stval == 0;
}

/* The handler has called: it reports what it has read. */
static void expect_handler(const struct trial *t, unsigned cause, uint64_t epc)
{
	expect(t, "pc of the handler's call", t->b->exit.pc, address(t->b, t->at.handler + 4));
	expect(t, "scause", reg(t, "s2"), cause);
	expect(t, "sepc", reg(t, "s3"), epc);
	expect_status(t, reg(t, "s5"));
	if (!stval_fits(t, cause, reg(t, "s4")))
		suite_fail(t->b->run, "%s: stval=0x%" PRIx64, t->what, reg(t, "s4"));
}

/* The guest is in the handler, before its first instruction. */
static void expect_injected(const struct trial *t)
{
	expect(t, "injected pc", reg(t, "pc"), address(t->b, t->at.handler));
	expect(t, "injected vsepc", reg(t, "vsepc"), address(t->b, t->at.insn));
	expect(t, "injected vscause", reg(t, "vscause"), 2);
	expect_status(t, reg(t, "vsstatus"));
}

/* The instruction has been executed, or the handler has returned behind it: the next is an ecall in
 * the same mode. */
static void expect_next(const struct trial *t)
{
	uint64_t next = address(t->b, t->at.insn + 1);

	if (!bare_call(t->b))
		return;
	if (t->user) {
		expect_handler(t, 8, next);
		return;
	}
	expect(t, "pc of the next call", t->b->exit.pc, next);
	expect(t, "SIE of the next call", reg(t, "vsstatus") & (SSTATUS_SIE | SSTATUS_SPIE),
	       t->enabled || t->row->effect == NONE ? (t->enabled ? SSTATUS_SIE : 0) | SSTATUS_SPIE
	                                            : SSTATUS_SPIE);
}

/* --- effects --- */

static void expect_own(const struct trial *t, unsigned cause)
{
	if (!bare_call(t->b))
		return;
	expect_handler(t, cause, address(t->b, t->at.insn));
	expect_next(t);
}

static void inject(const struct trial *t)
{
	t->b->vm->ops->inject_undefined(t->b->vcpu);
	expect_injected(t);
	expect_own(t, 2);
}

static bool is_exit(const struct trial *t, enum vm_exit_kind kind)
{
	if (t->b->exit.kind == kind)
		return expect(t, "pc of the exit", t->b->exit.pc, address(t->b, t->at.insn));
	return false;
}

/* Firmware that handles illegal instructions passes them on to the guest itself. */
static void expect_undefined(const struct trial *t)
{
	if (!bare_run(t->b))
		return;
	if (is_exit(t, VM_EXIT_UNDEFINED)) {
		inject(t);
	} else if (is_exit(t, VM_EXIT_SYSREG)) {
		expect(t, "CSR", t->b->exit.sysreg.reg, t->row->insn >> 20);
		inject(t);
	} else if (t->b->exit.kind == VM_EXIT_FIRMWARE) {
		expect_handler(t, 2, address(t->b, t->at.insn));
		expect_next(t);
	} else {
		suite_fail(t->b->run, "%s: exit %d", t->what, (int)t->b->exit.kind);
	}
}

#define COMPLETED UINT64_C(0xfedcba9876543210)

static void expect_sysreg(const struct trial *t)
{
	const struct vm_exit_sysreg *got = &t->b->exit.sysreg;
	const struct row *row = t->row;

	if (!bare_run(t->b))
		return;
	if (!is_exit(t, VM_EXIT_SYSREG)) {
		suite_fail(t->b->run, "%s: exit %d", t->what, (int)t->b->exit.kind);
		return;
	}
	expect(t, "CSR", got->reg, row->reg);
	expect(t, "rd", got->gpr, row->gpr);
	expect(t, "write", got->write, row->write);
	if (row->write)
		expect(t, "value", got->value, row->value);
	t->b->vm->ops->skip(t->b->vcpu, &t->b->exit, COMPLETED);
	expect(t, "a3", reg(t, "a3"), row->gpr == A3 ? COMPLETED : A3_VALUE);
	expect(t, "a4", reg(t, "a4"), row->gpr == A4 ? COMPLETED : A4_VALUE);
	expect(t, "pc", reg(t, "pc"), address(t->b, t->at.insn + 1));
	if (bare_call(t->b))
		expect(t, "pc of the next call", t->b->exit.pc, address(t->b, t->at.insn + 1));
}

static void expect_halt(const struct trial *t)
{
	if (!bare_run(t->b))
		return;
	if (!is_exit(t, VM_EXIT_HALT)) {
		suite_fail(t->b->run, "%s: exit %d", t->what, (int)t->b->exit.kind);
		return;
	}
	t->b->vm->ops->skip(t->b->vcpu, &t->b->exit, 0);
	if (bare_call(t->b))
		expect(t, "pc of the next call", t->b->exit.pc, address(t->b, t->at.insn + 1));
}

/* Can HS-mode read it? Firmware may have disabled it in mcounteren. */
static bool can_read(enum counters counter)
{
	bool ok = true;
	uint64_t value;

	if (counter == COUNTER_TIME)
		__asm__ volatile(CATCH("csrr %[value], time")
		                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	else if (counter == COUNTER_CYCLE)
		__asm__ volatile(CATCH("csrr %[value], cycle")
		                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	else if (counter == COUNTER_INSTRET)
		__asm__ volatile(CATCH("csrr %[value], instret")
		                 : [ok] "=&r"(ok), [value] "=&r"(value)::"t0", "memory");
	return ok;
}

static void run_effect(const struct trial *t)
{
	switch (t->row->effect) {
	case NONE:
		if (!can_read(t->row->counter))
			expect_undefined(t);
		else
			expect_next(t);
		break;
	case OWN:
		expect_own(t, t->row->cause);
		break;
	case UNDEFINED:
		expect_undefined(t);
		break;
	case SYSREG:
		expect_sysreg(t);
		break;
	case HALT:
		expect_halt(t);
		break;
	default:
		break;
	}
}

static void run_trial(struct bare *b, const struct kind *kind, bool user, bool enabled)
{
	struct trial t = {
		.b = b,
		.row = kind->row,
		.user = user,
		.enabled = enabled,
		.vectored = kind->vectored,
	};

	format_string(t.what, sizeof(t.what), "%s%s", user ? "VU" : "VS", enabled ? ", SIE" : "");
	if (!bare_restart(b))
		return;
	t.at = write_guest(b, t.row->insn);
	write_setup(&t);
	run_effect(&t);
}

static void run_kind(struct suite_run *run, const void *data)
{
	const struct kind *kind = data;
	const struct row *row = kind->row;
	struct bare b;

	if (row->feature != NULL && !suite_has_feature(run->host, row->feature))
		run->skip = "no such instructions on this CPU";
	if (row->missing != NULL &&
	    (suite_has_feature(run->host, row->missing) || isa_has(row->missing)))
		run->skip = "this CPU has the instruction";
	if (run->skip != NULL || !bare_begin(run, 1, 1, &b))
		return;
	if (kind->no_stval)
		filter_begin(no_stval);
	for (unsigned enabled = 0; enabled < 2 && run->complaints == 0; enabled++) {
		if (row->mode != VU)
			run_trial(&b, kind, false, enabled != 0);
		if (row->mode != VS)
			run_trial(&b, kind, true, enabled != 0);
	}
	filter_end();
	bare_end(1);
}

/* Row `index` of those that exit. */
static const struct row *exiting_row(size_t index)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++)
		if (rows[i].effect >= UNDEFINED && index-- == 0)
			return &rows[i];
	return NULL;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	static struct kind kind;
	size_t direct = 2 * MM_ARRAY_SIZE(rows);

	(void)host;
	if (index < direct)
		kind = (struct kind){&rows[index / 2], index % 2 != 0, false};
	else
		kind = (struct kind){exiting_row(index - direct), false, true};
	if (kind.row == NULL)
		return false;
	draft_name(d, "riscv.trap.%s%s", kind.row->name,
	           kind.vectored   ? ".vectored"
	           : kind.no_stval ? ".no-stval"
	                           : "");
	d->c.run = run_kind;
	d->c.data = &kind;
	d->c.firmware_writes = true;
	return true;
}

const struct suite_subject suite_riscv_trap = {
	.name = "riscv.trap",
	.generate = generate,
	.generated = "riscv.trap.",
};
