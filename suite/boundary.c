/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest passes boundary values (bounds.h) to every hypercall: as addresses, lengths and
 * numbers. This file computes the expected result of each call from the contracts in guests/abi.h
 * and mm/aspace.h. The guest continues after each call. Its memory is unchanged. A neighbour runs
 * to its end beside it.
 *
 * One VM makes thousands of calls from a list in its memory (AGENT_STEPS). The guest and the
 * hypervisor make the list by the same rule, call_number().
 *
 *	ARENA + 0..3 GiB   SLOT_PAGES pages each: one GiB for each entry of the library's cache
 *	LIST               the list
 */
#include "kernel/string.h"
#include "suite/beside.h"
#include "suite/bounds.h"
#include "suite/run.h"
#include "suite/suite.h"

#define SLOTS      4U
#define SLOT_PAGES 2U
#define LIST       (ARENA + 8 * MIB2)
#define LIST_PAGES 96U
#define LIST_MAX   (LIST_PAGES * PAGE / sizeof(struct agent_step))
#define PATTERN    UINT64_C(0xb0bab0bab0bab0b0)
#define PRINT_MOST 128U                 /* guests/abi.h */
#define KEYS       16U                  /* of GUEST_REPORT */
#define HOUR       UINT64_C(3600000000) /* of GUEST_TIMER, in microseconds */

/* The calls that a case varies; same names as the cases. */
enum subject {
	PRINT_COLD,  /* the library's cache has no entry for the slots */
	PRINT_WARM,  /* it has a table for each slot */
	PRINT_STALE, /* an exclusive call before each call invalidates the cache */
	PRINT_FREED, /* as before; the last slot is unmapped, and its tables are reused as other
	                pages */
	PROTECT,
	PERMISSION,
	UNMAP,
	REPORT,
	TIMER,
	STEP_NUMBER,
	UNKNOWN,
	SUBJECTS,
};

static const char *const names[SUBJECTS] = {
	[PRINT_COLD] = "print.cold",
	[PRINT_WARM] = "print.warm",
	[PRINT_STALE] = "print.stale",
	[PRINT_FREED] = "print.freed",
	[PROTECT] = "protect",
	[PERMISSION] = "permission",
	[UNMAP] = "unmap",
	[REPORT] = "report",
	[TIMER] = "timer",
	[STEP_NUMBER] = "step",
	[UNKNOWN] = "unknown-call",
};

#define PREFIX "hostile.boundary."

/* For the running case. */
static enum subject subject_of(const struct suite_run *run)
{
	unsigned i = 0;

	while (i + 1 < SUBJECTS && strcmp(names[i], run->c->name + strlen(PREFIX)) != 0)
		i++;
	return (enum subject)i;
}

/* --- the memory of the VM --- */

struct place {
	struct mm_gpa_range range;
	bool memory; /* memory, not a device */
	bool own;    /* the guest requires it to run */
};

static bool place_number(const struct suite_run *run, unsigned i, struct place *place)
{
	const struct guest_header *header = run->vm->config->image.start;
	unsigned slots = subject_of(run) == PRINT_FREED ? SLOTS - 1 : SLOTS;
	const struct place fixed[] = {
		{{{GUEST_UART_BASE}, PAGE}, false, false},
		{{{GUEST_TEST_BASE}, PAGE}, false, false},
		{{{GUEST_INFO_BASE}, PAGE}, true, true},
		{{{GUEST_RAM_BASE}, mm_align_up(header->memory_bytes, PAGE)}, true, true},
		{{{AGENT_MAILBOX_BASE}, AGENT_MAILBOX_SIZE}, true, true},
		{{{AGENT_SHARED_BASE}, PAGE}, true, true},
		{{{LIST}, LIST_PAGES * PAGE}, true, true},
	};

	if (i < MM_ARRAY_SIZE(fixed)) {
		*place = fixed[i];
		return true;
	}
	i -= (unsigned)MM_ARRAY_SIZE(fixed);
	*place = (struct place){{{ARENA + i * GIB(1)}, SLOT_PAGES * PAGE}, true, false};
	return i < slots;
}

/* The place that contains a byte. */
static bool place_of(const struct suite_run *run, uint64_t at, struct place *place)
{
	for (unsigned i = 0; place_number(run, i, place); i++) {
		if (mm_gpa_range_contains(place->range, mm_gpa_at(at)))
			return true;
	}
	return false;
}

/* True if every byte of a valid range is in memory. All memory is readable. */
static bool all_memory(const struct suite_run *run, struct mm_gpa_range range)
{
	uint64_t at = range.start.raw, last = mm_gpa_range_last(range).raw;
	struct place place;

	while (place_of(run, at, &place) && place.memory) {
		at = mm_gpa_range_last(place.range).raw;
		if (at >= last)
			return true;
		at++;
	}
	return false;
}

/* True if a valid range contains a byte of any place; with `own`, of a place that the guest
 * requires. */
static bool touches(const struct suite_run *run, struct mm_gpa_range range, bool own)
{
	struct place place;

	for (unsigned i = 0; place_number(run, i, &place); i++) {
		if ((place.own || !own) && mm_gpa_range_overlaps(place.range, range))
			return true;
	}
	return false;
}

/* --- the contract: one bit for each correct error --- */

#define RIGHT(error) (1U << (error))

static unsigned right_for_print(const struct suite_run *run, uint64_t at, uint64_t bytes)
{
	struct mm_gpa_range range = mm_gpa_range(mm_gpa_at(at), bytes);
	unsigned right = 0;

	if (bytes == 0)
		return RIGHT(GUEST_OK);
	if (bytes > PRINT_MOST)
		return RIGHT(GUEST_BAD_ARGUMENT);
	if (!mm_gpa_range_valid(range) || !all_memory(run, range))
		right = RIGHT(GUEST_BAD_ADDRESS);
	return right != 0 ? right : RIGHT(GUEST_OK);
}

/* The errors of map calls for a range, in the order of aspace.h; 0: no error. */
static unsigned wrong_range(struct mm_gpa_range range)
{
	uint64_t space = UINT64_C(1) << mm_npt_gpa_bits(&suite_geometry()->npt);

	if (!mm_gpa_range_valid(range) || !mm_gpa_range_is_aligned(range, PAGE))
		return RIGHT(GUEST_BAD_ARGUMENT);
	if (mm_gpa_range_last(range).raw >= space)
		return RIGHT(GUEST_BAD_ADDRESS);
	return 0;
}

static unsigned right_for_protect(const struct suite_run *run, struct mm_gpa_range range,
                                  uint64_t perm)
{
	unsigned right = wrong_range(range);

	if (perm >= MM_PERM_SETS)
		right |= RIGHT(GUEST_BAD_ARGUMENT);
	else if (mm_npt_can_express(suite_format(run->host), &suite_geometry()->npt, 0,
	                            (enum mm_perm)perm, MM_NORMAL) != MM_OK)
		right |= RIGHT(GUEST_REFUSED);
	if (right == 0 && !all_memory(run, range))
		right = RIGHT(GUEST_BAD_ADDRESS);
	return right != 0 ? right : RIGHT(GUEST_OK);
}

static unsigned right_for_unmap(struct mm_gpa_range range)
{
	unsigned wrong = wrong_range(range);

	return wrong != 0 ? wrong : RIGHT(GUEST_OK);
}

/* --- the list --- */

/* One call and its expected result. */
struct call {
	enum guest_call number;
	uint64_t args[3];
	unsigned right; /* bits of enum guest_error; 0: the call must not be made */
	uint64_t value; /* the low half is the value of the call */
};

/* The other argument of a call that has one boundary value. */
static const uint64_t lengths[] = {1, 0, 8, PRINT_MOST, PAGE, UINT64_MAX};
static const uint64_t addresses[] = {ARENA, ARENA + GIB(3) + PAGE, 0, UINT64_C(0x3fffffffc0000000),
                                     UINT64_MAX};

#define WAYS (MM_ARRAY_SIZE(lengths) + MM_ARRAY_SIZE(addresses))

/* A boundary value as the address with each length, and as the length with each address. */
static void choose_range(struct call *call, uint64_t value, size_t way)
{
	if (way < MM_ARRAY_SIZE(lengths)) {
		call->args[0] = value;
		call->args[1] = lengths[way];
	} else {
		call->args[0] = addresses[way - MM_ARRAY_SIZE(lengths)];
		call->args[1] = value;
	}
}

static struct call print_call(const struct suite_run *run, uint64_t value, size_t way)
{
	struct call call = {.number = GUEST_PRINT};

	choose_range(&call, value, way);
	call.right = right_for_print(run, call.args[0], call.args[1]);
	return call;
}

static struct call protect_call(const struct suite_run *run, uint64_t value, size_t way)
{
	struct call call = {.number = GUEST_PROTECT, .args = {0, 0, MM_RW}};
	struct mm_gpa_range range;

	choose_range(&call, value, way);
	range = mm_gpa_range(mm_gpa_at(call.args[0]), call.args[1]);
	call.right = right_for_protect(run, range, MM_RW);
	/* The guest needs X on its own memory. An area's maximum here is MM_RW. */
	if (call.right == RIGHT(GUEST_OK) && touches(run, range, true))
		call.right = 0;
	return call;
}

/* The last page of the last slot is unused, so any permission is acceptable. */
static struct call permission_call(const struct suite_run *run, uint64_t value, size_t way)
{
	uint64_t at = ARENA + (SLOTS - 1) * GIB(1) + (SLOT_PAGES - 1) * PAGE;
	struct call call = {.number = GUEST_PROTECT, .args = {at, PAGE, value}};

	if (way == 1)
		call.args[0] = UINT64_C(0x3fffffffc0000000);
	call.right = right_for_protect(run, mm_gpa_range(mm_gpa_at(call.args[0]), PAGE), value);
	return call;
}

static struct call unmap_call(const struct suite_run *run, uint64_t value, size_t way)
{
	struct call call = {.number = GUEST_UNMAP};
	struct mm_gpa_range range;

	choose_range(&call, value, way);
	range = mm_gpa_range(mm_gpa_at(call.args[0]), call.args[1]);
	call.right = right_for_unmap(range);
	if (call.right == RIGHT(GUEST_OK) && touches(run, range, false))
		call.right = 0;
	return call;
}

static struct call number_call(uint64_t value, size_t way)
{
	struct call call = {.number = (enum guest_call)value, .args = {value, ARENA, UINT64_MAX}};

	if (way == 1)
		call.args[0] = UINT64_MAX;
	/* Arm's SMCCC has 16 bits for this number. Higher bits are lost. */
	if (value <= UINT32_MAX && (uint16_t)value >= GUEST_CALLS)
		call.right = RIGHT(GUEST_UNKNOWN_CALL);
	return call;
}

static struct call call_of(const struct suite_run *run, enum subject subject, uint64_t value,
                           size_t way)
{
	switch (subject) {
	case PRINT_COLD:
	case PRINT_WARM:
	case PRINT_STALE:
	case PRINT_FREED:
		return print_call(run, value, way);
	case PROTECT:
		return protect_call(run, value, way);
	case PERMISSION:
		return permission_call(run, value, way);
	case UNMAP:
		return unmap_call(run, value, way);
	case REPORT:
		return (struct call){
			GUEST_REPORT,
			{way == 0 ? value : 3, value, value},
			RIGHT(way == 0 && value >= KEYS ? GUEST_BAD_ARGUMENT : GUEST_OK),
			0};
	case TIMER:
		return (struct call){GUEST_TIMER,
		                     {value, UINT64_MAX, 0},
		                     RIGHT(value > HOUR ? GUEST_BAD_ARGUMENT : GUEST_OK),
		                     0};
	case STEP_NUMBER:
		return (struct call){
			GUEST_STEP, {value, value, value}, RIGHT(GUEST_OK), value ^ value >> 32};
	default:
		return number_call(value, way);
	}
}

static size_t ways_of(enum subject subject)
{
	if (subject == PRINT_STALE || subject == PRINT_FREED)
		return 3;
	if (subject <= PROTECT || subject == UNMAP)
		return WAYS;
	return subject == TIMER || subject == STEP_NUMBER ? 1 : 2;
}

static const struct bounds *bounds(void)
{
	static struct bounds b;

	b = (struct bounds){mm_npt_gpa_bits(&suite_geometry()->npt), ARENA, SLOTS};
	return &b;
}

/* A call that changes nothing but holds the exclusive lock. It invalidates the per-CPU translation
 * cache of the library. */
static const struct call exclusive_call = {GUEST_UNMAP, {0, PAGE, 0}, RIGHT(GUEST_OK), 0};

typedef bool visit_call(struct suite_run *run, size_t at, const struct call *call);

/* Calls `visit` with each call of the case, in order. Stops when `visit` returns false. */
static bool each_call(struct suite_run *run, visit_call *visit)
{
	enum subject subject = subject_of(run);
	bool stale = subject == PRINT_STALE || subject == PRINT_FREED;
	uint64_t value;
	size_t at = 0;

	for (size_t way = 0; way < ways_of(subject); way++) {
		for (size_t i = 0; bounds_value(bounds(), i, &value); i++) {
			struct call call = call_of(run, subject, value, way);

			if (stale && !visit(run, at++, &exclusive_call))
				return false;
			if (call.right != 0 && !visit(run, at++, &call))
				return false;
		}
	}
	return true;
}

static mm_gpa_t step_at(size_t at)
{
	return mm_gpa_at(LIST + at * sizeof(struct agent_step));
}

static bool write_call(struct suite_run *run, size_t at, const struct call *call)
{
	struct agent_step step = {
		.op = {.code = AGENT_CALL3,
	               .count = (uint32_t)call->number,
	               .addr = call->args[0],
	               .value = call->args[1],
	               .stride = call->args[2]},
		.result = {.trap = AGENT_NOT_RUN},
	};

	if (at >= LIST_MAX)
		return suite_fail(run, "more calls than the list holds");
	run->scratch[0] = at + 1;
	return mm_aspace_write(&run->vm->as, step_at(at), &step, sizeof(step)) == MM_OK;
}

static bool judge_call(struct suite_run *run, size_t at, const struct call *call)
{
	struct agent_result got;
	mm_gpa_t where = mm_gpa_plus(step_at(at), sizeof(struct agent_op));
	uint64_t error;

	if (mm_aspace_read(&run->vm->as, where, &got, sizeof(got)) != MM_OK)
		return suite_fail(run, "the list cannot be read");
	error = got.value >> 32;
	if (got.trap == AGENT_DONE && error < 32 && (call->right & RIGHT(error)) != 0 &&
	    (uint32_t)got.value == (uint32_t)call->value)
		return true;
	return suite_fail(run,
	                  "call %u(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64
	                  "): expected errors 0x%x, got trap %u, error %" PRIu64
	                  ", value 0x%" PRIx64,
	                  call->number, call->args[0], call->args[1], call->args[2], call->right,
	                  got.trap, error, (uint64_t)(uint32_t)got.value);
}

/* --- before and after --- */

/* The step STEP_NUMBER: transfers a number in two halves. */
static uint64_t fold(struct suite_run *run, uint64_t number)
{
	(void)run;
	return number ^ number >> 32;
}

/* Writes the list and gives its length to the operation that runs it. */
static bool ready(struct suite_run *run)
{
	const struct suite_op *script = run->c->script;
	uint64_t op = AGENT_MAILBOX_BASE + __builtin_offsetof(struct agent_mailbox, script);

	while ((script++)->op.code != AGENT_STEPS)
		op += sizeof(struct agent_op);
	run->vm->trace = NULL;
	return each_call(run, write_call) &&
	       mm_aspace_store(&run->vm->as,
	                       mm_gpa_at(op + __builtin_offsetof(struct agent_op, count)), 4,
	                       run->scratch[0]) == MM_OK;
}

/* The last report for each key remains. */
static bool reports_are_right(struct suite_run *run)
{
	uint64_t value = 0, last = 0;

	for (size_t i = 0; bounds_value(bounds(), i, &value); i++)
		last = value;
	/* The second variant writes every value with key 3. The first writes each small value with
	 * its own key. */
	for (uint64_t key = 0; key < KEYS; key++) {
		bool used = (run->vm->reported >> key & 1) != 0;
		bool due = key <= 5 || (key >= 7 && key <= 9) || key == 15;
		uint64_t expected = key == 3 ? last : due ? key : 0;

		if (used != due || run->vm->reports[key] != expected)
			return suite_fail(run, "report %" PRIu64 " is 0x%" PRIx64, key,
			                  run->vm->reports[key]);
	}
	return true;
}

static bool verify(struct suite_run *run)
{
	if (!each_call(run, judge_call))
		return false;
	if (subject_of(run) == REPORT && !reports_are_right(run))
		return false;
	return beside_intact(run, 0);
}

/* --- the cases --- */

/* Access to the first page of each slot by the guest and by the hypervisor. */
static void draft_warm(struct suite_draft *d)
{
	draft_op(d, (struct suite_op)FILL(ARENA, SLOTS, GIB(1), PATTERN));
	for (unsigned i = 0; i < SLOTS; i++)
		draft_op(d, (struct suite_op)CALL(GUEST_PRINT, ARENA + i * GIB(1), 8, GUEST_OK, 0));
}

/* The frames of the last slot and of its tables become the second pages of the other slots. */
static void draft_freed(struct suite_draft *d)
{
	draft_op(d, (struct suite_op)CALL(GUEST_UNMAP, ARENA + (SLOTS - 1) * GIB(1),
	                                  SLOT_PAGES * PAGE, GUEST_OK, 0));
	draft_op(d, (struct suite_op)FILL(ARENA + PAGE, SLOTS - 1, GIB(1), PATTERN));
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	bool warm = index == PRINT_WARM || index == PRINT_STALE || index == PRINT_FREED;
	unsigned kept = index == PRINT_FREED ? SLOTS - 1 : SLOTS;

	(void)host;
	if (index >= SUBJECTS)
		return false;
	draft_name(d, PREFIX "%s", names[index]);
	for (unsigned i = 0; i < SLOTS; i++)
		draft_area(d,
		           (struct suite_area)LAZY(ARENA + i * GIB(1), SLOT_PAGES * PAGE, MM_RW));
	draft_area(d, (struct suite_area)POPULATED(LIST, LIST_PAGES * PAGE, MM_RW));
	draft_op(d, (struct suite_op)STAGE1());
	if (warm)
		draft_warm(d);
	if (index == PRINT_FREED)
		draft_freed(d);
	draft_op(d, (struct suite_op){OP(STEPS, .addr = LIST), .any_value = true});
	draft_op(d, (struct suite_op)CALL(GUEST_TIMER, 0, 0, GUEST_OK, 0));
	if (warm)
		draft_op(d, (struct suite_op)CHECK(ARENA, kept, GIB(1), PATTERN));
	draft_op(d, (struct suite_op)FILL(ARENA, kept, GIB(1), ~PATTERN));
	draft_op(d, (struct suite_op)CHECK(ARENA, kept, GIB(1), ~PATTERN));
	d->c.uncounted = true;
	d->c.ready = ready;
	d->c.step = fold;
	d->c.verify = verify;
	d->c.beside[0] = beside_neighbour;
	return true;
}

const struct suite_subject suite_boundary = {
	.name = "boundary",
	.generate = generate,
	.generated = PREFIX,
};
