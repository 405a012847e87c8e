#include "race.h"

static void *thread_main(void *arg)
{
	struct race *race = arg;
	hal_test_set_cpu(race->cpu);
	pthread_barrier_wait(race->start);
	race->run(race);
	return NULL;
}

void race_run(unsigned n, void (*const run[])(struct race *race), void *shared, uint64_t seed)
{
	struct race races[RACE_CPUS];
	pthread_t threads[RACE_CPUS];
	pthread_barrier_t start;

	CHECK(n <= RACE_CPUS);
	/* A failure in a thread has nowhere to jump to. */
	check_in_child();
	pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		races[i] = (struct race){i, rng_seeded(seed * 100 + i), shared, run[i], &start};
		CHECK(pthread_create(&threads[i], NULL, thread_main, &races[i]) == 0);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}
