/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time limits for a CPU that waits for another one.
 *
 *	struct wait_limit limit;
 *
 *	wait_begin(&limit, self, cpu);
 *	while (not done) {
 *		if (wait_step(&limit, asleep))
 *			machine_kick(cpu);
 *		pause or sleep, for a round at most
 *	}
 *
 * A round is one second of machine_ticks(), counted as in kernel/hang.h: the time between two
 * steps counts for at most one round, and for less while the machine is slow (wait_round_worth()).
 * A CPU that runs guests calls wait_alive() at the end of each slice, which restarts the count.
 *
 * The other CPUs watch CPU 0, which runs the cases: both idle CPUs and CPUs that run guests call
 * wait_watch(). CPU 0 calls wait_alive() at the end of each slice, in each round that it waits for
 * another CPU, and at the beginning and the end of each case. On a machine of one CPU, CPU 0 is
 * not watched.
 *
 * If a CPU has not begun its work within WAIT_KICK rounds, its kick was lost: the case fails, and
 * the CPU is kicked again. If a CPU does not call wait_alive() for WAIT_MOST rounds, it is lost:
 * the run ends with "Bail out!" and the name of the case.
 *
 * A CPU that was started at boot and has not arrived after WAIT_ARRIVAL rounds is not used.
 */
#ifndef WAIT_LIMIT_H
#define WAIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAIT_KICK    4U
#define WAIT_MOST    10U
#define WAIT_ARRIVAL 10U
#define WAIT_WORK_MS 200U

struct wait_limit {
	unsigned self;   /* the CPU that waits */
	unsigned cpu;    /* the CPU that it waits for */
	uint64_t looked; /* machine_ticks() at the last step */
	uint64_t used;   /* ticks of the round that has begun */
	uint64_t worth;  /* ticks of rounds on a slow machine: less than a round */
	uint32_t life;   /* how often `cpu` had called wait_alive() at the last step */
	unsigned rounds; /* since it last did */
	bool kicked;     /* it was kicked again, since the wait began */
};

/* Ends the run when a CPU is lost. A pointer, because the report needs run.c, which calls this
 * file. */
typedef void wait_lost_fn(const char *case_name, const struct wait_limit *limit);
void wait_on_lost(wait_lost_fn *fn);

void wait_begin(struct wait_limit *limit, unsigned self, unsigned cpu);
/*
 * The ticks that a round of one second counts for. The CPU executes a fixed amount of work. If
 * that takes longer than WAIT_WORK_MS, the machine is slow at the moment, and the round counts for
 * less, in that proportion.
 */
uint64_t wait_round_worth(void);

/* True: kick it again. `asleep`: it has not begun its work. */
bool wait_step(struct wait_limit *limit, bool asleep);

/* A wait with a limit of its own, after wait_begin(). False: so many rounds have passed. */
bool wait_more(struct wait_limit *limit, unsigned rounds);

/* On this CPU, `cpu`: it is not stuck. */
void wait_alive(unsigned cpu);
/* On each other CPU, at least once a round: checks that CPU 0 is not stuck. */
void wait_watch(unsigned self);

/* Sets the name of the running case, for the report; NULL: none. Valid until the next call. */
void wait_case(const char *name);
/* What went wrong since the last call; NULL: nothing. Valid until the next case. */
const char *wait_complaint(void);
/* Notes that something went wrong, on any CPU. Only the first note is kept. */
void wait_complain(const char *what, unsigned cpu);

#endif
