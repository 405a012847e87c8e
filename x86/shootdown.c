/* SPDX-License-Identifier: BSD-2-Clause */
/* The flush side of the protocol in shootdown.h. */
#include "x86/shootdown.h"

#include "kick.h"
#include "machine.h"
#include "machine/x86_64/smp.h"
#include "wait_limit.h"

static struct shootdown_cpu cpus[MACHINE_MAX_CPUS];

struct shootdown_cpu *shootdown_this_cpu(void)
{
	return &cpus[machine_cpu_index()];
}

void shootdown_begin(uint64_t root)
{
	unsigned self = machine_cpu_index();

	for (unsigned i = 0; i < machine_cpu_count(); i++) {
		uint64_t before = 0;

		if (i != self && !atomic_compare_exchange_strong(&cpus[i].stale, &before, root) &&
		    before != root)
			atomic_store(&cpus[i].stale, SHOOTDOWN_ALL);
	}
	atomic_thread_fence(memory_order_seq_cst);
}

/* The CPU has been in the guest since before the change, and has not invalidated. */
static bool must_leave(unsigned cpu, uint64_t root)
{
	return atomic_load(&cpus[cpu].running) == root && atomic_load(&cpus[cpu].stale) != 0;
}

void shootdown_end(uint64_t root)
{
	unsigned self = machine_cpu_index();

	for (unsigned i = 0; i < machine_cpu_count(); i++) {
		if (i == self || !must_leave(i, root))
			continue;
		kick_owe(i, KICK_FLUSH);
		smp_kick_for_flush(i);
	}
	for (unsigned i = 0; i < machine_cpu_count(); i++) {
		struct wait_limit limit;

		if (i == self || !must_leave(i, root))
			continue;
		wait_begin(&limit, self, i);
		while (must_leave(i, root)) {
			if (wait_step(&limit, true))
				smp_kick_for_flush(i);
			machine_relax();
		}
	}
}
