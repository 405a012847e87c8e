/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boundary values by generation: see boundary.h. A geometry at a time, each with some states;
 * in each state, some hundred calls. BOUNDARY_SEED (1), BOUNDARY_STATES (40) per geometry, or
 * instead BOUNDARY_SECONDS in all, are for the soak and for mutants.
 */
#include "boundary.h"
#include "soak.h"

#include <time.h>

#include "mm/compiler.h"

#define CALLS          600 /* per state */
#define BETWEEN_STATES 40  /* calls, before the state is moved on by valid operations */

/* How often a function has changed something, and how often not, in all states. */
struct tally {
	uint64_t changed, refused;
};

#define MOST_CALLS 96

static struct tally tallies[MOST_CALLS];

static size_t call_count(void)
{
	return boundary_call_count + boundary_life_count + boundary_more_count +
	       boundary_kernel_count;
}

static const struct boundary_call *call_at(size_t n)
{
	if (n < boundary_call_count)
		return &boundary_calls[n];
	n -= boundary_call_count;
	if (n < boundary_life_count)
		return &boundary_life[n];
	n -= boundary_life_count;
	return n < boundary_more_count ? &boundary_more[n]
	                               : &boundary_kernel[n - boundary_more_count];
}

static void one_call(struct boundary *b)
{
	size_t n = rng_below(&b->rng, call_count());
	struct tally before = {b->changed, b->refused};

	CHECK(n < MOST_CALLS);
	if (boundary_chance(b, 3))
		boundary_warm(b);
	call_at(n)->run(b);
	tallies[n].changed += b->changed - before.changed;
	tallies[n].refused += b->refused - before.refused;
}

static void one_state(const struct geometry *geo, uint64_t seed)
{
	struct boundary b;

	boundary_open(&b, geo, seed);
	for (unsigned i = 0; i < CALLS && !b.over; i++) {
		if (i % BETWEEN_STATES == 0)
			boundary_prepare(&b);
		one_call(&b);
	}
	boundary_close(&b);
}

static uint64_t states(void)
{
	return soak_setting("BOUNDARY_STATES", 40);
}

static uint64_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static void calls_in_random_states(const struct geometry *geo)
{
	uint64_t seed = soak_setting("BOUNDARY_SEED", 1) * 1000003;
	uint64_t most = soak_setting("BOUNDARY_SECONDS", 0);
	uint64_t each = most / geometry_count, begun = seconds();
	struct soak soak = soak_begin(each, "seconds of boundaries of %s", geo->name);

	for (uint64_t i = 0; most != 0 ? seconds() - begun < each : i < states(); i++) {
		one_state(geo, seed + i);
		soak_tell(&soak, seconds() - begun);
	}
}

static bool is_first(const struct geometry *geo)
{
	return geo == &geometries[0];
}

static void each_call(struct boundary *b, const struct boundary_call calls[], size_t count)
{
	for (size_t n = 0; n < count; n++) {
		for (unsigned i = 0; i < 2000; i++) {
			check_context("%s try=%u", calls[n].name, i);
			calls[n].run(b);
		}
	}
}

/* What needs no address space: each function by itself. */
static void calls_without_a_state(const struct geometry *geo)
{
	struct boundary b;

	boundary_open(&b, geo, soak_setting("BOUNDARY_SEED", 1));
	each_call(&b, boundary_pure, boundary_pure_count);
	each_call(&b, boundary_device, boundary_device_count);
	boundary_close(&b);
}

/* A generator whose values are all refused, or none, tests nothing. */
static void every_call_went_both_ways(const struct geometry *geo)
{
	(void)geo;
	for (size_t n = 0; n < call_count(); n++) {
		check_context("%s: %llu changed something, %llu did not", call_at(n)->name,
		              (unsigned long long)tallies[n].changed,
		              (unsigned long long)tallies[n].refused);
		CHECK(tallies[n].changed + tallies[n].refused >= states());
		CHECK(call_at(n)->one_way ||
		      (tallies[n].changed >= states() / 2 && tallies[n].refused >= states() / 2));
	}
}

int main(void)
{
	const struct geometry_test tests[] = {
		GEOMETRY_TEST(calls_in_random_states),
		GEOMETRY_TEST_IF(calls_without_a_state, is_first),
		GEOMETRY_TEST_IF(every_call_went_both_ways, is_first),
	};

	return run_geometry_tests("boundary", tests, MM_ARRAY_SIZE(tests));
}
