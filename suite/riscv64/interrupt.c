/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of a guest, and its time: the line that the hypervisor raises and lowers (hvip.VSTIP),
 * the software interrupt of its own, vstimecmp on one hart and across harts, and htimedelta.
 *
 * No case measures a duration. An interrupt is early if the guest's own time is less than
 * vstimecmp. It is late if it never comes: then the guest does not exit.
 */
#include "hext/state.h"
#include "machine.h"
#include "machine/riscv64/csr.h"
#include "suite/payload.h"
#include "suite/riscv64/bare.h"

#define SIP_SSIP BIT(1)
#define SIP_STIP BIT(5)

#define STATE(b, name) bare_register(b, name)

static bool bare_calls(struct bare *b, unsigned times)
{
	while (times != 0 && bare_call(b))
		times--;
	return times == 0;
}

/* --- delivery --- */

struct line {
	const char *name;
	bool user;     /* the guest is in VU */
	bool vectored; /* stvec.MODE */
	bool software; /* sip.SSIP, set by the guest, and not the hypervisor's line */
	uint64_t sie;
	uint64_t sstatus; /* SSTATUS_SIE or 0 */
	bool taken;
};

static const struct line lines[] = {
	{"timer.direct", false, false, false, SIP_STIP, SSTATUS_SIE, true},
	{"timer.vectored", false, true, false, SIP_STIP, SSTATUS_SIE, true},
	{"timer.masked", false, false, false, 0, SSTATUS_SIE, false},
	{"timer.other-enabled", false, true, false, SIP_SSIP, SSTATUS_SIE, false},
	{"timer.disabled", false, false, false, SIP_STIP, 0, false},
	{"timer.user", true, false, false, SIP_STIP, SSTATUS_SIE, true},
	{"timer.user.vectored", true, true, false, SIP_STIP, SSTATUS_SIE, true},
	{"timer.user.disabled", true, true, false, SIP_STIP, 0, true},
	{"timer.user.masked", true, false, false, 0, SSTATUS_SIE, false},
	{"software.direct", false, false, true, SIP_SSIP, SSTATUS_SIE, true},
	{"software.vectored", false, true, true, SIP_SSIP, SSTATUS_SIE, true},
	{"software.masked", false, false, true, SIP_STIP, SSTATUS_SIE, false},
	{"software.user", true, true, true, SIP_SSIP, 0, true},
};

struct setup {
	uint64_t stvec, sepc, sstatus, sie, sip, compare, all;
};

#define AT(member) (int)offsetof(struct setup, member)

struct places {
	unsigned ready; /* the call before the body */
	unsigned body;
	unsigned handler;
	unsigned vector[2]; /* of interrupts 1 and 5 */
};

static uint64_t address(const struct bare *b, unsigned index)
{
	return b->base + 4 * index;
}

/* s2..s5 = scause, sepc, sstatus, sip; ecall; then the interrupt is masked; sret */
static unsigned emit_handler(struct code *code, unsigned number)
{
	unsigned at = emit(code, INSN_CSRR(S2, CSR_SCAUSE));

	emit(code, INSN_CSRR(S3, CSR_SEPC));
	emit(code, INSN_CSRR(S4, CSR_SSTATUS));
	emit(code, INSN_CSRR(S5, CSR_SIP));
	emit(code, INSN_ADDI(A3, X0, number));
	emit(code, INSN_ECALL);
	emit(code, INSN_CSRW(CSR_SIE, X0));
	emit(code, INSN_SRET);
	return at;
}

static void emit_start(struct code *code)
{
	static const struct {
		unsigned csr;
		int offset;
	} sets[] = {{CSR_STVEC, AT(stvec)}, {CSR_SIE, AT(sie)}, {CSR_SEPC, AT(sepc)}};

	emit(code, INSN_MV(T6, A0));
	for (unsigned i = 0; i < MM_ARRAY_SIZE(sets); i++) {
		emit(code, INSN_LD(T0, T6, sets[i].offset));
		emit(code, INSN_CSRW(sets[i].csr, T0));
	}
	emit(code, INSN_LD(T0, T6, AT(all)));
	emit(code, INSN_CSRC(CSR_SSTATUS, T0));
	emit(code, INSN_LD(T0, T6, AT(sstatus)));
	emit(code, INSN_CSRS(CSR_SSTATUS, T0));
}

static void fill(struct code *code)
{
	while (code->count % 16 != 0)
		emit(code, INSN_NOP);
}

/*
 * start; ecall (ready); sip.SSIP if wanted; sret to the body: three nops and ecall, and again. An
 * interrupt may come at any of them. The table of vectors has a jump for each of 16 interrupts.
 */
static struct places write_guest(struct bare *b)
{
	struct code code = {.count = 0};
	struct places at;
	unsigned jumps[16];

	emit_start(&code);
	at.ready = emit(&code, INSN_ECALL);
	emit(&code, INSN_LD(T0, T6, AT(sip)));
	emit(&code, INSN_CSRS(CSR_SIP, T0));
	emit(&code, INSN_SRET);
	fill(&code);
	at.body = emit(&code, INSN_NOP);
	emit(&code, INSN_NOP);
	emit(&code, INSN_NOP);
	emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, at.body));
	fill(&code);
	at.handler = code.count;
	for (unsigned i = 0; i < 16; i++)
		jumps[i] = emit(&code, INSN_NOP);
	for (unsigned i = 0; i < 16; i++)
		code.insns[jumps[i]] = insn_j(jumps[i], emit_handler(&code, i));
	bare_code(b, &code);
	return at;
}

/* The handler that has called: a3 is its number in the table of vectors. */
static void expect_taken(struct bare *b, const struct line *line, const struct places *at)
{
	struct suite_run *run = b->run;
	unsigned irq = line->software ? 1 : 5;
	uint64_t epc = STATE(b, "s3"), status = STATE(b, "s4");

	bare_expect(run, line->name, "vector", STATE(b, "a3"), line->vectored ? irq : 0);
	bare_expect(run, line->name, "scause", STATE(b, "s2"), SCAUSE_INTERRUPT | irq);
	bare_expect(run, line->name, "SPP", status & SSTATUS_SPP, line->user ? 0 : SSTATUS_SPP);
	bare_expect(run, line->name, "SPIE", status & SSTATUS_SPIE,
	            line->sstatus != 0 ? SSTATUS_SPIE : 0);
	bare_expect(run, line->name, "SIE", status & SSTATUS_SIE, 0);
	if (epc < address(b, at->body) || epc > address(b, at->body + 4))
		suite_fail(run, "%s: sepc=0x%" PRIx64, line->name, epc);
}

static void write_line(struct bare *b, const struct line *line, const struct places *at)
{
	struct setup setup = {
		.stvec = address(b, at->handler) | (line->vectored ? 1 : 0),
		.sepc = address(b, at->body),
		.sstatus = (line->sstatus != 0 ? SSTATUS_SPIE : 0) | (line->user ? 0 : SSTATUS_SPP),
		.sie = line->sie,
		.sip = line->software ? SIP_SSIP : 0,
		.all = SSTATUS_SPIE | SSTATUS_SPP | SSTATUS_SIE,
	};

	bare_write(b, b->data, &setup, sizeof(setup));
}

/* In VU the body's ecall goes to the handler, with cause 8: it was executed. */
static bool is_body(struct bare *b, const struct line *line, const struct places *at)
{
	if (!line->user)
		return b->exit.pc == address(b, at->body + 3);
	return STATE(b, "s2") == 8 && STATE(b, "s3") == address(b, at->body + 3);
}

static void run_line(struct suite_run *run, const void *data)
{
	const struct line *line = data;
	struct places at;
	struct bare b;

	if (!bare_begin(run, 1, 1, &b))
		return;
	at = write_guest(&b);
	write_line(&b, line, &at);
	if (bare_call(&b) && !line->software)
		b.vm->ops->set_interrupt(b.vcpu, true);
	if (run->complaints == 0 && bare_call(&b)) {
		if (line->taken)
			expect_taken(&b, line, &at);
		else
			EXPECT(run, is_body(&b, line, &at));
	}
	/* The handler masks it, and returns: the body is executed. */
	if (run->complaints == 0 && line->taken && bare_call(&b))
		EXPECT(run, is_body(&b, line, &at));
	bare_end(1);
}

/* --- raised and withdrawn --- */

static void write_reader(struct bare *b)
{
	struct code code = {.count = 0};

	emit(&code, INSN_CSRR(A3, CSR_SIP));
	emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, 0));
	bare_code(b, &code);
}

static void raise(struct bare *b, bool pending)
{
	b->vm->ops->set_interrupt(b->vcpu, pending);
	if (bare_call(b))
		bare_expect_register(b, "a3", pending ? SIP_STIP : 0);
}

/* Of two VMs on one hart, each has a line of its own. */
static void pending(struct suite_run *run, const void *data)
{
	struct bare b[2];

	(void)data;
	if (!bare_begin(run, 2, 1, b))
		return;
	write_reader(&b[0]);
	write_reader(&b[1]);
	raise(&b[0], true);
	raise(&b[1], false);
	raise(&b[0], true);
	raise(&b[0], false);
	raise(&b[1], true);
	raise(&b[0], false);
	if (bare_call(&b[1]))
		bare_expect_register(&b[1], "a3", SIP_STIP);
	bare_end(2);
}

/* An interrupt that was raised and lowered again is not taken. */
static void withdrawn(struct suite_run *run, const void *data)
{
	const struct line *line = &lines[0];
	struct places at;
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	at = write_guest(&b);
	write_line(&b, line, &at);
	if (bare_call(&b)) {
		b.vm->ops->set_interrupt(b.vcpu, true);
		b.vm->ops->set_interrupt(b.vcpu, false);
		if (bare_call(&b))
			EXPECT(run, is_body(&b, line, &at));
		b.vm->ops->set_interrupt(b.vcpu, true);
		if (run->complaints == 0 && bare_call(&b))
			expect_taken(&b, line, &at);
	}
	bare_end(1);
}

/* --- vstimecmp --- */

/* Ticks: longer than a change of the loaded vCPU. QEMU 7.2 may still deliver a timer that expires
 * while another value is written to vstimecmp. */
#define SOON (machine_ticks_per_second() / 100)

#define SSTATUS_SIE_IMMEDIATE 2

static void emit_enabled(struct code *code)
{
	emit(code, INSN_CSR_OP(CSR_RSI, X0, CSR_SSTATUS, SSTATUS_SIE_IMMEDIATE));
	emit(code, INSN_NOP);
	emit(code, INSN_NOP);
	emit(code, INSN_CSR_OP(CSR_RCI, X0, CSR_SSTATUS, SSTATUS_SIE_IMMEDIATE));
}

/* The calls of the guest below. */
struct calls {
	unsigned set;     /* the timer is set; interrupts are off */
	unsigned expired; /* in the handler: s2 = scause, s4 = time; the timer is withdrawn */
	unsigned over;    /* interrupts were on, and none came */
	unsigned handler;
};

/* a4 = time + compare; stimecmp = a4; ecall; interrupts on, and a loop; in the handler ecall;
 * stimecmp = -1; interrupts on and off; ecall; from the start */
static struct calls write_timer(struct bare *b)
{
	struct code code = {.count = 0};
	struct calls at;
	unsigned start;

	emit_start(&code);
	start = emit(&code, INSN_LD(T0, T6, AT(compare)));
	emit(&code, INSN_CSRR(A4, CSR_TIME));
	emit(&code, INSN_R(0x33, 0, 0, A4, A4, T0));
	emit(&code, INSN_CSRW(CSR_STIMECMP, A4));
	at.set = emit(&code, INSN_ECALL);
	emit(&code, INSN_CSR_OP(CSR_RSI, X0, CSR_SSTATUS, SSTATUS_SIE_IMMEDIATE));
	emit(&code, insn_j(code.count, code.count));
	fill(&code);
	at.handler = emit(&code, INSN_CSRR(S2, CSR_SCAUSE));
	emit(&code, INSN_CSRR(S4, CSR_TIME));
	emit(&code, INSN_ADDI(T0, X0, -1));
	emit(&code, INSN_CSRW(CSR_STIMECMP, T0));
	at.expired = emit(&code, INSN_ECALL);
	emit_enabled(&code);
	at.over = emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, start));
	bare_code(b, &code);
	return at;
}

/* a3 = 0; interrupts on and off; ecall; again. The handler: a3 = 1; ecall. */
static unsigned write_watcher(struct bare *b)
{
	struct code code = {.count = 0};
	unsigned start, handler;

	emit_start(&code);
	start = emit(&code, INSN_ADDI(A3, X0, 0));
	emit_enabled(&code);
	emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, start));
	fill(&code);
	handler = emit(&code, INSN_ADDI(A3, X0, 1));
	emit(&code, INSN_ECALL);
	bare_code(b, &code);
	return handler;
}

static void write_timer_setup(struct bare *b, unsigned handler, uint64_t compare)
{
	struct setup setup = {
		.stvec = address(b, handler),
		.sie = SIP_STIP,
		.compare = compare,
	};

	bare_write(b, b->data, &setup, sizeof(setup));
}

static void expect_call(struct bare *b, const char *what, unsigned at)
{
	bare_expect(b->run, what, "pc", b->exit.pc, address(b, at));
}

static void expect_expired(struct bare *b, const struct calls *at)
{
	expect_call(b, "expired", at->expired);
	bare_expect_register(b, "s2", SCAUSE_INTERRUPT | 5);
	EXPECT(b->run, STATE(b, "s4") >= STATE(b, "a4"));
}

/* The host's time at which the guest's timer expires. */
static uint64_t host_time(struct bare *b, uint64_t guest_time)
{
	return guest_time - HEXT_TIME_OFFSET(b->vm->tag);
}

static void wait_until(uint64_t ticks)
{
	while (machine_ticks() < ticks)
		machine_relax();
}

/* Two VMs: one has a timer that expires while the other one is loaded. */
static void run_timer(struct bare b[2], const struct calls *at, unsigned first, unsigned second)
{
	if (!bare_call_on(&b[0], first))
		return;
	expect_call(&b[0], "set", at->set);
	if (!bare_call_on(&b[1], first))
		return;
	wait_until(host_time(&b[0], STATE(&b[0], "a4")));
	if (!bare_call_on(&b[1], first))
		return;
	bare_expect_register(&b[1], "a3", 0); /* the other VM's timer is not this one's */
	if (!bare_call_on(&b[0], second))
		return;
	expect_expired(&b[0], at);
	if (bare_call_on(&b[1], second))
		bare_expect_register(&b[1], "a3", 0);
	if (bare_call_on(&b[0], first))
		expect_call(&b[0], "withdrawn", at->over);
}

struct harts {
	bool second; /* the VM goes to another hart before its timer expires */
};

static void timer(struct suite_run *run, const void *data)
{
	const struct harts *harts = data;
	unsigned last = harts->second ? run->host->cpus - 1 : 0;
	struct calls at;
	struct bare b[2];

	if (!bare_begin(run, 2, 1, b))
		return;
	at = write_timer(&b[0]);
	write_timer_setup(&b[0], at.handler, SOON);
	write_timer_setup(&b[1], write_watcher(&b[1]), 0);
	for (unsigned round = 0; round < 3 && run->complaints == 0; round++) {
		run_timer(b, &at, 0, last);
		if (run->complaints == 0)
			run_timer(b, &at, last, 0);
	}
	bare_end(2);
}

/* The guest stays loaded and waits in a loop. */
static void timer_alone(struct suite_run *run, const void *data)
{
	struct calls at;
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	at = write_timer(&b);
	write_timer_setup(&b, at.handler, SOON);
	for (unsigned round = 0; round < 3 && run->complaints == 0; round++) {
		if (!bare_calls(&b, 2))
			break;
		expect_expired(&b, &at);
		if (bare_call(&b))
			expect_call(&b, "withdrawn", at.over);
	}
	bare_end(1);
}

/* The guest's sip shows that vstimecmp has expired. It is polled, and never taken. */
static void timer_polled(struct suite_run *run, const void *data)
{
	struct code code = {.count = 0};
	struct bare b;
	unsigned loop;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	emit(&code, INSN_CSRR(A4, CSR_TIME));
	emit(&code, INSN_ADDI(A4, A4, 1000));
	emit(&code, INSN_CSRW(CSR_STIMECMP, A4));
	loop = emit(&code, INSN_CSRR(A3, CSR_SIP));
	emit(&code, INSN_CSRR(S4, CSR_TIME));
	emit(&code, INSN_ANDI(T0, A3, SIP_STIP));
	emit(&code, insn_branch(0, T0, X0, code.count, loop));
	emit(&code, INSN_ECALL);
	emit(&code, INSN_ADDI(T0, X0, -1));
	emit(&code, INSN_CSRW(CSR_STIMECMP, T0));
	emit(&code, INSN_CSRR(A3, CSR_SIP));
	emit(&code, INSN_ECALL);
	bare_code(&b, &code);
	if (bare_call(&b)) {
		EXPECT(run, STATE(&b, "s4") >= STATE(&b, "a4"));
		if (bare_call(&b))
			bare_expect_register(&b, "a3", 0);
	}
	bare_end(1);
}

/* The watcher, after stimecmp = time + compare. */
static unsigned write_far(struct bare *b)
{
	struct code code = {.count = 0};
	unsigned handler = write_watcher(b);

	bare_read(b, b->base, code.insns, sizeof(code.insns));
	for (unsigned i = BARE_INSNS - 1; i >= 4; i--)
		code.insns[i] = code.insns[i - 4];
	emit(&code, INSN_LD(T0, A0, AT(compare)));
	emit(&code, INSN_CSRR(A4, CSR_TIME));
	emit(&code, INSN_R(0x33, 0, 0, A4, A4, T0));
	emit(&code, INSN_CSRW(CSR_STIMECMP, A4));
	code.count = BARE_INSNS;
	bare_code(b, &code);
	return handler + 4;
}

/* Far in the future: no interrupt on any hart. */
static void timer_far(struct suite_run *run, const void *data)
{
	struct bare b;

	(void)data;
	if (!bare_begin(run, 1, 1, &b))
		return;
	write_timer_setup(&b, write_far(&b), UINT64_C(1) << 45);
	for (unsigned cpu = 0; cpu < run->host->cpus; cpu++) {
		if (!bare_call_on(&b, cpu))
			break;
		bare_expect_register(&b, "a3", 0);
	}
	bare_end(1);
}

/* An interrupt by vstimecmp, taken by the handler. */
static void timer_taken(struct suite_run *run, const void *data)
{
	const struct line *line = data;
	struct code code = {.count = 0};
	struct places at;
	struct bare b;

	if (!bare_begin(run, 1, 1, &b))
		return;
	at = write_guest(&b);
	write_line(&b, line, &at);
	/* Instead of sip.SSIP: stimecmp = time. */
	bare_read(&b, b.base, code.insns, sizeof(code.insns));
	code.count = at.ready + 1;
	emit(&code, INSN_CSRR(T0, CSR_TIME));
	emit(&code, INSN_CSRW(CSR_STIMECMP, T0));
	code.count = BARE_INSNS;
	bare_code(&b, &code);
	if (bare_calls(&b, 2))
		expect_taken(&b, line, &at);
	bare_end(1);
}

/* --- time --- */

static void write_clock(struct bare *b)
{
	struct code code = {.count = 0};

	emit(&code, INSN_CSRR(A3, CSR_TIME));
	emit(&code, INSN_ECALL);
	emit(&code, insn_j(code.count, 0));
	bare_code(b, &code);
}

static void expect_time(struct bare *b, unsigned cpu)
{
	uint64_t before = machine_ticks(), now;

	if (!bare_call_on(b, cpu))
		return;
	now = host_time(b, STATE(b, "a3"));
	if (now < before || now > machine_ticks())
		suite_fail(b->run,
		           "cpu %u: the guest's time is 0x%" PRIx64 " and the host's 0x%" PRIx64,
		           cpu, STATE(b, "a3"), before);
}

/* Several VMs, each with its own offset, on each hart in turn. */
static void clocks(struct suite_run *run, const void *data)
{
	struct bare b[BARE_VMS];

	(void)data;
	if (!bare_begin(run, BARE_VMS, 1, b))
		return;
	for (unsigned i = 0; i < BARE_VMS; i++)
		write_clock(&b[i]);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < BARE_VMS; i++)
			expect_time(&b[i], (round + i) % run->host->cpus);
	bare_end(BARE_VMS);
}

/* --- the cases --- */

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	if (index >= MM_ARRAY_SIZE(lines))
		return false;
	draft_name(d, "riscv.interrupt.%s", lines[index].name);
	d->c.run = run_line;
	d->c.data = &lines[index];
	return true;
}

static const struct harts one_hart = {false}, two_harts = {true};

static const struct suite_case cases[] = {
	{.name = "riscv.interrupt.pending", .run = pending},
	{.name = "riscv.interrupt.withdrawn", .run = withdrawn},
	{.name = "riscv.interrupt.vstimecmp.alone", .run = timer_alone, .feature = "sstc"},
	{.name = "riscv.interrupt.vstimecmp.unloaded",
         .run = timer,
         .data = &one_hart,
         .feature = "sstc"},
	{.name = "riscv.interrupt.vstimecmp.migrated",
         .run = timer,
         .data = &two_harts,
         .feature = "sstc",
         .cpus = 2},
	{.name = "riscv.interrupt.vstimecmp.polled", .run = timer_polled, .feature = "sstc"},
	{.name = "riscv.interrupt.vstimecmp.far", .run = timer_far, .feature = "sstc"},
	{.name = "riscv.interrupt.vstimecmp.direct",
         .run = timer_taken,
         .data = &lines[0],
         .feature = "sstc"},
	{.name = "riscv.interrupt.vstimecmp.vectored",
         .run = timer_taken,
         .data = &lines[1],
         .feature = "sstc"},
	{.name = "riscv.interrupt.vstimecmp.user",
         .run = timer_taken,
         .data = &lines[5],
         .feature = "sstc"},
	{.name = "riscv.interrupt.htimedelta", .run = clocks},
};

const struct suite_subject suite_riscv_interrupt = {
	.name = "riscv.interrupt",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "riscv.interrupt.",
};
