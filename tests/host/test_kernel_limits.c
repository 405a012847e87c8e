/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time limits of kernel/hang.h and wait_limit.h on a clock that the test moves: a machine that
 * is stopped for a while, and one that is slow, reach none of them.
 */
#include "tests/host/check.h"

#include "kernel/vm.h"
#include "tests/host/geometry.h"
#include "tests/host/guest.h"
#include "tests/host/kernel_stubs.h"
#include "wait_limit.h"

#define SECOND UINT64_C(1000000000) /* machine_ticks_per_second() of kernel_stubs.c */
#define HOUR   (3600 * SECOND)

static struct vm_config config;
static struct vm vm;
static struct hal_test *hal;

static void begin(void)
{
	struct mm_aspace_config as = {0};

	hal = hal_test_open((struct hal_test_options){0});
	as = guest_config(&geometries[0], hal);
	config = (struct vm_config){.name = "limits"};
	vm = (struct vm){.config = &config, .vcpu_count = 1};
	vm.vcpus = vm.own_vcpus;
	vm.vcpus[0].vm = &vm;
	CHECK_OK(mm_aspace_init(&vm.as, &as));
	stubs_ticks_step = 0;
	hang_begin(&vm);
}

static void end(void)
{
	stubs_ticks_step = 0;
	mm_aspace_destroy(&vm.as);
	hal_test_close(hal);
}

static enum hang_verdict slice(uint64_t ticks)
{
	hang_enter(&vm.vcpus[0], stubs_ticks);
	stubs_ticks += ticks;
	return hang_check(&vm.vcpus[0], false);
}

/* The slices of this length until the verdict. */
static unsigned slices(uint64_t ticks, enum hang_verdict verdict)
{
	unsigned n = 1;
	enum hang_verdict now;

	while ((now = slice(ticks)) == HANG_NOT && n < 1000000)
		n++;
	CHECK_EQ(now, verdict);
	return n;
}

static void a_guest_without_progress_hangs(void **state)
{
	(void)state;
	begin();
	CHECK_EQ(slices(SECOND / 100, HANG_NO_PROGRESS), HANG_QUIET * 100);
	end();
}

static void a_pause_counts_one_round(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 1; i < HANG_QUIET; i++)
		CHECK_EQ(slice(HOUR), HANG_NOT);
	CHECK_EQ(slice(HOUR), HANG_NO_PROGRESS);
	end();
}

static void progress_begins_the_count_again(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 1; i < HANG_TOTAL; i++) {
		if (i % (HANG_QUIET - 1) == 0)
			atomic_fetch_add(&vm.calls, 1);
		CHECK_EQ(slice(SECOND), HANG_NOT);
	}
	atomic_fetch_add(&vm.calls, 1);
	CHECK_EQ(slice(SECOND), HANG_TOO_LONG);
	end();
}

/* The hypervisor's own work after each round takes ten times as long as it may. */
static void rounds_of_a_slow_machine_count_for_less(void **state)
{
	(void)state;
	begin();
	stubs_ticks_step = 10 * SECOND / 1000 * WAIT_WORK_MS;
	CHECK_EQ(slices(SECOND, HANG_NO_PROGRESS), 10 * HANG_QUIET);
	end();

	begin();
	config.quiet_s = HANG_NEVER;
	stubs_ticks_step = 10 * SECOND / 1000 * WAIT_WORK_MS;
	CHECK_EQ(slices(SECOND, HANG_TOO_LONG), 10 * HANG_TOTAL);
	end();
}

static void a_pause_does_not_use_up_a_budget(void **state)
{
	(void)state;
	begin();
	config.budget_ms = 160;
	CHECK_EQ(hang_slice(&vm), SECOND / 100);
	CHECK_EQ(slice(HOUR), HANG_NOT);
	CHECK_EQ(slices(SECOND / 100, HANG_BUDGET), HANG_BUDGET_SLICES - 1);
	end();
}

/* --- CPUs that wait for others --- */

static unsigned lost;

static void note_lost(const char *name, const struct wait_limit *limit)
{
	(void)name;
	CHECK_EQ(limit->rounds, WAIT_MOST);
	lost++;
}

static void a_pause_is_one_round_of_a_wait(void **state)
{
	struct wait_limit limit;

	(void)state;
	wait_begin(&limit, 0, 1);
	for (unsigned i = 1; i < WAIT_ARRIVAL; i++) {
		stubs_ticks += HOUR;
		CHECK(wait_more(&limit, WAIT_ARRIVAL));
	}
	stubs_ticks += HOUR;
	CHECK(!wait_more(&limit, WAIT_ARRIVAL));
}

static void a_kick_that_is_lost_is_sent_again_once(void **state)
{
	struct wait_limit limit;
	unsigned kicks = 0;

	(void)state;
	wait_begin(&limit, 0, 1);
	for (unsigned i = 1; i < WAIT_MOST; i++) {
		stubs_ticks += HOUR;
		CHECK_EQ(wait_complaint() != NULL, i == WAIT_KICK + 1);
		kicks += wait_step(&limit, true);
	}
	CHECK_EQ(kicks, 1);
}

static void a_cpu_without_a_sign_of_life_is_lost(void **state)
{
	struct wait_limit limit;

	(void)state;
	wait_on_lost(note_lost);
	wait_begin(&limit, 0, 1);
	for (unsigned i = 1; i <= WAIT_MOST; i++) {
		CHECK_EQ(lost, 0);
		stubs_ticks += SECOND;
		CHECK(!wait_step(&limit, false));
	}
	CHECK_EQ(lost, 1);
	wait_begin(&limit, 0, 1);
	for (unsigned i = 0; i < 10 * WAIT_MOST; i++) {
		if (i % (WAIT_MOST - 1) == 0)
			wait_alive(1);
		stubs_ticks += SECOND;
		(void)wait_step(&limit, false);
	}
	CHECK_EQ(lost, 1);
	wait_on_lost(NULL);
}

static void a_slow_machine_waits_longer(void **state)
{
	struct wait_limit limit;
	unsigned rounds = 0;

	(void)state;
	lost = 0;
	wait_on_lost(note_lost);
	wait_begin(&limit, 0, 1);
	stubs_ticks_step = 10 * SECOND / 1000 * WAIT_WORK_MS;
	while (lost == 0 && rounds < 1000) {
		stubs_ticks += SECOND;
		(void)wait_step(&limit, false);
		rounds++;
	}
	stubs_ticks_step = 0;
	CHECK_EQ(rounds, 10 * WAIT_MOST);
	wait_on_lost(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_without_progress_hangs),
		cmocka_unit_test(a_pause_counts_one_round),
		cmocka_unit_test(progress_begins_the_count_again),
		cmocka_unit_test(rounds_of_a_slow_machine_count_for_less),
		cmocka_unit_test(a_pause_does_not_use_up_a_budget),
		cmocka_unit_test(a_pause_is_one_round_of_a_wait),
		cmocka_unit_test(a_kick_that_is_lost_is_sent_again_once),
		cmocka_unit_test(a_cpu_without_a_sign_of_life_is_lost),
		cmocka_unit_test(a_slow_machine_waits_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
