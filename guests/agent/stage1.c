/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stage 1 of the agent. All three architectures resolve nine bits per level with 4 KiB tables:
 *
 *	va[38:30] -> gib table -> va[29:21] -> va[20:12] -> page
 *
 * (x86 has one more level on top, which agent_stage1_load() provides.) The first eight entries of
 * the gib table map the lower 8 GiB to themselves. AGENT_MAP fills entries above them. The script
 * chooses the addresses of its tables, which may be lazy memory.
 */
#include <stdalign.h>

#include "agent/agent.h"
#include "agent/stage1.h"

#define GIB_LEVEL     2U
#define IDENTITY_GIBS 8U
#define WINDOW        (UINT64_C(9) << 30) /* stage1_reach() maps its target here */
#define TABLE_BYTES   UINT64_C(4096)
#define ENTRIES       512U
#define ALL_FLAGS     (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X | AGENT_PTE_AD)

static alignas(4096) uint64_t gib_table[ENTRIES];
static alignas(4096) uint64_t window_tables[2][ENTRIES];

static unsigned index_of(uint64_t va, unsigned level)
{
	return (unsigned)(va >> (12 + 9 * level)) % ENTRIES;
}

bool stage1_on(bool with_ad)
{
	for (unsigned i = 0; i < IDENTITY_GIBS; i++)
		gib_table[i] = agent_pte_gib(i);
	return agent_stage1_load(gib_table, with_ad);
}

uint64_t stage1_map(const struct agent_op *op)
{
	uint64_t *table = gib_table;
	uint64_t made = 0;

	for (unsigned level = GIB_LEVEL; level > op->count; level--) {
		uint64_t *entry = &table[index_of(op->addr, level)];

		if (*entry == 0) {
			uint64_t *fresh = (uint64_t *)(op->stride + made);

			made += TABLE_BYTES;
			for (unsigned i = 0; i < ENTRIES && !(op->flags & AGENT_KEEP); i++)
				fresh[i] = 0;
			*(volatile uint64_t *)entry = agent_pte_table((uint64_t)fresh);
			if (op->flags & AGENT_KEEP)
				return made;
		}
		table = (uint64_t *)agent_pte_target(*entry);
	}
	*(volatile uint64_t *)&table[index_of(op->addr, op->count)] =
		op->flags & (AGENT_PTE_R | AGENT_PTE_W | AGENT_PTE_X)
			? agent_pte_leaf(op->value, op->count, op->flags)
			: 0;
	agent_stage1_flush();
	return made;
}

uint64_t stage1_reach(uint64_t gpa)
{
	uint64_t page = gpa & ~(TABLE_BYTES - 1);

	if (!agent_stage1_is_on())
		return gpa;
	for (unsigned i = 0; i < 2; i++) {
		const struct agent_op op = {.addr = WINDOW + i * TABLE_BYTES,
		                            .value = page + i * TABLE_BYTES,
		                            .stride = (uint64_t)window_tables,
		                            .flags = ALL_FLAGS};

		stage1_map(&op);
	}
	return WINDOW + (gpa - page);
}
