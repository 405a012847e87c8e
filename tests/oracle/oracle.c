/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the four walkers share: the record of reads and writes, and the names of faults. No
 * architecture's rule is here.
 */
#include "oracle.h"

const char *oracle_fault_name(enum oracle_fault fault)
{
	static const char *const names[ORACLE_FAULTS] = {
		"ok",          "bad root", "input width",  "absent", "permission",
		"access flag", "reserved", "address size", "bus",
	};

	return (unsigned)fault < ORACLE_FAULTS ? names[fault] : "?";
}

bool oracle_read_entry(struct oracle_walk *walk, const struct oracle_memory *memory, uint64_t pa,
                       unsigned shift, uint64_t *word)
{
	walk->shift = shift;
	if (!memory->read(memory->ctx, pa, word))
		return false;
	walk->steps[walk->step_count++] = (struct oracle_step){pa, *word, shift};
	return true;
}

void oracle_set_bits(struct oracle_walk *walk, unsigned i, uint64_t bits, bool optional)
{
	const struct oracle_step *step = &walk->steps[i];

	if ((step->word & bits) == bits)
		return;
	walk->writes[walk->write_count++] =
		(struct oracle_write){step->pa, step->word, step->word | bits, optional};
}
