/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boundary addresses (bounds.h) in a guest's own instructions. There are loads, stores and fetches
 * at any guest-physical address, accesses of all widths at the edges of devices, and GUEST_EXIT
 * with boundary values.
 *
 * A VM is killed for an access to an address that is not mapped. One VM has to try many such
 * addresses. So the case's repair() handles the fault by an undefined-instruction exception in the
 * guest. The agent stores the exception as the result of the operation. An operation that certainly
 * ends the VM has one run of the VM for itself (vm_restart()).
 */
#include "kernel/run.h"
#include "kernel/string.h"
#include "machine.h"
#include "suite/beside.h"
#include "suite/bounds.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"

#define SLOTS      4U
#define LIST       (ARENA + 8 * MIB2)
#define LIST_PAGES 16U
#define LIST_MAX   (LIST_PAGES * PAGE / sizeof(struct agent_step))
#define PATTERN    UINT64_C(0xacce55acce55acc0)
#define RAM_LIMIT  AGENT_MAILBOX_BASE /* all RAM of the VM is below it, whatever its size */

/* --- one access at each address --- */

enum way {
	LOAD,
	STORE,
	CALL_CODE,
	WAYS,
};

static const char *const way_names[WAYS] = {"load", "store", "fetch"};
static const enum mm_perm way_access[WAYS] = {MM_R, MM_W, MM_X};

/* The result of an access. */
enum due {
	NOTHING,  /* not made: the guest requires this memory */
	DONE,     /* it succeeds */
	REFUSED,  /* it ends in a fault */
	NO_PLACE, /* the guest cannot express that address */
};

struct access {
	struct agent_op op;
	enum due due;
};

static bool in(uint64_t at, uint64_t start, uint64_t bytes)
{
	return mm_gpa_range_contains(mm_gpa_range(mm_gpa_at(start), bytes), mm_gpa_at(at));
}

static enum due due_at(uint64_t at, enum way way)
{
	/* An entry of x86's own page tables has 52 address bits. */
	if (strcmp(machine_arch, "x86_64") == 0 && at >> 52 != 0)
		return NO_PLACE;
	if (in(at, GUEST_UART_BASE, 2 * PAGE))
		return NOTHING;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (in(at, ARENA + i * GIB(1), PAGE))
			return way == CALL_CODE ? REFUSED : DONE;
	}
	if (in(at, GUEST_INFO_BASE, PAGE))
		return way == LOAD ? DONE : REFUSED;
	if (in(at, GUEST_RAM_BASE, RAM_LIMIT - GUEST_RAM_BASE) ||
	    in(at, AGENT_MAILBOX_BASE, AGENT_SHARED_BASE + PAGE - AGENT_MAILBOX_BASE) ||
	    in(at, LIST, LIST_PAGES * PAGE))
		return NOTHING;
	return REFUSED;
}

/* Bytes at any address, and words at multiples of their size. No access crosses a page. */
static struct access access_of(uint64_t at, enum way way, bool wide)
{
	struct access access = {.op = {.code = AGENT_FAR, .width = wide ? 8 : 1, .value = at}};

	if (way == CALL_CODE)
		at = mm_align_down(at, 4);
	else if (wide)
		at = mm_align_down(at, 8);
	access.op.addr = at;
	access.op.flags = way == STORE ? AGENT_STORE : way == CALL_CODE ? AGENT_JUMP : 0;
	access.due = due_at(at, way);
	return access;
}

#define PREFIX "hostile.boundary."

static bool is_named(const struct suite_run *run, const char *word)
{
	return memcmp(run->c->name + strlen(PREFIX), word, strlen(word)) == 0;
}

static enum way way_of(const struct suite_run *run)
{
	unsigned way = LOAD;

	while (way + 1 < WAYS && !is_named(run, way_names[way]))
		way++;
	return (enum way)way;
}

typedef bool visit_access(struct suite_run *run, size_t at, const struct access *access);

/* Calls `visit` with each access of the case, in order. Stops when `visit` returns false. */
static bool each_access(struct suite_run *run, visit_access *visit)
{
	const struct bounds b = {mm_npt_gpa_bits(&suite_geometry()->npt), ARENA, SLOTS};
	enum way way = way_of(run);
	uint64_t value;
	size_t at = 0;

	for (size_t i = 0; bounds_value(&b, i, &value); i++) {
		for (unsigned wide = 0; wide < (way == CALL_CODE ? 1U : 2U); wide++) {
			struct access access = access_of(value, way, wide != 0);

			if (access.due != NOTHING && access.due != NO_PLACE &&
			    !visit(run, at++, &access))
				return false;
		}
	}
	return true;
}

static mm_gpa_t step_at(size_t at)
{
	return mm_gpa_at(LIST + at * sizeof(struct agent_step));
}

static bool write_access(struct suite_run *run, size_t at, const struct access *access)
{
	struct agent_step step = {.op = access->op, .result = {.trap = AGENT_NOT_RUN}};

	if (at >= LIST_MAX)
		return suite_fail(run, "more accesses than the list holds");
	run->scratch[0] = at + 1;
	return mm_aspace_write(&run->vm->as, step_at(at), &step, sizeof(step)) == MM_OK;
}

/* The faults that would have killed the VM, in order. */
static struct {
	uint64_t gpa;
	enum mm_perm access;
} refused[LIST_MAX];

static size_t refused_count;

/* The guest takes an exception instead of being killed. */
static bool refuse(struct suite_run *run, const struct vm_exit *exit)
{
	if (refused_count == LIST_MAX)
		return false;
	refused[refused_count].gpa = exit->fault.gpa.raw;
	refused[refused_count].access = exit->fault.access;
	refused_count++;
	run->vm->ops->inject_undefined(&run->vm->vcpus[0].vcpu);
	return true;
}

/* Checks that the next fault belongs to this access. Some machines do not report the highest bits
 * of an address. */
static bool next_refused(struct suite_run *run, const struct access *access)
{
	size_t n = run->scratch[1]++;
	uint64_t at = access->op.addr;

	if (n >= refused_count)
		return suite_fail(run, "no fault at 0x%" PRIx64, at);
	if (mm_align_down(refused[n].gpa ^ at, PAGE) << 8 == 0 &&
	    refused[n].access == way_access[way_of(run)])
		return true;
	return suite_fail(run, "expected a fault at 0x%" PRIx64 ", got 0x%" PRIx64 " (%s)", at,
	                  refused[n].gpa, mm_perm_name(refused[n].access));
}

/* A fault that the hypervisor handled, or an exception of the guest's own first stage, which cannot
 * express every address. */
static bool judge_access(struct suite_run *run, size_t at, const struct access *access)
{
	struct agent_result got;
	mm_gpa_t where = mm_gpa_plus(step_at(at), sizeof(struct agent_op));

	if (mm_aspace_read(&run->vm->as, where, &got, sizeof(got)) != MM_OK)
		return suite_fail(run, "the list cannot be read");
	if (access->due == REFUSED && got.trap == AGENT_UNDEFINED)
		return next_refused(run, access);
	if (access->due == DONE ? got.trap == AGENT_DONE
	                        : got.trap == AGENT_PAGE_FAULT || got.trap == AGENT_ACCESS)
		return true;
	return suite_fail(run, "0x%" PRIx64 " expected it to be %s, got trap %u, value 0x%" PRIx64,
	                  access->op.addr, access->due == DONE ? "done" : "refused", got.trap,
	                  got.value);
}

/* Writes the list and gives its length to the operation that runs it. */
static bool list_ready(struct suite_run *run)
{
	const struct suite_op *script = run->c->script;
	uint64_t op = AGENT_MAILBOX_BASE + __builtin_offsetof(struct agent_mailbox, script);

	while ((script++)->op.code != AGENT_STEPS)
		op += sizeof(struct agent_op);
	run->vm->trace = NULL;
	refused_count = 0;
	return each_access(run, write_access) &&
	       mm_aspace_store(&run->vm->as,
	                       mm_gpa_at(op + __builtin_offsetof(struct agent_op, count)), 4,
	                       run->scratch[0]) == MM_OK;
}

static bool list_verify(struct suite_run *run)
{
	if (!each_access(run, judge_access))
		return false;
	if (run->scratch[1] != refused_count)
		return suite_fail(run, "%zu faults, and %" PRIu64 " expected", refused_count,
		                  run->scratch[1]);
	return beside_intact(run, 0);
}

static void draft_list(struct suite_draft *d, enum way way, bool warm)
{
	draft_name(d, PREFIX "%s.%s", way_names[way], warm ? "warm" : "cold");
	for (unsigned i = 0; i < SLOTS; i++)
		draft_area(d, (struct suite_area)LAZY(ARENA + i * GIB(1), PAGE, MM_RW));
	draft_area(d, (struct suite_area)POPULATED(LIST, LIST_PAGES * PAGE, MM_RW));
	if (warm)
		draft_op(d, (struct suite_op)FILL(ARENA + 0x800, SLOTS, GIB(1), PATTERN));
	draft_op(d, (struct suite_op){OP(STEPS, .addr = LIST), .any_value = true});
	if (warm)
		draft_op(d, (struct suite_op)CHECK(ARENA + 0x800, SLOTS, GIB(1), PATTERN));
	d->c.ready = list_ready;
	d->c.verify = list_verify;
	d->c.repair = refuse;
}

/* --- one run for each access --- */

#define BOUNDS_AROUND 9U /* offsets from an edge */

/* Restarts the VM with another first operation and runs it to its end. */
static bool run_again(struct suite_run *run, const struct agent_op *op)
{
	mm_gpa_t first =
		mm_gpa_at(AGENT_MAILBOX_BASE + __builtin_offsetof(struct agent_mailbox, script));
	mm_gpa_t done =
		mm_gpa_at(AGENT_MAILBOX_BASE + __builtin_offsetof(struct agent_mailbox, done));

	if (mm_aspace_write(&run->vm->as, first, op, sizeof(*op)) != MM_OK ||
	    mm_aspace_store(&run->vm->as, done, 4, 0) != MM_OK || !vm_restart(run->vm))
		return suite_fail(run, "could not be started again");
	vm_run(run->vm);
	return true;
}

static bool no_trace(struct suite_run *run)
{
	run->vm->trace = NULL;
	return true;
}

static bool exit_each(struct suite_run *run)
{
	const struct bounds b = {mm_npt_gpa_bits(&suite_geometry()->npt), ARENA, 1};
	uint64_t value;

	for (size_t i = 0; bounds_value(&b, i, &value); i++) {
		const struct agent_op op = {.code = AGENT_CALL3,
		                            .count = GUEST_EXIT,
		                            .addr = value,
		                            .value = UINT64_MAX,
		                            .stride = value};

		if (!run_again(run, &op))
			return false;
		if (run->vm->outcome != VM_EXITED || run->vm->exit_status != value)
			return suite_fail(run, "exit 0x%" PRIx64 ": %s, status 0x%" PRIx64, value,
			                  vm_kill_name(run->vm->reason), run->vm->exit_status);
	}
	return beside_intact(run, 0);
}

/* True if guests/abi.h allows this access to the devices. */
static bool device_takes(uint64_t at, unsigned width, bool write)
{
	uint64_t offset = at - GUEST_TEST_BASE;

	if (in(at, GUEST_UART_BASE, PAGE))
		return width == 1;
	if (!in(at, GUEST_TEST_BASE, PAGE) || !mm_is_aligned(at, width))
		return false;
	return write || offset <= GUEST_TEST_LAST + 7;
}

/* Three results are correct: the access succeeds; the VM is killed for it; or the guest's own first
 * stage refuses an unaligned access. */
static bool judge_device(struct suite_run *run, const struct agent_op *op)
{
	const struct vm *vm = run->vm;
	bool write = op->code == AGENT_WRITE;
	bool takes = device_takes(op->addr, op->width, write);
	uint32_t trap = suite_read_mailbox(run->vm, 0)->results[0].trap;
	bool done = vm->outcome == VM_EXITED && vm->exit_status == 0 && trap == AGENT_DONE;
	bool killed = vm->outcome == VM_KILLED &&
	              (vm->reason == KILL_NOT_MAPPED || vm->reason == KILL_MMIO_REFUSED ||
	               vm->reason == KILL_MMIO_UNDECODED) &&
	              vm->kill_gpa.raw - op->addr < op->width;
	bool unaligned = trap == AGENT_ALIGNMENT && !mm_is_aligned(op->addr, op->width);

	if (takes ? done : killed || unaligned)
		return true;
	return suite_fail(run, "%s of %u at 0x%" PRIx64 ": expected it to be %s, got %s, trap %u",
	                  write ? "write" : "read", op->width, op->addr, takes ? "done" : "refused",
	                  vm_kill_name(vm->reason), trap);
}

static bool device_edges(struct suite_run *run)
{
	static const uint64_t edges[] = {GUEST_UART_BASE, GUEST_TEST_BASE, GUEST_TEST_BASE + PAGE};
	static const int8_t around[BOUNDS_AROUND] = {-8, -7, -4, -2, -1, 0, 1, 4, 7};

	for (size_t i = 0; i < MM_ARRAY_SIZE(edges) * BOUNDS_AROUND * 8; i++) {
		uint64_t edge = edges[i / 8 / BOUNDS_AROUND];
		const struct agent_op op = {
			.code = i % 2 == 0 ? AGENT_READ : AGENT_WRITE,
			.width = (uint8_t)(1U << i / 2 % 4),
			.addr = edge + (uint64_t)(int64_t)around[i / 8 % BOUNDS_AROUND],
			.value = '.',
		};

		if (!run_again(run, &op) || !judge_device(run, &op))
			return false;
	}
	return beside_intact(run, 0);
}

static const struct {
	const char *name;
	bool (*verify)(struct suite_run *run);
} singles[] = {{"exit", exit_each}, {"device", device_edges}};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	(void)host;
	d->c.beside[0] = beside_neighbour;
	d->c.uncounted = true;
	if (index < 2U * WAYS) {
		draft_list(d, (enum way)(index / 2), index % 2 != 0);
		return true;
	}
	index -= 2U * WAYS;
	if (index >= MM_ARRAY_SIZE(singles))
		return false;
	draft_name(d, PREFIX "%s", singles[index].name);
	draft_op(d, (struct suite_op){OP(CALL3, .count = GUEST_NOP)});
	d->c.ready = no_trace;
	d->c.verify = singles[index].verify;
	return true;
}

const struct suite_subject suite_boundary_access = {
	.name = "boundary-access",
	.generate = generate,
	.generated = PREFIX,
};
