/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts kicks: see kick.h. Two counters for each CPU and kind. */
#include "kick.h"

#include <stdatomic.h>
#include <stdint.h>

#include "machine.h"

_Atomic unsigned kick_lose[KICK_KINDS];

static _Atomic uint32_t sent[MACHINE_MAX_CPUS][KICK_KINDS];
static _Atomic uint32_t arrived[MACHINE_MAX_CPUS][KICK_KINDS];

void kick_owe(unsigned cpu, enum kick kind)
{
	atomic_fetch_add(&sent[cpu][kind], 1);
}

void kick_came(unsigned cpu, enum kick kind)
{
	atomic_store(&arrived[cpu][kind], atomic_load(&sent[cpu][kind]));
}

static bool kind_owed(unsigned cpu, enum kick kind)
{
	return atomic_load(&arrived[cpu][kind]) != atomic_load(&sent[cpu][kind]);
}

bool kick_owed(unsigned cpu)
{
	return kind_owed(cpu, KICK_RUN) || kind_owed(cpu, KICK_FLUSH);
}

enum kick kick_forgive(unsigned cpu)
{
	enum kick kind = kind_owed(cpu, KICK_FLUSH) ? KICK_FLUSH : KICK_RUN;

	for (unsigned i = 0; i < KICK_KINDS; i++)
		kick_came(cpu, (enum kick)i);
	return kind;
}

bool kick_is_lost(enum kick kind)
{
	unsigned left = atomic_load_explicit(&kick_lose[kind], memory_order_relaxed);

	return left != 0 && atomic_compare_exchange_strong(&kick_lose[kind], &left, left - 1);
}
