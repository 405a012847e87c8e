/* The agent's own page tables: stage 1, built by one algorithm for the three architectures. */
#ifndef AGENT_STAGE1_H
#define AGENT_STAGE1_H

#include <stdbool.h>

#include "guests/agent/abi.h"

/* Turns stage 1 on: the lower 8 GiB mapped to themselves, everything permitted. `with_ad`: the
 * hardware is to update accessed and dirty bits in what AGENT_MAP adds; false if it cannot. */
bool stage1_on(bool with_ad);

/* AGENT_MAP: answers the bytes of tables it made. */
uint64_t stage1_map(const struct agent_op *op);

/* An address by which this guest-physical address can be reached, stage 1 being what it is. */
uint64_t stage1_reach(uint64_t gpa);

#endif
