/* SPDX-License-Identifier: BSD-2-Clause */
#include "hw_walk.h"

#include <string.h>

#include "mm/bits.h"

#include "golden.h"

const char *hw_outcome_name(enum hw_outcome outcome)
{
	static const char *const names[] = {"ok",         "out of range", "not present",
	                                    "permission", "access flag",  "misconfiguration"};
	return names[outcome];
}

static struct hw_entry decode(const struct hw_mmu *mmu, uint64_t e, unsigned level,
                              enum mm_perm access)
{
	return golden_of(mmu->format)->decode(mmu, e, level, access);
}

/* One attempt. Sets *raced if the entry changed under an A/D update. */
static struct hw_result walk_once(const struct hw_mmu *mmu, mm_hpa_t table, unsigned top,
                                  mm_gpa_t gpa, enum mm_perm access, bool update, bool *raced)
{
	const struct mm_npt_config *config = &mmu->config;
	struct hw_result result = {.perm = MM_RWX};

	*raced = false;
	if (mm_npt_gpa_bits(config) < 64 && gpa.raw >> mm_npt_gpa_bits(config)) {
		result.outcome = HW_OUT_OF_RANGE;
		return result;
	}
	for (unsigned level = top + 1; level-- > 0;) {
		unsigned bits = level + 1 == config->levels ? config->root_bits : MM_NPT_INDEX_BITS;
		uint64_t index = (gpa.raw >> MM_LEVEL_SHIFT(level)) & (BIT(bits) - 1);
		uint64_t *entry = mmu->memory(mmu->ctx, mm_hpa_plus(table, index * 8));
		uint64_t e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
		struct hw_entry d = decode(mmu, e, level, access);

		result.tables[result.table_count] = table;
		result.table_levels[result.table_count++] = level;
		result.level = level;
		result.entry = e;
		result.perm = (enum mm_perm)(result.perm & d.perm);
		result.outcome = d.outcome;
		if (d.outcome != HW_OK)
			return result;
		uint64_t set = d.accessed;
		if (d.leaf) {
			result.memtype = d.memtype;
			result.shareability = d.shareability;
			result.ignore_pat = d.ignore_pat;
			bool denied = !mm_permits(result.perm, access);
			if (denied && !(d.flags_by_software && d.flags_first))
				result.outcome = HW_PERMISSION;
			else if (d.flags_by_software)
				result.outcome = HW_ACCESS_FLAG;
			if (result.outcome != HW_OK)
				return result;
			set |= access == MM_W ? d.dirty : 0;
		}
		if (update && (e & set) != set &&
		    !__atomic_compare_exchange_n(entry, &e, e | set, false, __ATOMIC_ACQ_REL,
		                                 __ATOMIC_ACQUIRE)) {
			*raced = true;
			return result;
		}
		if (d.leaf) {
			result.dirty = ((e | (update ? set : 0)) & d.dirty) == d.dirty;
			result.hpa = mm_hpa_plus(d.next, gpa.raw & (MM_LEVEL_SIZE(level) - 1));
			return result;
		}
		table = d.next;
	}
	result.outcome = HW_MISCONFIG;
	return result;
}

struct hw_result hw_walk_from(const struct hw_mmu *mmu, mm_hpa_t table, unsigned level,
                              mm_gpa_t gpa, enum mm_perm access, bool update)
{
	struct hw_result result;
	bool raced;
	do
		result = walk_once(mmu, table, level, gpa, access, update, &raced);
	while (raced);
	return result;
}

struct hw_result hw_walk(const struct hw_mmu *mmu, mm_gpa_t gpa, enum mm_perm access, bool update)
{
	return hw_walk_from(mmu, mmu->root, mmu->config.levels - 1, gpa, access, update);
}

bool hw_entry_is_table(const struct mm_npt_format *format, uint64_t entry, unsigned level,
                       mm_hpa_t *next)
{
	/* The widest machine of the format: what it may lead to is not the question here. */
	const struct hw_mmu mmu = {.format = format,
	                           .config = {.levels = 5,
	                                      .hpa_bits = golden_of(format)->max_hpa_bits,
	                                      .max_leaf = 4,
	                                      .execute_only = true}};
	struct hw_entry d = decode(&mmu, entry, level, MM_R);
	*next = d.next;
	return d.outcome == HW_OK && !d.leaf;
}
