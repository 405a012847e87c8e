/* SPDX-License-Identifier: BSD-2-Clause */
/* Time limits for a CPU that waits for another one: see wait_limit.h. */
#include "wait_limit.h"

#include <stdatomic.h>

#include "log.h"
#include "machine.h"

static _Atomic uint32_t life[MACHINE_MAX_CPUS];
static const char *_Atomic case_name;
static struct wait_limit watches[MACHINE_MAX_CPUS];
static wait_lost_fn *on_lost;
static char complaint[96];
static _Atomic bool complaining, complained;

void wait_alive(unsigned cpu)
{
	atomic_fetch_add_explicit(&life[cpu], 1, memory_order_relaxed);
}

void wait_on_lost(wait_lost_fn *fn)
{
	on_lost = fn;
}

void wait_case(const char *name)
{
	atomic_store(&case_name, name);
	wait_alive(0);
}

void wait_complain(const char *what, unsigned cpu)
{
	if (atomic_exchange(&complaining, true))
		return;
	format_string(complaint, sizeof(complaint), "cpu %u: %s", cpu, what);
	atomic_store(&complained, true);
}

const char *wait_complaint(void)
{
	if (!atomic_exchange(&complained, false))
		return NULL;
	atomic_store(&complaining, false);
	return complaint;
}

void wait_begin(struct wait_limit *limit, unsigned self, unsigned cpu)
{
	*limit = (struct wait_limit){
		.self = self,
		.cpu = cpu,
		.looked = machine_ticks(),
		.life = atomic_load_explicit(&life[cpu], memory_order_relaxed),
	};
}

/* Loops of the hypervisor per round. The longest case runs less than a million loops in one
 * operation. An emulator takes some 10 ms for this work if its host is idle. */
#define WORK_LOOPS (UINT32_C(1) << 21)

/* Executes a fixed number of instructions. Answers the ticks that it took. */
static uint64_t work(void)
{
	uint64_t begun = machine_ticks();

	for (uint32_t i = 0; i < WORK_LOOPS; i++)
		__asm__ volatile("" : "+r"(i) : : "memory");
	return machine_ticks() - begun;
}

uint64_t wait_round_worth(void)
{
	uint64_t round = machine_ticks_per_second(), most = round / 1000 * WAIT_WORK_MS;
	uint64_t took = work();

	return took <= most ? round : round * most / took;
}

static bool end_round(struct wait_limit *limit, bool asleep)
{
	uint32_t now = atomic_load_explicit(&life[limit->cpu], memory_order_relaxed);

	wait_alive(limit->self); /* this CPU waits, but is not stuck */
	limit->used = 0;
	limit->worth += wait_round_worth();
	if (limit->worth >= machine_ticks_per_second()) {
		limit->worth = 0;
		limit->rounds++;
	}
	if (now != limit->life) {
		limit->life = now;
		limit->rounds = 0;
	}
	/* `self` is added so that one CPU reports first, if several wait at the same time. */
	if (limit->rounds >= WAIT_MOST + limit->self && on_lost != NULL) {
		const char *name = atomic_load(&case_name);

		on_lost(name != NULL ? name : "(none)", limit);
	}
	if (!asleep || limit->kicked || limit->rounds < WAIT_KICK)
		return false;
	limit->kicked = true;
	wait_complain("a kick did not arrive; it was kicked again", limit->cpu);
	return true;
}

/* Counts the time since the last step. True: a round is complete. */
static bool count(struct wait_limit *limit)
{
	uint64_t now = machine_ticks(), round = machine_ticks_per_second();
	uint64_t spent = now - limit->looked;

	limit->looked = now;
	limit->used += spent < round ? spent : round;
	return limit->used >= round;
}

bool wait_step(struct wait_limit *limit, bool asleep)
{
	return count(limit) && end_round(limit, asleep);
}

bool wait_more(struct wait_limit *limit, unsigned rounds)
{
	if (count(limit)) {
		limit->used = 0;
		limit->rounds++;
	}
	return limit->rounds < rounds;
}

void wait_watch(unsigned self)
{
	struct wait_limit *watch = &watches[self];

	if (self == 0)
		return;
	if (watch->self == 0 || atomic_load(&case_name) == NULL)
		wait_begin(watch, self, 0);
	(void)wait_step(watch, false);
}
