/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time limits (hang.h, wait_limit.h) and the counters of kicks, called directly and without any
 * waiting: a round that began two seconds ago is over. selftest.* shows guests that hang.
 */
#include "kernel/hang.h"
#include "kernel/string.h"
#include "kick.h"
#include "machine.h"
#include "suite/payload.h"
#include "wait_limit.h"

#define UNUSED_CPU (MACHINE_MAX_CPUS - 1)

/* One round of a vCPU. On a slow machine it takes several steps: *steps. */
static enum hang_verdict one_round(struct vm_vcpu *v, unsigned *steps)
{
	uint32_t before = v->hang.rounds;
	enum hang_verdict verdict;

	*steps = 0;
	do {
		hang_enter(v, machine_ticks() - 2 * hang_round());
		verdict = hang_check(v, false);
		++*steps;
	} while (verdict == HANG_NOT && v->hang.rounds == before && *steps < 1000);
	return verdict;
}

/* The VM as it was before its end. */
static void begin_again(struct vm *vm)
{
	hang_begin(vm);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i].exited = false;
}

static bool done(struct suite_run *run)
{
	for (unsigned i = 0; i < run->vm->vcpu_count; i++)
		run->vm->vcpus[i].exited = true;
	return run->complaints == 0;
}

/* --- progress --- */

static void make_call(struct vm *vm)
{
	vm->calls++;
}

static void read_page(struct vm *vm)
{
	(void)mm_aspace_fault(&vm->as, mm_gpa_at(ARENA), MM_R);
}

static void refuse_page(struct vm *vm)
{
	(void)mm_aspace_fault(&vm->as, mm_gpa_at(ARENA + GIB(2)), MM_R);
}

static void change_page(struct vm *vm)
{
	if (mm_aspace_protect(&vm->as, mm_gpa_range(mm_gpa_at(ARENA), PAGE), MM_R) != MM_OK)
		vm->calls = 0;
}

static void do_nothing(struct vm *vm)
{
	(void)vm;
}

static bool progress(struct suite_run *run)
{
	static const struct {
		void (*act)(struct vm *vm);
		bool moves;
	} rows[] = {
		{do_nothing, false}, {make_call, true},   {read_page, true}, /* mapped */
		{read_page, false},                                          /* spurious */
		{change_page, true}, {refuse_page, true},
	};
	struct vm_vcpu *v = &run->vm->vcpus[0];
	uint32_t quiet = 0;
	unsigned steps;

	begin_again(run->vm);
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		rows[i].act(run->vm);
		EXPECT_EQ(run, one_round(v, &steps), HANG_NOT);
		/* The later steps of a slow round see no progress. */
		quiet = rows[i].moves ? steps > 1 : quiet + 1;
		EXPECT_EQ(run, v->hang.quiet, quiet);
		EXPECT_EQ(run, v->hang.rounds, i + 1);
	}
	while (one_round(v, &steps) == HANG_NOT && ++quiet < 100)
		continue;
	EXPECT_EQ(run, v->hang.quiet, run->c->quiet_s);
	EXPECT_EQ(run, quiet + 1, run->c->quiet_s);
	return done(run);
}

static bool total(struct suite_run *run)
{
	struct vm_vcpu *v = &run->vm->vcpus[0];
	unsigned steps;

	begin_again(run->vm);
	for (uint32_t i = 1; i <= run->c->total_s; i++) {
		make_call(run->vm);
		EXPECT_EQ(run, one_round(v, &steps),
		          i == run->c->total_s ? HANG_TOO_LONG : HANG_NOT);
	}
	return done(run);
}

/* A VM hangs if all of its vCPUs do that have run and have not exited. */
static bool all_quiet(struct suite_run *run)
{
	struct vm_vcpu *v = run->vm->vcpus;
	unsigned steps;

	begin_again(run->vm);
	hang_enter(&v[1], 1);
	EXPECT_EQ(run, one_round(&v[0], &steps), HANG_NOT);
	v[1].hang.quiet = 1;
	EXPECT_EQ(run, one_round(&v[0], &steps), HANG_NO_PROGRESS);
	begin_again(run->vm); /* vCPU 1 has not run */
	EXPECT_EQ(run, one_round(&v[0], &steps), HANG_NO_PROGRESS);
	begin_again(run->vm);
	hang_enter(&v[1], 1);
	v[1].exited = true;
	EXPECT_EQ(run, one_round(&v[0], &steps), HANG_NO_PROGRESS);
	return done(run);
}

/* --- the budget --- */

static bool budget(struct suite_run *run)
{
	struct vm_vcpu *v = &run->vm->vcpus[0];
	uint64_t slice = run->c->budget * machine_ticks_per_second() / 1000 / HANG_BUDGET_SLICES;

	EXPECT_EQ(run, hang_slice(run->vm), slice);
	for (unsigned waiting = 0; waiting < 2; waiting++) {
		begin_again(run->vm);
		/* The other of the two times does not count. */
		v->hang.looked = machine_ticks() - (waiting ? 0 : 10 * slice);
		hang_enter(v, machine_ticks() - (waiting ? 10 * slice : 0));
		EXPECT_EQ(run, hang_check(v, waiting), HANG_NOT);
		EXPECT(run, v->hang.budget < slice);
		v->hang.budget = 0;
		for (unsigned i = 1; i <= HANG_BUDGET_SLICES; i++) {
			v->hang.looked = machine_ticks() - (waiting ? 10 * slice : 0);
			hang_enter(v, machine_ticks() - (waiting ? 0 : 10 * slice));
			EXPECT_EQ(run, hang_check(v, waiting),
			          i == HANG_BUDGET_SLICES ? HANG_BUDGET : HANG_NOT);
		}
	}
	return done(run);
}

/* --- kicks --- */

static void kick_is_owed(struct suite_run *run, enum kick kind, enum kick other)
{
	kick_owe(UNUSED_CPU, kind);
	kick_owe(UNUSED_CPU, kind);
	EXPECT(run, kick_owed(UNUSED_CPU) && !kick_owed(UNUSED_CPU - 1));
	kick_came(UNUSED_CPU, other);
	EXPECT(run, kick_owed(UNUSED_CPU));
	kick_came(UNUSED_CPU, kind);
	EXPECT(run, !kick_owed(UNUSED_CPU));
	kick_owe(UNUSED_CPU, kind);
	EXPECT_EQ(run, kick_forgive(UNUSED_CPU), kind);
	EXPECT(run, !kick_owed(UNUSED_CPU));
}

static void kick_gets_lost(struct suite_run *run, enum kick kind, enum kick other)
{
	EXPECT(run, !kick_is_lost(kind));
	atomic_store(&kick_lose[kind], 2);
	EXPECT(run, !kick_is_lost(other));
	EXPECT(run, kick_is_lost(kind) && kick_is_lost(kind));
	EXPECT(run, !kick_is_lost(kind));
	atomic_store(&kick_lose[kind], 0);
}

static void kicks(struct suite_run *run, const void *data)
{
	(void)data;
	EXPECT(run, !kick_owed(UNUSED_CPU));
	kick_is_owed(run, KICK_RUN, KICK_FLUSH);
	kick_is_owed(run, KICK_FLUSH, KICK_RUN);
	kick_gets_lost(run, KICK_RUN, KICK_FLUSH);
	kick_gets_lost(run, KICK_FLUSH, KICK_RUN);
}

/* --- waiting for a CPU --- */

static void complaints(struct suite_run *run, const void *data)
{
	const char *complaint;

	(void)data;
	EXPECT(run, wait_complaint() == NULL);
	wait_complain("a test", 3);
	wait_complain("another test", 4);
	complaint = wait_complaint();
	EXPECT(run, complaint != NULL && strcmp(complaint, "cpu 3: a test") == 0);
	EXPECT(run, wait_complaint() == NULL);
	wait_complain("a third test", 5);
	complaint = wait_complaint();
	EXPECT(run, complaint != NULL && strcmp(complaint, "cpu 5: a third test") == 0);
	EXPECT(run, wait_complaint() == NULL);
}

static void waits(struct suite_run *run, const void *data)
{
	struct wait_limit limit;
	unsigned kicks_again = 0, steps = 0;

	(void)data;
	wait_begin(&limit, machine_cpu_index(), UNUSED_CPU);
	for (unsigned i = 1; i <= 3; i++) {
		limit.looked = machine_ticks() - 2 * hang_round();
		EXPECT_EQ(run, wait_more(&limit, 3), i < 3);
	}
	wait_begin(&limit, machine_cpu_index(), UNUSED_CPU);
	EXPECT_EQ(run, limit.rounds, 0);
	/* It is kicked again once, in the round WAIT_KICK. */
	while (limit.rounds < WAIT_KICK + 2 && steps++ < 1000) {
		limit.looked = machine_ticks() - 2 * hang_round();
		if (wait_step(&limit, true)) {
			kicks_again++;
			EXPECT_EQ(run, limit.rounds, WAIT_KICK);
		}
	}
	EXPECT_EQ(run, kicks_again, 1);
	EXPECT(run, wait_complaint() != NULL);
	/* A CPU that is alive begins again; one that is not asleep is not kicked. */
	wait_alive(UNUSED_CPU);
	limit.kicked = false;
	do
		limit.looked = machine_ticks() - 2 * hang_round();
	while (!wait_step(&limit, false) && limit.rounds > 1 && steps++ < 2000);
	EXPECT(run, limit.rounds <= 1 && !limit.kicked);
	EXPECT(run, wait_complaint() == NULL);
}

static const struct suite_case cases[] = {
	{
		.name = "limits.progress",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(SPIN(1)),
		.quiet_s = 4,
		.verify = progress,
	},
	{
		.name = "limits.total",
		.script = SCRIPT(SPIN(1)),
		.total_s = 3,
		.verify = total,
	},
	{
		.name = "limits.all-quiet",
		.script = SCRIPT(SPIN(1)),
		.others = {SCRIPT(SPIN(1))},
		.quiet_s = 1,
		.total_s = 1000,
		.verify = all_quiet,
	},
	{
		.name = "limits.budget",
		.script = SCRIPT(SPIN(1)),
		.budget = 160000,
		.quiet_s = HANG_NEVER,
		.verify = budget,
	},
	{.name = "limits.kicks", .run = kicks},
	{.name = "limits.complaints", .run = complaints},
	{.name = "limits.waits", .run = waits},
};

const struct suite_subject suite_limits = {
	.name = "limits",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
