/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of a guest: exceptions, software interrupts and the interrupt line (SDM vol. 3C, 27.6 and
 * 28.2.4). Each is delivered once, with its error code and its return address. The delivery itself
 * may exit:
 *
 *	vmx.event.present.*  no exit
 *	vmx.event.stack.*    the stack of the handler is not present in the EPT
 *	vmx.event.idt.*      the EPT refuses the read of the IDT
 *	vmx.event.logged.*   the CPU's log of dirty pages is full when it writes to the stack
 */
#include "suite/x86_64/vmx_guest.h"
#include "suite/x86_64/vmx_read.h"
#include "suite/x86_64/vmx_subjects.h"
#include "suite/x86_64/x86.h"

/* Steps. */
#define LOG_FULL 3U
#define LOG_LAST 4U /* one entry is free */

#define LOGGED_STEPS 2U

#define DR6_CLEAR   UINT64_C(0xffff0ff0)
#define DR6_GUARDED UINT64_C(0xffff2ff0) /* BD */
#define DR7_CLEAR   UINT64_C(0x400)
#define DR7_GUARDED UINT64_C(0x2400) /* GD */

/* The index of a full log: SDM vol. 3C, 29.3.6. */
#define PML_INDEX      0x0812U
#define PML_INDEX_FULL 0xffffU

enum delivery {
	PRESENT,
	STACK_ABSENT,
	IDT_REFUSED,
	LOGGED,
	DELIVERIES
};
#define EACH (1U << PRESENT | 1U << STACK_ABSENT | 1U << IDT_REFUSED | 1U << LOGGED)
#define ONLY (1U << PRESENT)

static const char *const delivery_names[] = {"present", "stack", "idt", "logged"};

#define EVENTS_MOST 2

static const struct row {
	const char *name;
	const uint8_t *entry, *at;
	unsigned deliveries; /* bit per enum delivery */
	unsigned count;
	struct {
		uint64_t vector, error;
	} events[EVENTS_MOST];
	uint64_t cr2;
	unsigned slack; /* the return address may be this number of bytes lower */
} rows[] = {
#define ROW(name, deliveries, count, ...)                                                          \
	{                                                                                          \
#name, vmx_do_##name, vmx_at_##name, deliveries, count, {__VA_ARGS__ }, 0, 0       \
	}
	ROW(int40, EACH, 1, {0x40, 0}),
	ROW(int40_prefixed, EACH, 1, {0x40, 0}),
	ROW(int3, EACH, 1, {3, 0}),
	ROW(icebp, EACH, 1, {1, 0}),
	ROW(icebp_after_mov_ss, ONLY, 1, {1, 0}),
	ROW(ud2, EACH, 1, {6, 0}),
	ROW(gp, EACH, 1, {13, 0x1b8}),
	ROW(gp_then_emulated, EACH, 2, {13, 0x1b8}, {13, 0}),
	{"page_fault",
         vmx_do_page_fault,
         vmx_at_page_fault,
         EACH,
         1,
         {{14, 0}},
         UINT64_C(0x7f0000000123),
         0},
	ROW(sti_nop, EACH, 1, {0x20, 0}),
	ROW(sti_call, ONLY, 1, {0x20, 0}),
	ROW(sti_cpuid, EACH, 1, {0x20, 0}),
	{"mov_ss_cpuid", vmx_do_mov_ss_cpuid, vmx_at_mov_ss_cpuid, ONLY, 1, {{0x20, 0}}, 0, 2},
	ROW(step_cpuid, EACH & ~(1U << LOGGED), 1, {1, 0}),
	ROW(step_port, EACH & ~(1U << LOGGED), 1, {1, 0}),
	ROW(step_device, EACH & ~(1U << LOGGED), 1, {1, 0}),
	ROW(step_wbinvd, EACH & ~(1U << LOGGED), 1, {1, 0}),
	/* The line is raised at the fault of the delivery. */
	ROW(open_int40, 1U << STACK_ABSENT, 2, {0x40, 0}, {0x20, 0}),
	ROW(withdrawn, ONLY, 0),
	ROW(masked, ONLY, 0),
};

static const struct row *row_of(const struct suite_run *run)
{
	return run->c->data;
}

static bool records_events(struct suite_run *run)
{
	const struct row *row = row_of(run);
	uint64_t at = CODE_AT(row->at);
	struct vmx_record record;

	if (!vmx_get_record(run, &record))
		return false;
	if (record.count != row->count)
		suite_fail(run, "expected %u events, got %" PRIu64, row->count, record.count);
	for (unsigned i = 0; i < row->count && i < record.count; i++) {
		const struct vmx_event *e = &record.log[i];
		bool last = i + 1 == row->count || row->events[0].vector == 0x40;

		if (e->vector != row->events[i].vector || e->error != row->events[i].error)
			suite_fail(run, "event %u: vector 0x%" PRIx64 " error 0x%" PRIx64, i,
			           e->vector, e->error);
		if (last && e->rip != at && e->rip != at - row->slack)
			suite_fail(run, "event %u: expected RIP 0x%" PRIx64 ", got 0x%" PRIx64, i,
			           at, e->rip);
		if (e->cs != 0x08)
			suite_fail(run, "event %u: CS 0x%" PRIx64, i, e->cs);
		if (row->cr2 != 0 && e->cr2 != row->cr2)
			suite_fail(run, "event %u: CR2 0x%" PRIx64, i, e->cr2);
	}
	return run->complaints == 0;
}

/* --- the ways of delivery --- */

static bool refuse_idt(struct suite_run *run)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(IDT), PAGE);

	return vmx_put_code(run) && mm_aspace_protect(&run->vm->as, page, MM_NONE) == MM_OK;
}

static bool permit_idt(struct suite_run *run, const struct vm_exit *exit)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(IDT), PAGE);

	return exit->fault.gpa.raw >= IDT && exit->fault.gpa.raw < IDT + PAGE &&
	       mm_aspace_protect(&run->vm->as, page, MM_RWX) == MM_OK;
}

/* While an event is being delivered, another one becomes pending. */
static void raise_line(struct suite_run *run, const struct vm_exit_fault *fault)
{
	if (fault->gpa.raw >= STACK && fault->gpa.raw < STACK_TOP)
		(void)vmx_line_step(run, VMX_RAISE);
}

static uint64_t fill_log(struct suite_run *run, uint64_t number)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;

	if (number != LOG_FULL && number != LOG_LAST)
		return vmx_line_step(run, number);
	if (!vcpu->ops->log_writes(vcpu, true))
		return 1;
	vmcs_write(PML_INDEX, number == LOG_FULL ? PML_INDEX_FULL : 0);
	return 0;
}

static bool was_full_once(struct suite_run *run)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;
	static mm_gpa_t pages[1024];
	struct vcpu_writes writes;

	writes = vcpu->ops->take_writes(vcpu, pages, MM_ARRAY_SIZE(pages));
	if (writes.full_exits != 1)
		suite_fail(run, "expected 1 exit for a full log, got %u", writes.full_exits);
	vcpu->ops->park(vcpu);
	return run->complaints == 0;
}

static bool logs_stack(struct suite_run *run)
{
	return was_full_once(run) && records_events(run);
}

static void draft_delivery(struct suite_draft *d, const struct row *row, enum delivery how)
{
	struct suite_fault stack = MAPPED(STACK, MM_W);
	struct suite_fault idt = FAULT(IDT, MM_R, MM_FAULT_PERMISSION);

	stack.page = idt.page = true;
	if (how == LOGGED) {
		/* The page of the record is dirty before, so that only the stack finds the log
		 * full. */
		draft_op(d, (struct suite_op)WRITE(8, CODE_AT(vmx_record), 0));
		draft_op(d, (struct suite_op)STEP(LOG_FULL));
		d->c.needs |= SUITE_NEEDS_PML;
		d->c.verify = logs_stack;
	} else if (how == STACK_ABSENT) {
		d->areas[1].kind = SUITE_LAZY;
		draft_fault(d, stack);
		if (row->entry == vmx_do_open_int40)
			d->c.meanwhile = raise_line;
	} else if (how == IDT_REFUSED) {
		d->c.ready = refuse_idt;
		d->c.repair = permit_idt;
		draft_fault(d, idt);
	}
}

static void draft_row(struct suite_draft *d, const struct row *row, enum delivery how)
{
	draft_name(d, "vmx.event.%s.%s", delivery_names[how], row->name);
	draft_area(d, (struct suite_area)CODE_AREA);
	draft_area(d, (struct suite_area)POPULATED(STACK, PAGE, MM_RW));
	d->c.data = row;
	d->c.arena_only = true;
	d->c.ready = vmx_put_code;
	d->c.step = fill_log;
	d->c.verify = records_events;
	draft_delivery(d, row, how);
	draft_op(d, (struct suite_op)CALL_CODE(CODE_AT(row->entry), STACK_TOP, row->count));
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
}

/* A single step during whose delivery the log is full: the instruction before it has written the
 * last entry. It is lost if it is not injected again, because that instruction is not executed
 * again. Bochs exits for a full log at each walk of the guest's tables, so the log may not be full
 * before. The events before make the pages of the agent dirty. */
static void make_logged_step(struct suite_draft *d, size_t index)
{
	/* MOV [RDI], AL; XCHG [RDI], EAX */
	static const uint64_t codes[LOGGED_STEPS] = {UINT64_C(0x9090909090900788),
	                                             UINT64_C(0x9090909090900787)};
	struct suite_op nop = EVENT(UINT64_C(0x9090909090909090), AGENT_X86_MASKED | AGENT_X86_STEP,
	                            0, 0, AGENT_X86_GOT(1, 1, 0, 1));
	struct suite_op step =
		EVENT(codes[index], AGENT_X86_MASKED | AGENT_X86_STEP | AGENT_X86_STACK, STACK_TOP,
	              STACK_TOP, AGENT_X86_GOT(1, 1, 0, 2));

	draft_name(d, "vmx.event.logged.step-%zu", index);
	draft_area(d, (struct suite_area)CODE_AREA);
	draft_area(d, (struct suite_area)POPULATED(STACK, 2 * PAGE, MM_RW));
	d->c.needs = SUITE_NEEDS_PML;
	d->c.uncounted = true;
	d->c.step = fill_log;
	d->c.verify = was_full_once;
	draft_op(d, (struct suite_op)COPY_IDT(IDT));
	draft_op(d, nop);
	draft_op(d, nop);
	draft_op(d, (struct suite_op)STEP(LOG_LAST));
	draft_op(d, step);
}

/* DR7.GD: each access to a debug register raises #DB with DR6.BD, and GD is clear in the handler,
 * which reads DR6: SDM vol. 3B, 18.2.4. */
static bool make_guarded(struct suite_draft *d, size_t index)
{
	static const struct {
		const char *name;
		uint64_t code;
	} rows[] = {
		{"read-dr0", UINT64_C(0x9090909090c0210f)},
		{"write-dr3", UINT64_C(0x9090909090d8230f)},
		{"read-dr6", UINT64_C(0x9090909090f0210f)},
		{"write-dr7", UINT64_C(0x9090909090f8230f)},
	};

	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	draft_name(d, "vmx.event.guarded.%s", rows[index].name);
	draft_area(d, (struct suite_area)CODE_AREA);
	d->c.uncounted = true;
	draft_op(d, (struct suite_op)COPY_IDT(IDT));
	draft_op(d, (struct suite_op){X86_OP(WRITE_DR, .addr = 6, .value = DR6_CLEAR)});
	draft_op(d, (struct suite_op){X86_OP(WRITE_DR, .addr = 7, .value = DR7_GUARDED)});
	draft_op(d, (struct suite_op)EVENT(rows[index].code, AGENT_X86_MASKED, 0, 0,
	                                   AGENT_X86_GOT(1, 1, 0, 0)));
	draft_op(d, (struct suite_op)AFTER(DR6, DR6_GUARDED));
	draft_op(d, (struct suite_op){X86_OP(READ_DR, .addr = 7), .value = DR7_CLEAR});
	return true;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	const struct row *row = &rows[index / DELIVERIES];
	enum delivery how = (enum delivery)(index % DELIVERIES);

	if (!vmx_is_here(host))
		return false;
	if (index >= MM_ARRAY_SIZE(rows) * DELIVERIES) {
		index -= MM_ARRAY_SIZE(rows) * DELIVERIES;
		if (index >= LOGGED_STEPS)
			return make_guarded(d, index - LOGGED_STEPS);
		make_logged_step(d, index);
		return true;
	}
	draft_row(d, row, how);
	if (!(row->deliveries & 1U << how))
		d->c.arch = "none"; /* not selected */
	return true;
}

const struct suite_subject suite_vmx_event = {
	.name = "vmx",
	.generate = generate,
	.generated = "vmx.event.",
};
