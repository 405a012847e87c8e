/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparison of results: see compare.h. Each difference is one line of the log, with the expected
 * and the actual result.
 */
#include "suite/compare.h"

#define ANSWER_NAMES                                                                               \
	{                                                                                          \
		"done", "unsupported", "undefined", "page-fault", "access-fault", "alignment",     \
			"debug", "other-trap", "not-run"                                           \
	}

static const char *trap_name(uint32_t trap)
{
	static const char *const names[] = ANSWER_NAMES;

	return trap < MM_ARRAY_SIZE(names) ? names[trap] : "?";
}

static const char *outcome_name(unsigned outcome)
{
	return outcome == SUITE_MISCONFIG ? "misconfig" : mm_fault_name((enum mm_fault)outcome);
}

/* --- faults --- */

/* Fault number `i` of a row that stands for several faults. */
static uint64_t gpa_of(const struct suite_fault *row, uint32_t i)
{
	return row->gpa + i * row->stride;
}

static uint32_t count_of(const struct suite_fault *row)
{
	return row->count != 0 ? row->count : 1;
}

static bool same_place(const struct suite_fault *row, uint64_t gpa, const struct fault_record *got)
{
	if (row->page || got->gpa_is_page)
		return mm_align_down(gpa, PAGE) == mm_align_down(got->gpa.raw, PAGE);
	return gpa == got->gpa.raw;
}

static bool matches(const struct suite_fault *row, uint32_t i, const struct fault_record *got)
{
	return same_place(row, gpa_of(row, i), got) && (row->access & (unsigned)got->access) != 0 &&
	       row->outcome == (unsigned)got->result && row->walk == got->stage1_walk;
}

static void say_expected(struct suite_run *run, const struct suite_fault *row, uint32_t i)
{
	suite_fail(run, "expected fault gpa=0x%" PRIx64 " access=%s outcome=%s walk=%d",
	           gpa_of(row, i), mm_perm_name((enum mm_perm)row->access),
	           outcome_name(row->outcome), row->walk);
}

static void say_got(struct suite_run *run, size_t at, const struct fault_record *got)
{
	suite_fail(run, "got fault %zu gpa=0x%" PRIx64 " access=%s outcome=%s walk=%d vcpu=%u", at,
	           got->gpa.raw, mm_perm_name(got->access), outcome_name(got->result),
	           got->stage1_walk, got->vcpu);
}

static size_t trace_length(const struct suite_run *run)
{
	size_t count = run->trace.count;

	return count < run->trace.capacity ? count : run->trace.capacity;
}

/*
 * With other vCPUs running, a fault may find its page present for two reasons. Another vCPU mapped
 * the page first. Or this CPU's TLB held an invalid entry (RISC-V privileged manual, "Supervisor
 * Memory-Management Fence Instruction": invalid entries may be cached). QEMU up to 10 for RISC-V
 * may also fault if two CPUs set A in one entry at the same time (docs/found.md). The access is
 * retried and takes no frame.
 */
static size_t skip_spurious(const struct suite_run *run, size_t at, size_t length)
{
	while (run->vm->vcpu_count > 1 && at < length &&
	       run->trace.records[at].result == MM_FAULT_SPURIOUS)
		at++;
	return at;
}

static void compare_in_order(struct suite_run *run)
{
	const struct suite_fault *row = run->c->faults;
	size_t at = 0, length = trace_length(run);

	for (; row != NULL && !row->end; row++) {
		for (uint32_t i = 0; i < count_of(row); i++) {
			if (at >= length || !matches(row, i, &run->trace.records[at]))
				at = skip_spurious(run, at, length);
			if (at < length && matches(row, i, &run->trace.records[at])) {
				at++;
			} else if (!row->optional) {
				say_expected(run, row, i);
				if (at < length)
					say_got(run, at, &run->trace.records[at]);
				return;
			}
		}
	}
	at = skip_spurious(run, at, length);
	if (at < length)
		say_got(run, at, &run->trace.records[at]);
}

/* Finds the row of the list that matches this fault and no earlier one. */
static bool claim(struct suite_run *run, const struct fault_record *got, bool claimed[])
{
	size_t index = 0;

	for (const struct suite_fault *row = run->c->faults; row != NULL && !row->end; row++) {
		for (uint32_t i = 0; i < count_of(row) && index < SUITE_TRACE; i++, index++) {
			if (!claimed[index] && matches(row, i, got)) {
				claimed[index] = true;
				return true;
			}
		}
	}
	return false;
}

static void compare_as_set(struct suite_run *run)
{
	static bool claimed[SUITE_TRACE];
	size_t index = 0;

	for (size_t i = 0; i < SUITE_TRACE; i++)
		claimed[i] = false;
	for (size_t at = 0; at < trace_length(run); at++) {
		/* Another CPU may have mapped the page just before: the access is retried and takes
		 * no frame. */
		if (run->trace.records[at].result == MM_FAULT_SPURIOUS)
			continue;
		if (!claim(run, &run->trace.records[at], claimed))
			say_got(run, at, &run->trace.records[at]);
	}
	for (const struct suite_fault *row = run->c->faults; row != NULL && !row->end; row++) {
		for (uint32_t i = 0; i < count_of(row) && index < SUITE_TRACE; i++, index++) {
			if (!claimed[index] && !row->optional)
				say_expected(run, row, i);
		}
	}
}

/* Keeps the faults that count. */
static void drop_own_faults(struct suite_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < trace_length(run); i++) {
		if (run->trace.records[i].gpa.raw >= ARENA)
			run->trace.records[kept++] = run->trace.records[i];
	}
	run->trace.count = kept;
}

void compare_faults(struct suite_run *run)
{
	if (run->c->arena_only && run->trace.count <= run->trace.capacity)
		drop_own_faults(run);
	if (run->trace.count > run->trace.capacity)
		suite_fail(run, "%zu faults, more than can be kept", (size_t)run->trace.count);
	else if (run->c->uncounted)
		return;
	else if (run->c->unordered)
		compare_as_set(run);
	else
		compare_in_order(run);
}

/* --- results --- */

size_t script_length(const struct suite_op *script)
{
	size_t n = 0;

	while (script[n].op.code != AGENT_END)
		n++;
	return n;
}

static bool right_trap(const struct suite_op *want, uint32_t trap)
{
	if (want->any_trap)
		return trap == AGENT_DONE || trap == AGENT_UNDEFINED || trap == AGENT_ACCESS;
	return trap == want->trap;
}

static void compare_result(struct suite_run *run, const char *who, size_t i,
                           const struct suite_op *want, const struct agent_result *got)
{
	if (!right_trap(want, got->trap))
		suite_fail(run, "%s, op %zu: expected %s, got %s cause=0x%x addr=0x%" PRIx64, who,
		           i, trap_name(want->trap), trap_name(got->trap), got->cause, got->addr);
	else if (got->trap == AGENT_DONE && !want->any_value && got->value != want->value)
		suite_fail(run, "%s, op %zu: expected 0x%" PRIx64 ", got 0x%" PRIx64, who, i,
		           want->value, got->value);
	else if (got->trap != AGENT_DONE && want->addr != 0 && got->addr != want->addr)
		suite_fail(run, "%s, op %zu: expected a trap at 0x%" PRIx64 ", got 0x%" PRIx64, who,
		           i, want->addr, got->addr);
}

void compare_script(struct suite_run *run, const char *who, const struct suite_op *script,
                    const struct agent_mailbox *mailbox, size_t due)
{
	size_t length = script_length(script);

	for (size_t i = 0; i < length && i < mailbox->done; i++) {
		if (mailbox->results[i].trap == AGENT_UNSUPPORTED &&
		    script[i].trap != AGENT_UNSUPPORTED) {
			run->skip = "an instruction or page size that this CPU does not have";
			return;
		}
		compare_result(run, who, i, &script[i], &mailbox->results[i]);
	}
	if (mailbox->done != due)
		suite_fail(run, "%s: %u operations of %zu are finished", who, mailbox->done, due);
}

void compare_results(struct suite_run *run, unsigned vcpu, const struct agent_mailbox *mailbox)
{
	const struct suite_op *script = suite_script_of(run->c, vcpu);
	char name[16];
	size_t due = script_length(script);

	/* When the VM is killed, vCPU 0 is in its last operation. The other vCPUs may be in any
	 * operation. vCPU 0's operation may kill the VM before vCPU 0 has stored its result. */
	if (run->c->end == SUITE_DIES) {
		bool noting = run->vm->vcpu_count > 1 && mailbox->done + 2 == due;

		due = vcpu == 0 && !noting ? due - 1 : mailbox->done;
	}
	format_string(name, sizeof(name), "vcpu %u", vcpu);
	compare_script(run, name, script, mailbox, due);
}

/* --- the end --- */

static enum vm_kill kill_of(const struct suite_case *c)
{
	const struct suite_fault *last = c->faults;

	if (c->kill != KILL_NONE || last == NULL || last->end)
		return c->kill;
	while (!last[1].end)
		last++;
	switch (last->outcome) {
	case MM_FAULT_PERMISSION:
		return KILL_PERMISSION;
	case MM_FAULT_OUT_OF_RANGE:
		return KILL_OUT_OF_RANGE;
	case MM_FAULT_NO_MEMORY:
		return KILL_NO_MEMORY;
	case MM_FAULT_QUOTA:
		return KILL_QUOTA;
	case MM_FAULT_IS_DEVICE:
		return KILL_MMIO_REFUSED;
	case SUITE_MISCONFIG:
		return KILL_MISCONFIG;
	default:
		return KILL_NOT_MAPPED;
	}
}

void compare_end(struct suite_run *run)
{
	const struct vm *vm = run->vm;
	bool dies = run->c->end == SUITE_DIES;

	if (vm->outcome == VM_KILLED && vm->reason == KILL_HANG && run->c->kill != KILL_HANG)
		suite_fail(run, "hangs: no progress in %u s of guest time",
		           run->c->quiet_s != 0 ? run->c->quiet_s : HANG_QUIET);
	else if (vm->outcome == VM_KILLED && vm->reason == KILL_BUDGET && !dies)
		suite_fail(run, "does not end: more than %u s of guest time",
		           run->c->total_s != 0 ? run->c->total_s : HANG_TOTAL);
	else if (dies != (vm->outcome == VM_KILLED))
		suite_fail(run,
		           "expected the VM to %s; it %s (reason=%s gpa=0x%" PRIx64
		           " status=0x%" PRIx64 ")",
		           dies ? "be killed" : "exit",
		           vm->outcome == VM_KILLED ? "was killed" : "exited",
		           vm_kill_name(vm->reason), vm->kill_gpa.raw, vm->exit_status);
	else if (dies && vm->reason != kill_of(run->c))
		suite_fail(run, "expected to be killed for %s, was for %s",
		           vm_kill_name(kill_of(run->c)), vm_kill_name(vm->reason));
	else if (!dies && vm->exit_status != 0)
		suite_fail(run, "exit status 0x%" PRIx64, vm->exit_status);
}
