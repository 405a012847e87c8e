/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface of guests/<arch>/stage1.c for stage1.c: stage-1 entries. */
#ifndef GUEST_LIB_STAGE1_H
#define GUEST_LIB_STAGE1_H

#include <stdint.h>

enum stage1_kind {
	STAGE1_MEMORY,
	STAGE1_DEVICE,
};

extern const unsigned stage1_root_level; /* counted from level 0, which maps pages */

uint64_t stage1_table(uint64_t table);
uint64_t stage1_leaf(uint64_t page, enum stage1_kind kind);
/* The table that an entry points to. */
uint64_t stage1_target(uint64_t entry);
/* Turns stage 1 on with these tables. */
void stage1_load(uint64_t root);

#endif
