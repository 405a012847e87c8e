/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures the cost of the hypervisor in the guest's own count of instructions or cycles, from the
 * instruction that exits to the next instruction.
 *
 * Argument: 0 = what to measure (BENCH_*), 1 = bytes from one access to the next, 2 = rounds.
 * Reports: 0 = the cheapest round, 1 = the most expensive round, 2 = all rounds, 3 = the cost of an
 * empty round, which the other figures include.
 */
#include "guest.h"

#define BENCH_CALL  0 /* a hypercall that does nothing */
#define BENCH_TOUCH 1 /* a write to each page of the arena in turn */
#define BENCH_MMIO  2 /* a read of the test device */

static uint64_t least = UINT64_MAX, most, sum;

static void count(uint64_t cycles)
{
	least = cycles < least ? cycles : least;
	most = cycles > most ? cycles : most;
	sum += cycles;
}

static uint64_t empty_round(void)
{
	uint64_t start = guest_cycles();

	return guest_cycles() - start;
}

static uint64_t call_round(void)
{
	uint64_t start = guest_cycles();

	(void)guest_call(GUEST_NOP, 0, 0, 0);
	return guest_cycles() - start;
}

static uint64_t touch_round(uint64_t at)
{
	uint64_t start = guest_cycles();

	write64(at, 1);
	return guest_cycles() - start;
}

static uint64_t mmio_round(void)
{
	uint64_t start = guest_cycles();

	(void)read32(GUEST_TEST_BASE + GUEST_TEST_ID);
	return guest_cycles() - start;
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	uint64_t at = info->arena_base;

	(void)vcpu;
	for (uint64_t i = 0; i < info->args[2]; i++, at += info->args[1]) {
		if (info->args[0] == BENCH_CALL)
			count(call_round());
		else if (info->args[0] == BENCH_TOUCH)
			count(touch_round(at));
		else
			count(mmio_round());
	}
	guest_report(0, least);
	guest_report(1, most);
	guest_report(2, sum);
	guest_report(3, empty_round());
}
