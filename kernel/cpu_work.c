/* SPDX-License-Identifier: BSD-2-Clause */
/* Work for the other CPUs: see cpu_work.h. */
#include "cpu_work.h"

#include <stdatomic.h>
#include <stdint.h>

#include "kick.h"
#include "log.h"
#include "machine.h"
#include "wait_limit.h"

/* Written by the sender as long as there is no work, then by the receiver. `state` is written last
 * and read first. */
struct mailbox {
	_Atomic uint32_t state;
	void (*fn)(void *arg);
	void *arg;
} MM_ALIGNED_TO(64);

enum {
	WORK_ABSENT, /* the CPU has not arrived in cpu_work_loop() */
	WORK_NONE,
	WORK_GIVEN, /* the CPU has not begun it */
	WORK_BEGUN,
};

static struct mailbox mailboxes[MACHINE_MAX_CPUS];

static uint32_t state_of(unsigned cpu)
{
	return atomic_load_explicit(&mailboxes[cpu].state, memory_order_acquire);
}

static void set_state(unsigned cpu, uint32_t state)
{
	atomic_store_explicit(&mailboxes[cpu].state, state, memory_order_release);
}

void cpu_work_give(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	ASSERT(cpu < machine_cpu_count() && state_of(cpu) == WORK_NONE);
	mailboxes[cpu].fn = fn;
	mailboxes[cpu].arg = arg;
	set_state(cpu, WORK_GIVEN);
	kick_owe(cpu, KICK_RUN);
	machine_kick(cpu);
}

/* The kick that came with the work may still be pending: machine_sleep() then returns at once. So
 * the state is read again after each sleep. */
void cpu_work_loop(void)
{
	unsigned self = machine_cpu_index();

	set_state(self, WORK_NONE);
	for (;;) {
		while (state_of(self) != WORK_GIVEN) {
			machine_allow_stop();
			machine_sleep();
			wait_watch(self);
		}
		set_state(self, WORK_BEGUN);
		mailboxes[self].fn(mailboxes[self].arg);
		set_state(self, WORK_NONE);
	}
}

void cpu_work_wait(unsigned cpu)
{
	struct wait_limit limit;
	uint32_t state;

	wait_begin(&limit, machine_cpu_index(), cpu);
	while ((state = state_of(cpu)) != WORK_NONE) {
		if (wait_step(&limit, state == WORK_GIVEN))
			machine_kick(cpu);
		machine_pause();
	}
}

bool cpu_work_arrives(unsigned cpu)
{
	struct wait_limit limit;

	wait_begin(&limit, machine_cpu_index(), cpu);
	while (state_of(cpu) == WORK_ABSENT) {
		if (!wait_more(&limit, WAIT_ARRIVAL))
			return false;
		machine_pause();
	}
	return true;
}
