/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads on one address space: each is a CPU with a number of its own, and all begin together.
 */
#ifndef RACE_H
#define RACE_H

#include <pthread.h>
#include <stdatomic.h>

#include "check.h"
#include "hal_test.h"

struct race {
	unsigned cpu;
	struct rng rng;
	void *shared;
	void (*run)(struct race *race);
	pthread_barrier_t *start;
	uint64_t done; /* operations: counted by whoever makes them */
};

#define RACE_CPUS 8

/* Runs the n functions as threads, with CPU numbers from 0 on, and waits for all. How many
 * operations they have counted. */
uint64_t race_run(unsigned n, void (*const run[])(struct race *race), void *shared, uint64_t seed);

#endif
