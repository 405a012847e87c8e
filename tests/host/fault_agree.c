/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the two layers of the fault path: see fault_agree.h. */
#include "fault_agree.h"

#include "mm/aspace_internal.h"
#include "mm/npt/entry.h"

/* --- one fault --- */

static enum mm_fault expected_answer(const struct mm_aspace *as, mm_gpa_t gpa, enum mm_perm access)
{
	const struct mm_area *area;
	struct mm_npt_slot slot;

	if (access != MM_R && access != MM_W && access != MM_X)
		return MM_FAULT_INVALID;
	if (gpa.raw < as->limits.start.raw || gpa.raw > mm_gpa_range_last(as->limits).raw)
		return MM_FAULT_OUT_OF_RANGE;
	area = mm_area_find(&as->areas, gpa);
	if (!area)
		return MM_FAULT_NOT_MAPPED;
	if (area->backend == MM_AREA_DEVICE)
		return MM_FAULT_IS_DEVICE;
	if ((area->perm & access) == 0)
		return MM_FAULT_PERMISSION;
	slot = mm_npt_walk_general(&as->npt, gpa);
	if (slot.value == 0)
		return area->backend == MM_AREA_SUPPLIED ? MM_FAULT_NEEDS_FRAME : MM_FAULT_MAPPED;
	return (mm_npt_perm(&as->npt, slot.value) & access) != 0 ? MM_FAULT_SPURIOUS
	                                                         : MM_FAULT_UNSHARED;
}

struct fault_forecast fault_forecast(struct guest *g, mm_gpa_t gpa, enum mm_perm access)
{
	return (struct fault_forecast){expected_answer(&g->as, gpa, access), guest_stats(g)};
}

/* The leaf that the slow path installs for this access, with a frame of this address. */
static uint64_t expected_leaf(const struct mm_aspace *as, const struct mm_area *area,
                              unsigned level, mm_hpa_t frame, enum mm_perm access)
{
	const struct mm_npt_format *f = as->npt.format;
	enum mm_perm perm = mm_npt_leaf_perm(&as->npt.config, level,
	                                     mm_aspace_leaf_perm(as, area->perm, access));
	uint64_t attr = mm_npt_leaf_attr(f, &as->npt.config, perm, (enum mm_memtype)area->memtype);

	return mm_npt_with_pa(f, mm_npt_leaf_entry(f, level, attr | f->owned, perm), frame);
}

static void check_leaf(const struct mm_aspace *as, mm_gpa_t gpa, enum mm_perm access)
{
	const struct mm_area *area = mm_area_find(&as->areas, gpa);
	struct mm_npt_slot slot = mm_npt_walk_general(&as->npt, gpa);

	CHECK(area && slot.level <= area->max_leaf);
	CHECK(mm_gpa_range_covers(area->range, mm_npt_leaf_range(gpa, slot.level)));
	CHECK_EQ(slot.value, expected_leaf(as, area, slot.level,
	                                   mm_npt_decode_pa(as->npt.format, slot.value), access));
}

static bool is_served(enum mm_fault fault)
{
	return fault == MM_FAULT_MAPPED || fault == MM_FAULT_SPURIOUS || fault == MM_FAULT_UNSHARED;
}

/* One fault more of this kind, and, if it is mapped, one leaf more with its frames. */
static void check_counts(struct guest *g, mm_gpa_t gpa, const struct mm_aspace_stats *before,
                         enum mm_fault answer)
{
	struct mm_aspace_stats after = guest_stats(g);

	for (unsigned fault = 0; fault < MM_FAULTS; fault++)
		CHECK_EQ(after.faults[fault], before->faults[fault] + (fault == answer));
	if (answer == MM_FAULT_MAPPED) {
		unsigned level = mm_npt_walk_general(&g->as.npt, gpa).level;

		CHECK_EQ(after.leaves[level], before->leaves[level] + 1);
		CHECK_EQ(after.frames, before->frames + (MM_LEVEL_SIZE(level) >> MM_PAGE_SHIFT));
	}
}

void fault_check(struct guest *g, mm_gpa_t gpa, enum mm_perm access,
                 const struct fault_forecast *forecast, enum mm_fault answer)
{
	bool other_ran = g->hal->interlude && g->hal->interlude_in == 0;
	bool ran_out = answer == MM_FAULT_NO_MEMORY || answer == MM_FAULT_QUOTA;

	if (is_served(forecast->answer) && (other_ran || ran_out)) {
		CHECK(is_served(answer) || ran_out);
		return;
	}
	if (answer != forecast->answer)
		check_failed(__FILE__, __LINE__,
		             "gpa 0x%llx, access %s: %s, and by the slow path %s",
		             (unsigned long long)gpa.raw, mm_perm_name(access),
		             mm_fault_name(answer), mm_fault_name(forecast->answer));
	if (answer == MM_FAULT_MAPPED)
		check_leaf(&g->as, gpa, access);
	if (!other_ran)
		check_counts(g, gpa, &forecast->stats, answer);
}

/* --- the caches --- */

/* The table whose entries map 2 MiB each, by a walk from the root. */
static _Atomic uint64_t *table_of_gib(const struct mm_npt *npt, mm_gpa_t gpa)
{
	_Atomic uint64_t *table = npt->root_table;

	for (unsigned level = mm_npt_root_level(npt); level > 1; level--) {
		uint64_t value = mm_npt_load(&table[mm_npt_index(npt, gpa.raw, level)]);

		CHECK(mm_npt_points_to_table(npt->format, value));
		table = mm_npt_child(npt, value);
	}
	return table;
}

static void check_tables(const struct mm_aspace *as, const struct mm_aspace_cache *cache)
{
	for (unsigned slot = 0; slot < MM_ASPACE_CACHE_SLOTS; slot++) {
		mm_gpa_t gpa = mm_gpa_at((uint64_t)cache->gib[slot] << MM_LEVEL_SHIFT(2));

		if (cache->gib[slot] % MM_ASPACE_CACHE_SLOTS != slot)
			continue;
		CHECK(mm_npt_root_level(&as->npt) > 1);
		CHECK_EQ(gpa.raw >> mm_npt_gpa_bits(&as->npt.config), 0);
		CHECK(cache->table[slot] == table_of_gib(&as->npt, gpa));
	}
}

static void check_window(const struct mm_aspace *as, const struct mm_aspace_cache *cache)
{
	const struct mm_area *area = mm_area_find(&as->areas, cache->window);

	CHECK(area != NULL);

	mm_gpa_t block = mm_gpa_align_down(cache->window, MM_LEVEL_SIZE(1));
	struct mm_gpa_range range =
		mm_gpa_range_intersect(area->range, mm_gpa_range(block, MM_LEVEL_SIZE(1)));
	uint64_t pages = range.size / MM_PAGE_SIZE;
	bool device = area->backend == MM_AREA_DEVICE;
	/* While a log withholds W, only writes to an area with W: other leaves lack it. */
	bool withheld = (area->perm & as->log.withheld) != 0;
	unsigned served = withheld ? MM_W : area->perm;

	CHECK_EQ(cache->window.raw, range.start.raw);
	CHECK(mm_gpa_range_covers(as->limits, range));
	CHECK_EQ(cache->window_device_pages, device ? pages : 0);
	for (unsigned access = 0; access <= MM_X; access++) {
		bool permitted = mm_aspace_is_access((enum mm_perm)access) && !device &&
		                 (served & access) != 0;

		CHECK_EQ(cache->window_pages[access], permitted ? pages : 0);
	}
	if (device)
		return;

	struct mm_npt_slot slot = mm_npt_walk_general(&as->npt, cache->window);

	CHECK(as->fast_path && area->backend == MM_AREA_ALLOC);
	CHECK_EQ(slot.level, 0);
	CHECK(cache->window_table == slot.entry);
	CHECK_EQ(cache->window_leaf,
	         expected_leaf(as, area, 0, mm_hpa_at(0), withheld ? MM_W : MM_NONE));
	if (range.size == MM_LEVEL_SIZE(1)) {
		uint64_t first = mm_align_up(area->range.start.raw, MM_LEVEL_SIZE(1));
		uint64_t end = area->range.start.raw + area->range.size;
		uint64_t blocks = (end - first) / MM_LEVEL_SIZE(1);

		CHECK_EQ(cache->area_block.raw, first);
		CHECK_EQ(cache->area_blocks, blocks < UINT32_MAX ? blocks : UINT32_MAX);
	}
}

static bool has_window(const struct mm_aspace_cache *cache)
{
	unsigned pages = cache->window_device_pages;

	for (unsigned access = 0; access <= MM_X; access++)
		pages |= cache->window_pages[access];
	return pages != 0;
}

void fault_check_caches(const struct mm_aspace *as)
{
	for (struct mm_lock_reader *reader = mm_lock_newest(&as->lock); reader;
	     reader = mm_lock_older(&as->lock, reader)) {
		const struct mm_aspace_cache *cache = &mm_aspace_cpu_of(reader)->cache;

		if (!reader->valid)
			continue;
		check_tables(as, cache);
		if (has_window(cache))
			check_window(as, cache);
	}
}
