/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses one word in each page of its arena and reports the contents. The arena may be lazy,
 * populated or linear. The payload sees no difference except in the count of faults.
 *
 * Arguments: 0 = LAZY_READ or LAZY_WRITE, 1 = bytes from one access to the next (negative:
 * downwards), 2 = touches, 3 = offset of the first one in the arena.
 * Reports: 0 = touches, 1 = words that were not zero at first, 2 = words that did not keep the
 * written value, 3 = nested faults of the first round, 4 = of the second, 5 = its own count of
 * cycles for the first round.
 */
#include "guest.h"

#define LAZY_READ  0
#define LAZY_WRITE 1

struct plan {
	uint64_t first;
	uint64_t stride;
	uint64_t count;
	bool write;
};

static uint64_t faults(void)
{
	return guest_call(GUEST_FAULTS, 0, 0, 0).value;
}

/* Returns the number of words that were not zero. A write is read back in round two. */
static uint64_t touch_first(const struct plan *plan)
{
	uint64_t at = plan->first, wrong = 0;

	for (uint64_t i = 0; i < plan->count; i++, at += plan->stride) {
		if (plan->write)
			write64(at, ~at);
		else
			wrong += read64(at) != 0;
	}
	return wrong;
}

static uint64_t touch_again(const struct plan *plan)
{
	uint64_t at = plan->first, wrong = 0;

	for (uint64_t i = 0; i < plan->count; i++, at += plan->stride) {
		wrong += read64(at) != (plan->write ? ~at : 0);
		if (plan->write)
			wrong += read64(at ^ 8) != 0;
	}
	return wrong;
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	struct plan plan = {
		.first = info->arena_base + info->args[3],
		.stride = info->args[1],
		.count = info->args[2],
		.write = info->args[0] == LAZY_WRITE,
	};
	uint64_t start = faults(), middle, cycles, wrong;

	(void)vcpu;
	cycles = guest_cycles();
	wrong = touch_first(&plan);
	cycles = guest_cycles() - cycles;
	middle = faults();
	guest_report(2, touch_again(&plan));
	guest_report(4, faults() - middle);
	guest_report(3, middle - start);
	guest_report(1, wrong);
	guest_report(0, plan.count);
	guest_report(5, cycles);
}
