/*
 * The limit of a CPU that waits for another one.
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
 * A round is one second of machine_ticks(), counted as in kernel/hang.h: what passes between two
 * steps counts for at most one round, and for less while the machine is slow (wait_round_worth()).
 *A CPU that runs guests shows a sign of life (wait_alive) at the end of each slice, which starts
 *the count again.
 *
 * CPU 0, which runs the cases, is watched by the others: by those that are idle, and by those that
 * run guests (wait_watch). It shows a sign of life at the end of each slice, in each round that it
 * waits for another CPU, and at the beginning and the end of each case. On a machine of one CPU
 * nobody watches it.
 *
 * A CPU that has not even begun within WAIT_KICK rounds has lost its kick: the case fails, and the
 * CPU is kicked again. One that shows no sign of life for WAIT_MOST rounds is lost: the run ends
 * with "Bail out!" and the name of the case.
 *
 * A CPU that was started at boot and has not arrived after WAIT_ARRIVAL rounds is done without.
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
	unsigned self;   /* that waits */
	unsigned cpu;    /* that is waited for */
	uint64_t looked; /* machine_ticks() at the last step */
	uint64_t used;   /* ticks of the round that has begun */
	uint64_t worth;  /* ticks that rounds on a slow machine count for, less than one round */
	uint32_t life;   /* its signs of life at the last step */
	unsigned rounds; /* since the last of them */
	bool kicked;     /* again, since the wait began */
};

/* What ends the run when a CPU is lost. A pointer, since the log needs the machine layer. */
typedef void wait_lost_fn(const char *case_name, const struct wait_limit *limit);
void wait_on_lost(wait_lost_fn *fn);

void wait_begin(struct wait_limit *limit, unsigned self, unsigned cpu);
/*
 * The ticks that a round of one second counts for. The CPU executes a fixed amount of work. If that
 * takes longer than WAIT_WORK_MS, the machine is slow at the moment, and the round counts for less,
 * in that proportion.
 */
uint64_t wait_round_worth(void);

/* True: kick it again. `asleep`: it has not begun what it is to do. */
bool wait_step(struct wait_limit *limit, bool asleep);

/* A wait that has a limit of its own, after the same wait_begin(). False: so many rounds are over.
 */
bool wait_more(struct wait_limit *limit, unsigned rounds);

/* A sign of life of this CPU, `cpu`. */
void wait_alive(unsigned cpu);
/* By each other CPU, about once a round and not less often: is CPU 0 still alive in its case? */
void wait_watch(unsigned self);

/* The case that runs from now on, for the report; NULL: none. Lives until the next call. */
void wait_case(const char *name);
/* What has gone wrong since the last call, once; NULL: nothing. Valid until the next case. */
const char *wait_complaint(void);
/* Notes such a thing, from any CPU; the first one stays. */
void wait_complain(const char *what, unsigned cpu);

#endif
