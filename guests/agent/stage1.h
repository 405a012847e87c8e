/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent's own page tables (stage 1), built by one algorithm for the three architectures. */
#ifndef AGENT_STAGE1_H
#define AGENT_STAGE1_H

#include <stdbool.h>

#include "guests/agent/abi.h"

/* Turns stage 1 on. The lower 8 GiB are mapped to themselves with all permissions. `with_ad`: the
 * hardware updates accessed and dirty bits in the mappings of AGENT_MAP. False: it cannot. */
bool stage1_on(bool with_ad);

/* AGENT_MAP. Returns the bytes of new tables. */
uint64_t stage1_map(const struct agent_op *op);

/* An address that maps to this guest-physical address, whether stage 1 is on or off. */
uint64_t stage1_reach(uint64_t gpa);

#endif
