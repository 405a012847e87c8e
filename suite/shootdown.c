/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a call that takes a translation away has returned, no CPU uses that translation any more.
 * Memory shows this, not time: the vCPUs write to one page in a loop. A step, on one of their CPUs,
 * takes the page away. It then fills the frame with a pattern, waits until each of the others has
 * faulted or has written to the new frame, and looks for writes to the old frame.
 */
#include "frame.h"
#include "kernel/string.h"
#include "log.h"
#include "machine.h"
#include "suite/mailbox.h"
#include "suite/run.h"
#include "suite/suite.h"
#include "wait_limit.h"

#define PATTERN UINT64_C(0x51007d00051007d0)
#define FREED   UINT64_C(0xf4eedf4eedf4eed0)
#define ROUNDS  2U
#define WAITS   60U              /* rounds: wait_limit.h. For hangs only */
#define END     (ARENA + GIB(1)) /* nothing is mapped there */
#define WORDS   (PAGE / 8)
#define MANY    (128 * PAGE)
#define FOREVER UINT32_MAX

/* The word of the page that a vCPU writes. */
#define WORD_OF(vcpu) (8 * (vcpu))
#define OWN(vcpu)     (ARENA + 8 * (uint64_t)WORD_OF(vcpu))

enum how {
	UNMAP,
	PROTECT,
	REMAP,
	REPLACE,
	PROTECT_MANY, /* so many pages that a flush by address would take longer than one of all */
	HOWS,
};

static const char *const hows[HOWS] = {"unmap", "protect", "remap", "replace", "protect-many"};

/* The state of a step, for the other CPUs. */
static _Atomic bool away;                        /* the page is taken away: who faults waits */
static _Atomic uint64_t faults[AGENT_MAX_VCPUS]; /* by the CPU, which is the vCPU */

/* A fault because the page is away: the vCPU tries again when it is back. */
static bool wait_for_page(struct suite_run *run, const struct vm_exit *exit)
{
	unsigned cpu = machine_cpu_index();

	(void)run;
	if (exit->fault.gpa.raw >= END || cpu >= AGENT_MAX_VCPUS)
		return false;
	atomic_fetch_add(&faults[cpu], 1);
	while (atomic_load(&away)) {
		wait_alive(cpu);
		machine_pause();
	}
	return true;
}

static volatile uint64_t *words_at(mm_hpa_t frame)
{
	return frame_ptr(frame);
}

static void fill(mm_hpa_t frame, uint64_t value)
{
	for (unsigned i = 0; i < WORDS; i++)
		words_at(frame)[i] = value;
}

static bool holds(mm_hpa_t frame, uint64_t value)
{
	for (unsigned i = 0; i < WORDS; i++) {
		if (words_at(frame)[i] != value)
			return false;
	}
	return true;
}

/* Has this vCPU shown what it uses: a fault, the new frame, or the old one? */
static bool has_shown(unsigned vcpu, mm_hpa_t old, mm_hpa_t new)
{
	unsigned word = WORD_OF(vcpu);

	return atomic_load(&faults[vcpu]) != 0 || words_at(old)[word] != FREED ||
	       (new.raw != 0 && words_at(new)[word] != 0);
}

/* `old` is free, or the page may not be written. new: the frame that is mapped now, or 0. */
static bool watch(struct suite_run *run, mm_hpa_t old, mm_hpa_t new)
{
	unsigned self = machine_cpu_index(), count = run->vm->vcpu_count;

	fill(old, FREED);
	for (unsigned i = 0; i < count; i++) {
		struct wait_limit limit;
		bool shown = i == self;

		wait_begin(&limit, self, i);
		while (!shown && wait_more(&limit, WAITS)) {
			wait_alive(self);
			machine_pause();
			shown = has_shown(i, old, new);
		}
		if (!shown)
			return suite_fail(run, "vcpu %u neither writes nor faults", i);
	}
	for (unsigned i = 0; i < count; i++) {
		if (words_at(old)[WORD_OF(i)] != FREED)
			return suite_fail(run, "vcpu %u writes to the frame that cpu %u has taken",
			                  i, self);
	}
	return holds(old, FREED) || suite_fail(run, "the old frame has changed");
}

static mm_hpa_t frame_now(struct suite_run *run)
{
	struct mm_aspace_translation t;

	if (mm_aspace_translate(&run->vm->as, mm_gpa_at(ARENA), &t) != MM_OK)
		return mm_hpa_at(0);
	return t.hpa;
}

/* Takes the page away. Answers the new frame in *new; 0: there is none. */
static enum mm_error take(struct suite_run *run, enum how how, mm_hpa_t old, mm_hpa_t *new)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(ARENA), PAGE);
	struct mm_aspace_backing populated = {.populate = true};
	enum mm_error error;

	*new = mm_hpa_at(0);
	switch (how) {
	case UNMAP:
		return mm_aspace_unmap(&run->vm->as, page);
	case PROTECT:
		return mm_aspace_protect(&run->vm->as, page, MM_R);
	case PROTECT_MANY:
		return mm_aspace_protect(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), MANY), MM_R);
	case REMAP:
		*new = mm_hpa_at(old.raw == run->linear.raw ? run->linear.raw + PAGE
		                                            : run->linear.raw);
		fill(*new, 0);
		return mm_aspace_remap(&run->vm->as, page, *new);
	default:
		error = mm_aspace_replace_alloc(&run->vm->as, page, MM_RW, populated);
		*new = frame_now(run);
		return error;
	}
}

static enum mm_error give_back(struct suite_run *run, enum how how)
{
	struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(ARENA), PAGE);
	struct mm_aspace_backing populated = {.populate = true};

	switch (how) {
	case UNMAP:
		return mm_aspace_map_alloc(&run->vm->as, page, MM_RW, populated);
	case PROTECT:
		return mm_aspace_protect(&run->vm->as, page, MM_RW);
	case PROTECT_MANY:
		return mm_aspace_protect(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), MANY), MM_RW);
	default:
		return MM_OK;
	}
}

/* Waits until each of the others has written to the page, so that its translation is in use. */
static bool await_writers(struct suite_run *run)
{
	unsigned self = machine_cpu_index();
	mm_hpa_t frame = frame_now(run);

	for (unsigned i = 0; i < run->vm->vcpu_count; i++) {
		struct wait_limit limit;

		if (i == self)
			continue;
		words_at(frame)[WORD_OF(i)] = 0;
		wait_begin(&limit, self, i);
		while (words_at(frame)[WORD_OF(i)] == 0) {
			if (!wait_more(&limit, WAITS))
				return suite_fail(run, "vcpu %u does not write", i);
			wait_alive(self);
			machine_pause();
		}
	}
	return true;
}

static bool shoot(struct suite_run *run, enum how how)
{
	mm_hpa_t old = frame_now(run), new;
	bool clean;

	for (unsigned i = 0; i < AGENT_MAX_VCPUS; i++)
		atomic_store(&faults[i], 0);
	if (!await_writers(run))
		return false;
	atomic_store(&away, true);
	clean = take(run, how, old, &new) == MM_OK && watch(run, old, new);
	clean = give_back(run, how) == MM_OK && clean;
	atomic_store(&away, false);
	return clean || suite_fail(run, "%s", hows[how]);
}

/* Step n: enum how. 0: no vCPU used the old frame. HOWS: all others are in the guest again. */
static uint64_t shoot_often(struct suite_run *run, uint64_t how)
{
	if (how == HOWS)
		return !await_writers(run);
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (!shoot(run, (enum how)how))
			return 1;
	}
	return 0;
}

/* The sender's last operation ends the VM. Its results are correct; the others never end. */
static bool ended(struct suite_run *run)
{
	const struct vm *vm = run->vm;

	if (vm->outcome != VM_KILLED || vm->reason != KILL_NOT_MAPPED || vm->kill_gpa.raw != END)
		return suite_fail(run, "ended for %s at 0x%" PRIx64, vm_kill_name(vm->reason),
		                  vm->kill_gpa.raw);
	return run->complaints == 0;
}

/* --- by 2, 3 and 4 vCPUs: the first CPU, and the last one, sends --- */

/* vcpus 0: as many as there are CPUs. */
static const struct row {
	uint8_t vcpus;
	bool last; /* the last CPU sends, not the first */
} rows[] = {{2, false}, {2, true}, {3, true}, {4, false}, {4, true}, {0, false}, {0, true}};

/* The case that was generated last. */
static struct {
	enum how how;
	unsigned sender;
} now;

static const struct suite_op *member(const struct suite_case *c, unsigned vcpu)
{
	static struct suite_op script[12];
	const struct suite_op sender[] = {
		STAGE1(),
		{OP(IRQ_MASK, .value = 0)},
		WRITE(8, OWN(vcpu), PATTERN),
		BARRIER(0),
		STEP(now.how),
		WRITE(8, OWN(vcpu) + 8, ~PATTERN),
		READ(8, OWN(vcpu) + 8, ~PATTERN),
		STEP(HOWS),
		READ(8, END, 0),
		{OP(END)},
	};
	const struct suite_op writer[] = {
		STAGE1(),   {OP(IRQ_MASK, .value = 0)},
		BARRIER(0), {OP(FILL, .addr = OWN(vcpu), .count = FOREVER, .value = PATTERN)},
		{OP(END)},
	};

	(void)c;
	if (vcpu == now.sender)
		memcpy(script, sender, sizeof(sender));
	else
		memcpy(script, writer, sizeof(writer));
	return script;
}

/* All vCPUs have one slice of an hour: only a kick ends it, when the sender is killed. */
#define HOUR_SLICES (UINT64_C(3600000) * HANG_BUDGET_SLICES)

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	enum how how = (enum how)(index % HOWS);
	const struct row *row = &rows[index / HOWS];
	unsigned vcpus;

	if (index / HOWS >= MM_ARRAY_SIZE(rows))
		return false;
	vcpus = row->vcpus != 0 ? row->vcpus : host->cpus;
	now.how = how;
	now.sender = row->last ? vcpus - 1 : 0;
	if (row->vcpus == 0)
		draft_name(d, "shootdown.%s.crowd.by-cpu-%s", hows[how], row->last ? "last" : "0");
	else
		draft_name(d, "shootdown.%s.%u.by-cpu-%u", hows[how], vcpus, now.sender);
	if (how == REMAP)
		draft_area(d, (struct suite_area)LINEAR(ARENA, PAGE, MM_RW, 0));
	else
		draft_area(d, (struct suite_area)POPULATED(ARENA, how == PROTECT_MANY ? MANY : PAGE,
		                                           MM_RW));
	d->c.crowd = vcpus;
	d->c.member = member;
	/* On a machine with four CPUs or fewer, it would be the same again. */
	d->c.cpus = row->vcpus != 0 ? vcpus : SUITE_VCPUS + 1;
	d->c.end = SUITE_EITHER;
	d->c.uncounted = true;
	d->c.budget = HOUR_SLICES;
	d->c.step = shoot_often;
	d->c.repair = wait_for_page;
	d->c.verify = ended;
	return true;
}

/* --- CPUs that are not in the guest at that time --- */

/* Step 0 maps the page to the other page of the linear memory, where it wrote PATTERN + 1. */
static uint64_t remap_quietly(struct suite_run *run, uint64_t number)
{
	mm_hpa_t next = mm_hpa_at(run->linear.raw + PAGE);

	fill(next, PATTERN + number);
	return (uint64_t)mm_aspace_remap(&run->vm->as, mm_gpa_range(mm_gpa_at(ARENA), PAGE), next);
}

static const struct suite_case cases[] = {
	{
		/* CPU 1 has used the page, and has no guest when it is taken away. */
		.name = "shootdown.left-behind",
		.areas = AREAS(LINEAR(ARENA, PAGE, MM_RW, 0)),
		.script = SCRIPT(STAGE1(), WRITE(8, ARENA, 0), READ(8, ARENA, 0), MOVE(1),
                                 READ(8, ARENA, 0), WRITE(8, ARENA, 0), MOVE(0), STEP(1),
                                 READ(8, ARENA, PATTERN + 1), MOVE(1), READ(8, ARENA, PATTERN + 1),
                                 WRITE(8, ARENA, 5), MOVE(0), READ(8, ARENA, 5)),
		.moves = VM_MOVES,
		.step = remap_quietly,
	},
	{
		/* CPU 1 runs another VM meanwhile. */
		.name = "shootdown.left-behind.other-vm",
		.areas = AREAS(LINEAR(ARENA, PAGE, MM_RW, 0)),
		.script = SCRIPT(MOVE(1), READ(8, ARENA, 0), WRITE(8, ARENA, 7),
                                 CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0), MOVE(0), STEP(2),
                                 READ(8, ARENA, PATTERN + 2), MOVE(1), READ(8, ARENA, PATTERN + 2)),
		.beside = {SCRIPT(MOVE(1), FILL(ARENA, 16, PAGE, PATTERN), SPIN(200000),
                                  CHECK(ARENA, 16, PAGE, PATTERN))},
		.moves = VM_MOVES,
		.uncounted = true,
		.step = remap_quietly,
	},
};

const struct suite_subject suite_shootdown = {
	.name = "shootdown",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "shootdown.",
};
