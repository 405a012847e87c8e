/* SPDX-License-Identifier: BSD-2-Clause */
/* Compare and exchange from several threads, under ThreadSanitizer: an access that is not atomic is
 * a data race. */
#include "guest.h"

#include <pthread.h>

#include "mm/compiler.h"

static const struct mm_aspace_backing lazily = {0};

#define THREADS 3
#define ROUNDS  5000

struct adder {
	struct guest *guest;
	unsigned cpu;
	unsigned width;
};

static void *add_many(void *ctx)
{
	const struct adder *a = ctx;
	uint64_t ones = UINT64_MAX >> (64 - 8 * a->width);
	uint64_t value = 0, found;

	hal_test_set_cpu(a->cpu);
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (;; value = found) {
			CHECK_OK(mm_aspace_compare_exchange(&a->guest->as, page(10), a->width,
			                                    value, (value + 1) & ones, &found));
			if (found == value)
				break;
		}
	}
	return NULL;
}

static void no_exchange_is_lost(const struct geometry *geo)
{
	for (unsigned width = 1; width <= 8; width *= 2) {
		struct guest *g = guest_open(geo, (struct hal_test_options){.threads = true});
		pthread_t threads[THREADS];
		struct adder adders[THREADS];
		uint64_t sum;

		CHECK_OK(mm_aspace_map_alloc(&g->as, pages(10, 1), MM_RW, lazily));
		for (unsigned i = 0; i < THREADS; i++) {
			adders[i] = (struct adder){g, i, width};
			CHECK_EQ(pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
		}
		for (unsigned i = 0; i < THREADS; i++)
			CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK_OK(mm_aspace_load(&g->as, page(10), width, &sum));
		CHECK_EQ(sum, (THREADS * ROUNDS) & (UINT64_MAX >> (64 - 8 * width)));
		guest_close(g);
	}
}

static bool is_first(const struct geometry *geo)
{
	return geo == &geometries[0];
}

int main(void)
{
	static const struct geometry_test tests[] = {
		GEOMETRY_TEST_IF(no_exchange_is_lost, is_first),
	};

	return run_geometry_tests("race exchange", tests, MM_ARRAY_SIZE(tests));
}
