/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts as the guest's handler receives them. A nested fault during their
 * delivery, on the IDT, the stack or the GDT, must not lose or change them. An interrupt waits for
 * IF and for the end of the shadow of STI. An emulated instruction ends with a single step.
 */
#include "suite/x86_64/x86.h"

#define IDT      (ARENA)
#define STACK    (ARENA + PAGE)
#define GDT      (ARENA + 2 * PAGE)
#define LAZY_TOP (ARENA + 6 * PAGE) /* a stack on an untouched page */

#define DB    1U
#define BP    3U
#define UD    6U
#define GP    13U
#define PF    14U
#define AC    17U
#define IRQ   0x20U
#define INT_N 0x21U

#define UNMAPPED UINT64_C(0x700000000000) /* in no guest table */
#define TEST_ID  (GUEST_TEST_BASE + GUEST_TEST_ID)
#define NOP_CALL (GUEST_X86_BASE | GUEST_NOP)

struct event {
	const char *name;
	uint8_t code[8];
	uint64_t operand;
	uint64_t rcx;
	uint8_t vector;
	uint16_t error;
	uint8_t rip;
	uint8_t count; /* of events, if it is not 1; the last one is described here */
	uint8_t how;   /* of AGENT_X86_EVENT */
	bool masked;   /* IF is clear at the start */
	bool pending;  /* the interrupt line is raised before */
	bool cr2;      /* the operand is the fault address */
};

#define NOPS 0x90, 0x90, 0x90, 0x90, 0x90, 0x90

#define INTERRUPT 8 /* the index of that row */

static const struct event deliveries[] = {
	{.name = "int-n", .code = {0xcd, 0x21, NOPS}, .vector = INT_N, .rip = 2},
	{.name = "int3", .code = {0xcc, 0x90, NOPS}, .vector = BP, .rip = 1},
	{.name = "ud", .code = {0x0f, 0x0b, NOPS}, .vector = UD},
	/* MOV FS, EDX: a selector beyond the table. */
	{.name = "gp-selector",
         .code = {0x8e, 0xe2, NOPS},
         .operand = UINT64_C(0x7ffc) << 32,
         .vector = GP,
         .error = 0x7ffc},
	/* Injected by the hypervisor. */
	{.name = "gp-injected", .code = {0x0f, 0x32, NOPS}, .rcx = 0x3fff1234, .vector = GP},
	{.name = "ud-injected",
         .code = {0x0f, 0x01, 0xd8, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = GUEST_RAM_BASE,
         .vector = UD},
	{.name = "pf-read",
         .code = {0x8a, 0x07, NOPS},
         .operand = UNMAPPED + 0x123,
         .vector = PF,
         .cr2 = true},
	{.name = "pf-write",
         .code = {0x88, 0x07, NOPS},
         .operand = UNMAPPED + 0x456,
         .vector = PF,
         .error = 2,
         .cr2 = true},
	[INTERRUPT] = {.name = "interrupt",
                       .code = {0xfb, 0x90, NOPS},
                       .vector = IRQ,
                       .rip = 2,
                       .masked = true,
                       .pending = true},
	/* STI; UD2: the interrupt waits until #UD is delivered, and comes at the return. */
	{.name = "ud-before-interrupt",
         .code = {0xfb, 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90, 0x90},
         .vector = IRQ,
         .rip = 1,
         .count = 2,
         .masked = true,
         .pending = true},
	{.name = "debug",
         .code = {0x90, 0x90, NOPS},
         .vector = DB,
         .rip = 1,
         .how = AGENT_X86_STEP},
};

#define EFER       0xc0000080
#define MISALIGNED (ARENA + 3 * PAGE + 0x101)

/* At CPL 3. The handler has the stack of the TSS. An instruction that is emulated goes on at UD2,
 * which is executed twice. */
#define THEN_UD2(bytes) .vector = UD, .count = 2, .rip = (bytes)
static const struct event user_events[] = {
	{.name = "int-n", .code = {0xcd, 0x21, NOPS}, .vector = INT_N, .rip = 2},
	{.name = "int3", .code = {0xcc, 0x90, NOPS}, .vector = BP, .rip = 1},
	{.name = "ud", .code = {0x0f, 0x0b, NOPS}, .vector = UD},
	/* Gate 0x20 is not for CPL 3. */
	{.name = "gp-gate", .code = {0xcd, 0x20, NOPS}, .vector = GP, .error = 0x102},
	{.name = "gp-cli", .code = {0xfa, 0x90, NOPS}, .vector = GP},
	{.name = "gp-hlt", .code = {0xf4, 0x90, NOPS}, .vector = GP},
	{.name = "gp-rdmsr", .code = {0x0f, 0x32, NOPS}, .rcx = EFER, .vector = GP},
	{.name = "gp-cr4", .code = {0x0f, 0x22, 0xe7, 0x90, 0x90, 0x90, 0x90, 0x90}, .vector = GP},
	{.name = "hypercall",
         .code = {0x0f, 0x01, 0xd9, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = NOP_CALL,
         .vector = UD},
	{.name = "pf-read",
         .code = {0x8a, 0x07, NOPS},
         .operand = UNMAPPED + 0x123,
         .vector = PF,
         .error = 4,
         .cr2 = true},
	{.name = "pf-write",
         .code = {0x88, 0x07, NOPS},
         .operand = UNMAPPED + 0x456,
         .vector = PF,
         .error = 6,
         .cr2 = true},
	{.name = "debug",
         .code = {0x90, 0x90, NOPS},
         .vector = DB,
         .rip = 1,
         .how = AGENT_X86_STEP},
	{.name = "interrupt", .code = {0x90, 0x90, NOPS}, .vector = IRQ, .pending = true},
	{.name = "ac", .code = {0x8b, 0x07, NOPS}, .operand = MISALIGNED, .vector = AC},
	{.name = "cpuid", .code = {0x0f, 0xa2, 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90}, THEN_UD2(2)},
	{.name = "in", .code = {0xe4, 0x80, 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90}, THEN_UD2(2)},
	{.name = "mmio-load",
         .code = {0x8a, 0x07, 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90},
         .operand = TEST_ID,
         THEN_UD2(2)},
	{.name = "lazy-store",
         .code = {0x88, 0x07, 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90},
         .operand = ARENA + 7 * PAGE,
         THEN_UD2(2)},
};

/* STI holds interrupts back during the next instruction, also if that one exits. */
static const struct event shadows[] = {
	{.name = "nop", .code = {0xfb, 0x90, NOPS}, .rip = 2},
	{.name = "cpuid", .code = {0xfb, 0x0f, 0xa2, 0x90, 0x90, 0x90, 0x90, 0x90}, .rip = 3},
	{.name = "in", .code = {0xfb, 0xe4, 0x80, 0x90, 0x90, 0x90, 0x90, 0x90}, .rip = 3},
	{.name = "out", .code = {0xfb, 0xe6, 0x80, 0x90, 0x90, 0x90, 0x90, 0x90}, .rip = 3},
	{.name = "rdmsr",
         .code = {0xfb, 0x0f, 0x32, 0x90, 0x90, 0x90, 0x90, 0x90},
         .rcx = 0xc0000080,
         .rip = 3},
	{.name = "wbinvd", .code = {0xfb, 0x0f, 0x09, 0x90, 0x90, 0x90, 0x90, 0x90}, .rip = 3},
	{.name = "hlt", .code = {0xfb, 0xf4, NOPS}, .rip = 2},
	{.name = "hypercall",
         .code = {0xfb, 0x0f, 0x01, 0xd9, 0x90, 0x90, 0x90, 0x90},
         .operand = NOP_CALL,
         .rip = 4},
	{.name = "mmio-load",
         .code = {0xfb, 0x8a, 0x07, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = TEST_ID,
         .rip = 3},
	/* A nested fault does not end the shadow. */
	{.name = "lazy-load",
         .code = {0xfb, 0x8a, 0x07, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = ARENA + 7 * PAGE,
         .rip = 3},
	{.name = "mmio-store",
         .code = {0xfb, 0x88, 0x47, 0x08, 0x90, 0x90, 0x90, 0x90},
         .operand = TEST_ID,
         .rip = 4},
};

/* TF is set: #DB after the instruction, with DR6.BS. */
static const struct event steps[] = {
	{.name = "nop", .code = {0x90, 0x90, NOPS}, .rip = 1},
	{.name = "cpuid", .code = {0x0f, 0xa2, NOPS}, .rip = 2},
	{.name = "in", .code = {0xe4, 0x80, NOPS}, .rip = 2},
	{.name = "out", .code = {0xe6, 0x80, NOPS}, .rip = 2},
	{.name = "rdmsr", .code = {0x0f, 0x32, NOPS}, .rcx = 0xc0000080, .rip = 2},
	{.name = "wrmsr",
         .code = {0x0f, 0x30, NOPS},
         .rcx = 0xc0000080,
         .operand = 0x500,
         .rip = 2},
	{.name = "mov-cr4",
         .code = {0x0f, 0x22, 0xe7, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = 0x620,
         .rip = 3},
	{.name = "wbinvd", .code = {0x0f, 0x09, NOPS}, .rip = 2},
	{.name = "hlt", .code = {0xf4, 0x90, NOPS}, .rip = 1},
	{.name = "hypercall",
         .code = {0x0f, 0x01, 0xd9, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = NOP_CALL,
         .rip = 3},
	{.name = "mmio-load", .code = {0x8a, 0x07, NOPS}, .operand = TEST_ID, .rip = 2},
	{.name = "mmio-store",
         .code = {0x88, 0x47, 0x08, 0x90, 0x90, 0x90, 0x90, 0x90},
         .operand = TEST_ID,
         .rip = 3},
};

/* Pages that are away during the delivery. */
enum away {
	NOTHING,
	THE_IDT,
	THE_STACK,
	THE_GDT,
	ALL,
	LAZY_STACK,
	AWAYS,
};

static const char *const away_names[AWAYS] = {"present", "idt", "stack",
                                              "gdt",     "all", "lazy-stack"};

static struct mm_gpa_range page_range(uint64_t page, uint64_t pages)
{
	return mm_gpa_range(mm_gpa_at(page), pages * PAGE);
}

/* Step n: takes the pages of enum away n from the guest. */
static uint64_t take_away(struct suite_run *run, uint64_t number)
{
	struct mm_gpa_range ranges[AWAYS] = {
		[THE_IDT] = page_range(IDT, 1),
		[THE_STACK] = page_range(STACK, 1),
		[THE_GDT] = page_range(GDT, 1),
		[ALL] = page_range(ARENA, 3),
	};

	return (uint64_t)(uint32_t)mm_aspace_protect(&run->vm->as, ranges[number], MM_NONE);
}

/* Gives the page of the fault back. */
static bool give_back(struct suite_run *run, const struct vm_exit *exit)
{
	uint64_t page = exit->fault.gpa.raw & ~(PAGE - 1);

	if (page < ARENA || page >= ARENA + 3 * PAGE)
		return false;
	run->scratch[0]++;
	return mm_aspace_protect(&run->vm->as, page_range(page, 1), MM_RW) == MM_OK;
}

/* A CPU may keep the descriptors of CS and SS: the GDT alone may not be read. */
static bool took_faults(struct suite_run *run)
{
	return run->scratch[0] > 0 || suite_fail(run, "no fault during the delivery");
}

static uint64_t code_of(const struct event *e, const struct host *host)
{
	uint64_t code = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint8_t byte = e->code[i];

		/* VMMCALL on SVM, VMCALL on VMX. */
		if (byte == 0xd9 && !x86_is_svm(host))
			byte = 0xc1;
		code |= (uint64_t)byte << 8 * i;
	}
	return code;
}

static void begin(struct suite_draft *d)
{
	draft_area(d, (struct suite_area)POPULATED(ARENA, 4 * PAGE, MM_RW));
	draft_area(d, (struct suite_area)LAZY(ARENA + 4 * PAGE, 4 * PAGE, MM_RW));
	d->c.uncounted = true;
	draft_op(d, (struct suite_op)IRQ_MASK(1));
	draft_op(d, (struct suite_op){X86_OP(TABLES, .addr = GDT, .value = 1)});
	draft_op(d, (struct suite_op)COPY_IDT(IDT));
}

/* The line is raised while interrupts are masked, and stays raised. */
static void raise_line(struct suite_draft *d)
{
	draft_op(d, (struct suite_op)TIMER(1));
	draft_op(d, (struct suite_op)SPIN(50000));
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
}

static void draft_event(struct suite_draft *d, const struct event *e, const struct host *host,
                        uint8_t how, uint64_t rsp)
{
	uint64_t at = rsp != 0 ? rsp : e->rcx;

	draft_op(d, (struct suite_op)EVENT(
			    code_of(e, host),
			    (uint8_t)(how | e->how | (rsp != 0 ? AGENT_X86_STACK : 0) |
	                              (e->masked ? AGENT_X86_MASKED : 0)),
			    at, e->operand,
			    AGENT_X86_GOT(e->vector, e->count ? e->count : 1, e->error, e->rip)));
}

static bool make_delivery(struct suite_draft *d, size_t index, const struct host *host)
{
	const struct event *e = &deliveries[index / AWAYS];
	enum away away = (enum away)(index % AWAYS);
	uint64_t rsp = away == LAZY_STACK ? LAZY_TOP : STACK + PAGE / 2;

	if (index >= MM_ARRAY_SIZE(deliveries) * AWAYS)
		return false;
	draft_name(d, "event.%s.%s", e->name, away_names[away]);
	begin(d);
	if (e->pending)
		raise_line(d);
	if (away != NOTHING && away != LAZY_STACK) {
		draft_op(d, (struct suite_op)STEP(away));
		d->c.step = take_away;
		d->c.repair = give_back;
		d->c.verify = away == THE_GDT ? NULL : took_faults;
	}
	/* RCX and RSP share a field of the operation: RDMSR has its own stack. */
	draft_event(d, e, host, 0, e->rcx != 0 ? 0 : rsp);
	if (e->cr2)
		draft_op(d, (struct suite_op)AFTER(CR2, e->operand));
	draft_op(d, (struct suite_op)TIMER(0));
	if (e->rcx != 0 && (away == THE_STACK || away == LAZY_STACK))
		d->c.verify = NULL;
	return true;
}

#define CR0_AM UINT64_C(0x80050033) /* AM beside what the agent has */

static bool make_user(struct suite_draft *d, size_t index, const struct host *host)
{
	const struct event *e = &user_events[index / AWAYS];
	enum away away = (enum away)(index % AWAYS);
	uint8_t how = AGENT_X86_USER | (e->pending ? 0 : AGENT_X86_MASKED);

	if (index >= MM_ARRAY_SIZE(user_events) * AWAYS)
		return false;
	draft_name(d, "event.user.%s.%s", e->name, away_names[away]);
	begin(d);
	if (e->vector == AC)
		draft_op(d, (struct suite_op)WRITE_CR(0, CR0_AM));
	if (away == LAZY_STACK)
		draft_op(d, (struct suite_op)WRITE(8, AGENT_X86_TSS(GDT) + 4, LAZY_TOP));
	if (e->pending)
		raise_line(d);
	if (away != NOTHING && away != LAZY_STACK) {
		draft_op(d, (struct suite_op)STEP(away));
		d->c.step = take_away;
		d->c.repair = give_back;
		d->c.verify = took_faults;
	}
	draft_event(d, e, host, how, 0);
	if (e->cr2)
		draft_op(d, (struct suite_op)AFTER(CR2, e->operand));
	draft_op(d, (struct suite_op)TIMER(0));
	/* The agent itself goes on at CPL 0. */
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	return true;
}

/* #AC after an event with an error code, during whose delivery the stack was away. */
static bool make_two_errors(struct suite_draft *d, size_t index, const struct host *host)
{
	struct event gp = {.code = {0x8e, 0xe2, NOPS},
	                   .operand = UINT64_C(0x7ffc) << 32,
	                   .vector = GP,
	                   .error = 0x7ffc};
	struct event ac = {.code = {0x8b, 0x07, NOPS}, .operand = MISALIGNED, .vector = AC};
	uint8_t how = AGENT_X86_USER | AGENT_X86_MASKED;

	if (index > 0)
		return false;
	draft_name(d, "event.user.ac-after-gp");
	begin(d);
	draft_op(d, (struct suite_op)WRITE_CR(0, CR0_AM));
	draft_op(d, (struct suite_op)STEP(THE_STACK));
	d->c.step = take_away;
	d->c.repair = give_back;
	d->c.verify = took_faults;
	draft_event(d, &gp, host, how, 0);
	draft_event(d, &ac, host, how, 0);
	return true;
}

static bool make_shadow(struct suite_draft *d, size_t index, const struct host *host)
{
	struct event e;

	if (index >= MM_ARRAY_SIZE(shadows))
		return false;
	e = shadows[index];
	e.vector = IRQ;
	e.masked = true;
	draft_name(d, "event.shadow.%s", e.name);
	begin(d);
	raise_line(d);
	draft_event(d, &e, host, 0, 0);
	/* The line is lowered: there is no second interrupt. */
	draft_op(d, (struct suite_op)TIMER(0));
	draft_op(d,
	         (struct suite_op)EVENT(UINT64_C(0x90909090909090fb), AGENT_X86_MASKED, 0, 0, 0));
	return true;
}

/* The interrupt line has no priority: CR8 does not hold it back. */
static bool make_tpr(struct suite_draft *d, size_t index, const struct host *host)
{
	if (index > 0)
		return false;
	draft_name(d, "event.above-tpr");
	if (!x86_is_svm(host)) {
		d->c.arch = "none"; /* not selected on any architecture */
		return true;
	}
	begin(d);
	draft_op(d, (struct suite_op)WRITE_CR(8, 15));
	raise_line(d);
	draft_event(d, &deliveries[INTERRUPT], host, 0, 0);
	draft_op(d, (struct suite_op)TIMER(0));
	return true;
}

static bool make_step(struct suite_draft *d, size_t index, const struct host *host)
{
	struct event e;

	if (index >= MM_ARRAY_SIZE(steps))
		return false;
	e = steps[index];
	e.vector = DB;
	draft_name(d, "event.step.%s", e.name);
	begin(d);
	draft_op(d, (struct suite_op)WRITE_CR(4, 0x620));
	draft_op(d, (struct suite_op){X86_OP(WRITE_DR, .addr = 6, .value = 0xffff0ff0)});
	draft_event(d, &e, host, AGENT_X86_STEP, 0);
	draft_op(d, (struct suite_op)AFTER(DR6, 0xffff4ff0));
	return true;
}

static const struct suite_case cases[] = {
	{
		/* The line goes up and down while interrupts are masked: nothing is delivered. */
		.name = "event.withdrawn",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script = SCRIPT(COPY_IDT(IDT), IRQ_MASK(1), TIMER(1), SPIN(50000),
                                 CALL(GUEST_NOP, 0, 0, GUEST_OK, 0), TIMER(0),
                                 EVENT(UINT64_C(0x90909090909090fb), AGENT_X86_MASKED, 0, 0, 0)),
		.uncounted = true,
	},
	{
		/* The line of one VM is not that of another on the same CPU. */
		.name = "event.line-of-another",
		.areas = AREAS(POPULATED(ARENA, 4 * PAGE, MM_RW)),
		.script =
			SCRIPT(COPY_IDT(IDT), IRQ_MASK(1), TIMER(1), SPIN(50000), YIELD(), YIELD(),
                               EVENT(UINT64_C(0x90909090909090fb), AGENT_X86_MASKED, 0, 0,
                                     AGENT_X86_GOT(IRQ, 1, 0, 2)),
                               TIMER(0)),
		.beside = {SCRIPT(COPY_IDT(IDT), YIELD(),
                                  EVENT(UINT64_C(0x90909090909090fb), AGENT_X86_MASKED, 0, 0, 0),
                                  YIELD(),
                                  EVENT(UINT64_C(0x90909090909090fb), AGENT_X86_MASKED, 0, 0, 0))},
		.share_cpu = true,
		.uncounted = true,
	},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	if (make_delivery(d, index, host))
		return true;
	index -= MM_ARRAY_SIZE(deliveries) * AWAYS;
	if (make_user(d, index, host))
		return true;
	index -= MM_ARRAY_SIZE(user_events) * AWAYS;
	if (make_two_errors(d, index, host))
		return true;
	index--;
	if (make_shadow(d, index, host))
		return true;
	index -= MM_ARRAY_SIZE(shadows);
	if (make_tpr(d, index, host))
		return true;
	return make_step(d, index - 1, host);
}

const struct suite_subject suite_x86_events = {
	.name = "event",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "event.",
};
