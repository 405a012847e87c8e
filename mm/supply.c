/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Areas whose frames the caller supplies: see supply.h. mm_aspace_map_supplied() is in aspace.c,
 * with the other map calls.
 */
#include "mm/supply.h"

#include "mm/aspace_internal.h"
#include "mm/npt/change.h"
#include "mm/npt/supply.h"

/* --- supplying --- */

/* The leaf level of this order. False: no level has leaves of this size. */
static bool level_of(unsigned order, unsigned *level)
{
	*level = order / MM_NPT_INDEX_BITS;
	return order % MM_NPT_INDEX_BITS == 0 && *level < MM_NPT_MAX_LEVELS;
}

/* [read lock] */
static enum mm_error supply(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_gpa_t gpa,
                            mm_hpa_t hpa, unsigned level)
{
	const struct mm_area *area = mm_area_find(&as->areas, gpa);
	enum mm_error err;

	if (!area)
		return MM_NOT_MAPPED;
	if (area->backend != MM_AREA_SUPPLIED || level > area->max_leaf ||
	    !mm_gpa_range_covers(area->range, mm_npt_leaf_range(gpa, level)))
		return MM_UNSUPPORTED;
	do {
		struct mm_npt_slot slot = mm_npt_walk(&as->npt, gpa);

		if (slot.value != 0 || slot.level < level)
			return MM_EXISTS;
		err = mm_npt_supply(&as->npt, &cpu->counts, slot, gpa, hpa, level,
		                    mm_aspace_leaf_perm(as, area->perm, MM_NONE),
		                    (enum mm_memtype)area->memtype);
	} while (err == MM_BUSY);
	return err;
}

enum mm_error mm_aspace_supply(struct mm_aspace *as, mm_gpa_t gpa, mm_hpa_t hpa, unsigned order)
{
	struct mm_aspace_cpu *cpu;
	struct mm_hpa_range frames;
	enum mm_error err;
	unsigned level;
	bool more = true;

	if (!level_of(order, &level))
		return MM_UNSUPPORTED;
	if (!mm_gpa_is_aligned(gpa, MM_LEVEL_SIZE(level)) ||
	    !mm_hpa_is_aligned(hpa, MM_LEVEL_SIZE(level)))
		return MM_MISALIGNED;
	frames = mm_hpa_range(hpa, MM_LEVEL_SIZE(level));
	if (!mm_gpa_range_contains(as->limits, gpa) ||
	    mm_hpa_range_last(frames).raw >> as->npt.config.hpa_bits != 0)
		return MM_OUT_OF_RANGE;
	cpu = mm_aspace_read_lock(as);
	/* The quota seems exhausted: the same as for a fault (fault.c). */
	while ((err = supply(as, cpu, gpa, hpa, level)) == MM_QUOTA && more)
		more = mm_aspace_collect_credit(as, cpu);
	mm_aspace_read_unlock(cpu);
	return err;
}

/* --- taking back --- */

/* The next part of the range that lies in a supplied area. False: there is none. */
static bool next_part(const struct mm_aspace *as, struct mm_gpa_range range, mm_gpa_t from,
                      struct mm_gpa_range *part)
{
	uint64_t last = mm_gpa_range_last(range).raw;

	for (;;) {
		const struct mm_area *area = mm_area_first_from(&as->areas, from);

		if (!area || area->range.start.raw > last)
			return false;
		if (area->backend == MM_AREA_SUPPLIED) {
			*part = mm_gpa_range_intersect(area->range, range);
			return true;
		}
		if (mm_gpa_range_last(area->range).raw >= last)
			return false;
		from = mm_gpa_plus(mm_gpa_range_last(area->range), 1);
	}
}

/* The part after this one. */
static bool part_after(const struct mm_aspace *as, struct mm_gpa_range range,
                       struct mm_gpa_range *part)
{
	mm_gpa_t end = mm_gpa_range_last(*part);

	if (end.raw == mm_gpa_range_last(range).raw)
		return false;
	end = mm_gpa_plus(end, 1);
	range = mm_gpa_range(end, mm_gpa_range_last(range).raw - end.raw + 1);
	return next_part(as, range, end, part);
}

struct taking {
	void (*visit)(void *ctx, mm_gpa_t gpa, mm_hpa_t hpa, unsigned order);
	void *ctx;
};

static bool hand_over(void *ctx, const struct mm_npt_leaf *leaf)
{
	const struct taking *taking = ctx;

	taking->visit(taking->ctx, leaf->gpa, leaf->hpa, leaf->level * MM_NPT_INDEX_BITS);
	return true;
}

/* Splits the leaves that the range cuts: only its first and its last part can have such leaves,
 * because no leaf lies in two areas. */
static enum mm_error split_around(struct mm_aspace *as, struct mm_gpa_range range,
                                  struct mm_gpa_range first)
{
	struct mm_gpa_range part = first;
	uint64_t last;

	do
		last = mm_gpa_range_last(part).raw;
	while (part_after(as, range, &part));
	return mm_npt_split_ends(&as->npt, mm_gpa_range(first.start, last - first.start.raw + 1),
	                         NULL);
}

/* As change.h describes it: leaves are parked, flushed and released. They hold no frames of the
 * library, so a release frees tables only. */
static enum mm_error take_back(struct mm_aspace *as, struct mm_gpa_range range,
                               struct taking *taking)
{
	unsigned leaf_level = MM_NPT_MAX_LEVELS;
	struct mm_gpa_range first, part;
	struct mm_npt_removed removed = {0};
	enum mm_error err;

	if (!next_part(as, range, range.start, &first))
		return MM_OK;
	mm_aspace_dirty_ring_cut(as, range);
	err = split_around(as, range, first);
	if (err != MM_OK)
		return err;
	part = first;
	do
		mm_npt_park(&as->npt, part, &leaf_level);
	while (part_after(as, range, &part));
	if (leaf_level != MM_NPT_MAX_LEVELS)
		mm_npt_flush(&as->npt, &as->npt.counts, range, leaf_level, false);
	part = first;
	do {
		if (taking->visit)
			mm_npt_for_each_leaf(&as->npt, part, hand_over, taking);
		err = mm_npt_unmap(&as->npt, part, &removed);
		MM_ASSERT(err == MM_OK); /* its ends are split */
	} while (part_after(as, range, &part));
	mm_npt_release_removed(&as->npt, &removed, &as->npt.counts);
	return err;
}

enum mm_error mm_aspace_take_back(struct mm_aspace *as, struct mm_gpa_range range,
                                  void (*visit)(void *ctx, mm_gpa_t gpa, mm_hpa_t hpa,
                                                unsigned order),
                                  void *ctx)
{
	struct taking taking = {visit, ctx};
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	mm_aspace_write_lock(as);
	err = take_back(as, range, &taking);
	mm_aspace_write_unlock(as);
	return err;
}
