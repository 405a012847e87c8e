/* SPDX-License-Identifier: BSD-2-Clause */
#include "race.h"

#include <sched.h>

/*
 * Who waits for the library's lock spins, as a CPU does; a thread that spins on a machine with
 * fewer CPUs than threads keeps the one it waits for from running. Under ThreadSanitizer each
 * atomic access is a call, which the linker leads here (tests/host.mk): who finds the lock taken
 * lets others run.
 */
#if __has_feature(thread_sanitizer)
uint32_t __real___tsan_atomic32_load(const volatile uint32_t *at, int order);
uint32_t __wrap___tsan_atomic32_load(const volatile uint32_t *at, int order);

uint32_t __wrap___tsan_atomic32_load(const volatile uint32_t *at, int order)
{
	uint32_t value = __real___tsan_atomic32_load(at, order);
	if (value != 0)
		sched_yield();
	return value;
}
#endif

static void *thread_main(void *arg)
{
	struct race *race = arg;
	hal_test_set_cpu(race->cpu);
	pthread_barrier_wait(race->start);
	race->run(race);
	return NULL;
}

uint64_t race_run(unsigned n, void (*const run[])(struct race *race), void *shared, uint64_t seed)
{
	struct race races[RACE_CPUS];
	pthread_t threads[RACE_CPUS];
	pthread_barrier_t start;
	uint64_t done = 0;

	CHECK(n <= RACE_CPUS);
	/* A failure in a thread has nowhere to jump to. */
	check_in_child();
	pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		races[i] = (struct race){i, rng_seeded(seed * 100 + i), shared, run[i], &start, 0};
		CHECK(pthread_create(&threads[i], NULL, thread_main, &races[i]) == 0);
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		done += races[i].done;
	}
	pthread_barrier_destroy(&start);
	return done;
}
