/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An address space from init to destroy, and all calls that change its areas.
 *
 * Each change has the same steps: check the request; take the write lock; reserve frames for the
 * area map; change the table, which succeeds or changes nothing; change the areas, which cannot
 * fail after the reservation.
 */
#include "mm/aspace.h"

#include "mm/aspace_internal.h"
#include "mm/npt/frames.h"
#include "mm/supply.h"

/* Are the required hooks present? The others may be NULL. */
static bool has_hooks(const struct mm_hal *hal)
{
	return hal->alloc && hal->free && hal->flush;
}

static enum mm_error check_config(const struct mm_aspace_config *config)
{
	enum mm_error err;

	if (!config->format || !has_hooks(&config->hal))
		return MM_INVALID;
	err = mm_npt_config_check(config->format, &config->npt);
	if (err != MM_OK)
		return err;
	if (!mm_gpa_range_valid(config->limits))
		return MM_INVALID;
	if (!mm_gpa_range_is_aligned(config->limits, MM_PAGE_SIZE))
		return MM_MISALIGNED;
	if (mm_gpa_range_last(config->limits).raw >> mm_npt_gpa_bits(&config->npt) != 0)
		return MM_OUT_OF_RANGE;
	return MM_OK;
}

/* mm_npt.admit: in the middle of a long exclusive call. The caches of the CPUs that were let in
 * hold what this call may change next. */
static void admit_others(void *ctx)
{
	struct mm_aspace *as = ctx;

	if (!mm_lock_write_admit(&as->lock))
		return;
	mm_aspace_invalidate(as);
	(void)mm_aspace_take_credit_back(as);
}

static void make_page_leaves(struct mm_aspace *as)
{
	const struct mm_npt_format *f = as->npt.format;

	for (unsigned set = 0; set < MM_PERM_SETS; set++) {
		enum mm_perm perm = (enum mm_perm)set;
		uint64_t attr = mm_npt_leaf_attr(f, &as->npt.config, perm, MM_NORMAL) | f->owned;

		as->page_leaf[set] = mm_npt_leaf_entry(f, 0, attr, perm);
	}
}

enum mm_error mm_aspace_init(struct mm_aspace *as, const struct mm_aspace_config *config)
{
	enum mm_error err = as && config ? check_config(config) : MM_INVALID;

	if (err != MM_OK)
		return err;
	err = mm_npt_init(&as->npt, config->format, &config->npt, &config->hal, config->tag,
	                  config->quota);
	if (err != MM_OK)
		return err;
	mm_area_map_init(&as->areas, &as->npt.hal);
	if (config->hal.cpu_index) {
		as->npt.admit = admit_others;
		as->npt.admit_ctx = as;
	}
	as->limits = config->limits;
	as->log = (struct mm_aspace_log){.active = false};
	mm_aspace_update_fast_path(as);
	as->changes = 0;
	make_page_leaves(as);
	mm_aspace_cpus_init(as);
	atomic_init(&as->needs_frame, 0);
	mm_aspace_areas_changed(as);
	return MM_OK;
}

void mm_aspace_destroy(struct mm_aspace *as)
{
	MM_ASSERT(mm_aspace_is_open(as));
	as->npt.admit = NULL; /* the lock is not held, and no one waits for it */
	mm_aspace_drop_snapshots(as);
	mm_npt_destroy(&as->npt);
	mm_area_map_clear(&as->areas);
	mm_aspace_cpus_free(as);
}

void mm_aspace_clear(struct mm_aspace *as)
{
	mm_aspace_write_lock(as);
	mm_aspace_drop_snapshots(as);

	/* No leaf crosses the limits, so this splits none and cannot fail. */
	struct mm_npt_removed removed = {0};
	enum mm_error err = mm_npt_unmap(&as->npt, as->limits, &removed);

	MM_ASSERT(err == MM_OK);
	(void)err;
	mm_area_map_clear(&as->areas);
	mm_aspace_areas_changed(as);
	mm_npt_release_removed(&as->npt, &removed, &as->npt.counts);
	mm_aspace_write_unlock(as);
}

/* --- mapping --- */

/* Are these members of their enums, and is max_leaf a level? Checked before they are cut to bytes.
 */
static bool is_mapping(enum mm_perm perm, enum mm_memtype type, unsigned max_leaf)
{
	return (unsigned)perm < MM_PERM_SETS && (unsigned)type < MM_MEMTYPES &&
	       max_leaf < MM_NPT_MAX_LEVELS;
}

/* All other errors of a map request that do not depend on what is mapped. */
static enum mm_error check_mapping(const struct mm_aspace *as, const struct mm_area *area)
{
	enum mm_error err = mm_aspace_check_range(as, area->range);

	if (err != MM_OK)
		return err;
	return mm_npt_can_express(as->npt.format, &as->npt.config, 0, (enum mm_perm)area->perm,
	                          (enum mm_memtype)area->memtype);
}

static enum mm_error check_host(const struct mm_aspace *as, mm_hpa_t host, uint64_t size)
{
	struct mm_hpa_range range = mm_hpa_range(host, size);

	if (!mm_hpa_is_aligned(host, MM_PAGE_SIZE))
		return MM_MISALIGNED;
	if (!mm_hpa_range_valid(range) ||
	    mm_hpa_range_last(range).raw >> as->npt.config.hpa_bits != 0)
		return MM_OUT_OF_RANGE;
	return MM_OK;
}

/* What the table maps for an area that is mapped when it is added. */
static struct mm_npt_mapping mapping_of(const struct mm_aspace *as, const struct mm_area *area)
{
	return (struct mm_npt_mapping){
		.range = area->range,
		.perm = mm_aspace_leaf_perm(as, area->perm, MM_NONE),
		.type = (enum mm_memtype)area->memtype,
		.max_leaf = area->max_leaf,
		.owned = area->backend == MM_AREA_ALLOC,
		.host = area->host,
	};
}

/* What to do with a checked area: add_area() or replace_area(). `now`: its leaves are mapped now.
 */
typedef enum mm_error (*put_area)(struct mm_aspace *as, const struct mm_area *area, bool now);

/* Merges leaves in and around a range that has changed. The area limits the size of a leaf, and no
 * leaf lies in two areas. While a dirty log is active nothing is merged: the log does it when it
 * stops. */
static void merge_leaves(struct mm_aspace *as, struct mm_gpa_range range)
{
	uint64_t last = mm_gpa_range_last(range).raw;
	const struct mm_area *area = mm_area_find(&as->areas, range.start);

	if (as->log.active)
		return;
	while (area && area->range.start.raw <= last) {
		mm_npt_merge(&as->npt, range, area->range, area->max_leaf);
		area = mm_area_first_from(&as->areas,
		                          mm_gpa_plus(mm_gpa_range_last(area->range), 1));
	}
}

/* The same for a new linear area that was joined to its neighbours: a leaf may now cover both. Not
 * for alloc areas, whose frames are seldom contiguous. */
static void merge_joined(struct mm_aspace *as, const struct mm_area *area)
{
	if (area->backend == MM_AREA_LINEAR && area->max_leaf > 0 &&
	    mm_area_find(&as->areas, area->range.start)->range.size != area->range.size)
		merge_leaves(as, area->range);
}

static enum mm_error add_area(struct mm_aspace *as, const struct mm_area *area, bool now)
{
	struct mm_npt_mapping mapping = mapping_of(as, area);
	struct mm_area_reservation reserved;
	struct mm_area_path place;
	enum mm_error err;

	mm_area_reservation_init(&reserved);
	mm_aspace_write_lock(as);
	err = mm_area_place(&as->areas, area->range, &place) ? MM_OK : MM_EXISTS;
	/* A snapshot could not keep the frames. */
	if (err == MM_OK && area->backend == MM_AREA_SUPPLIED && as->npt.copies)
		err = MM_BUSY;
	if (err == MM_OK)
		err = mm_area_reserve_place(&as->areas, &place, &reserved);
	if (err == MM_OK && now)
		err = mm_npt_map(&as->npt, &mapping);
	if (err == MM_OK) {
		mm_area_insert(&as->areas, &place, area, &reserved);
		mm_aspace_areas_changed(as);
		merge_joined(as, area);
	}
	mm_area_release(&as->areas, &reserved);
	mm_aspace_write_unlock(as);
	return err;
}

static enum mm_error replace_area(struct mm_aspace *as, const struct mm_area *area, bool now)
{
	struct mm_npt_mapping mapping = mapping_of(as, area);
	struct mm_area_reservation reserved;
	struct mm_npt_removed removed = {0};
	enum mm_error err;

	mm_area_reservation_init(&reserved);
	mm_aspace_write_lock(as);
	err = mm_area_reserve(&as->areas, area->range, &reserved);
	if (err == MM_OK) {
		mm_aspace_dirty_ring_cut(as, area->range);
		err = now ? mm_npt_replace(&as->npt, &mapping, &removed)
		          : mm_npt_unmap(&as->npt, area->range, &removed);
	}
	if (err == MM_OK) {
		mm_area_replace(&as->areas, area, &reserved);
		mm_aspace_areas_changed(as);
		merge_joined(as, area);
	}
	mm_area_release(&as->areas, &reserved);
	mm_npt_release_removed(&as->npt, &removed, &as->npt.counts);
	mm_aspace_write_unlock(as);
	return err;
}

static uint8_t leaf_level(const struct mm_aspace *as, unsigned wanted)
{
	unsigned most = as->npt.config.max_leaf;

	return (uint8_t)(wanted < most ? wanted : most);
}

static enum mm_error put_linear(struct mm_aspace *as, put_area put, struct mm_gpa_range range,
                                mm_hpa_t host, enum mm_perm perm, enum mm_memtype type,
                                unsigned max_leaf)
{
	if (!is_mapping(perm, type, max_leaf))
		return MM_INVALID;

	struct mm_area area = {
		.range = range,
		.backend = MM_AREA_LINEAR,
		.perm = (uint8_t)perm,
		.memtype = (uint8_t)type,
		.max_leaf = leaf_level(as, max_leaf),
		.host = host,
	};
	enum mm_error err = check_mapping(as, &area);

	if (err == MM_OK)
		err = check_host(as, host, range.size);
	return err == MM_OK ? put(as, &area, true) : err;
}

static enum mm_error put_alloc(struct mm_aspace *as, put_area put, struct mm_gpa_range range,
                               enum mm_perm perm, struct mm_aspace_backing backing)
{
	if (!is_mapping(perm, MM_NORMAL, backing.max_leaf))
		return MM_INVALID;

	struct mm_area area = {
		.range = range,
		.backend = MM_AREA_ALLOC,
		.perm = (uint8_t)perm,
		.memtype = MM_NORMAL,
		.max_leaf = leaf_level(as, backing.max_leaf),
		.populate = backing.populate,
	};
	enum mm_error err = check_mapping(as, &area);

	return err == MM_OK ? put(as, &area, backing.populate) : err;
}

static enum mm_error put_device(struct mm_aspace *as, put_area put, struct mm_gpa_range range)
{
	struct mm_area area = {.range = range, .backend = MM_AREA_DEVICE};
	enum mm_error err = check_mapping(as, &area);

	return err == MM_OK ? put(as, &area, false) : err;
}

enum mm_error mm_aspace_map_linear(struct mm_aspace *as, struct mm_gpa_range range, mm_hpa_t host,
                                   enum mm_perm perm, enum mm_memtype type, unsigned max_leaf)
{
	return put_linear(as, add_area, range, host, perm, type, max_leaf);
}

enum mm_error mm_aspace_map_alloc(struct mm_aspace *as, struct mm_gpa_range range,
                                  enum mm_perm perm, struct mm_aspace_backing backing)
{
	return put_alloc(as, add_area, range, perm, backing);
}

enum mm_error mm_aspace_map_device(struct mm_aspace *as, struct mm_gpa_range range)
{
	return put_device(as, add_area, range);
}

enum mm_error mm_aspace_map_supplied(struct mm_aspace *as, struct mm_gpa_range range,
                                     enum mm_perm perm, enum mm_memtype type, unsigned max_leaf)
{
	if (!is_mapping(perm, type, max_leaf))
		return MM_INVALID;

	struct mm_area area = {
		.range = range,
		.backend = MM_AREA_SUPPLIED,
		.perm = (uint8_t)perm,
		.memtype = (uint8_t)type,
		.max_leaf = leaf_level(as, max_leaf),
	};
	enum mm_error err = check_mapping(as, &area);

	return err == MM_OK ? add_area(as, &area, false) : err;
}

enum mm_error mm_aspace_replace_linear(struct mm_aspace *as, struct mm_gpa_range range,
                                       mm_hpa_t host, enum mm_perm perm, enum mm_memtype type,
                                       unsigned max_leaf)
{
	return put_linear(as, replace_area, range, host, perm, type, max_leaf);
}

enum mm_error mm_aspace_replace_alloc(struct mm_aspace *as, struct mm_gpa_range range,
                                      enum mm_perm perm, struct mm_aspace_backing backing)
{
	return put_alloc(as, replace_area, range, perm, backing);
}

enum mm_error mm_aspace_replace_device(struct mm_aspace *as, struct mm_gpa_range range)
{
	return put_device(as, replace_area, range);
}

/* --- changing --- */

enum mm_error mm_aspace_unmap(struct mm_aspace *as, struct mm_gpa_range range)
{
	struct mm_area_reservation reserved;
	struct mm_npt_removed removed = {0};
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	mm_area_reservation_init(&reserved);
	mm_aspace_write_lock(as);
	err = mm_area_reserve(&as->areas, range, &reserved);
	if (err == MM_OK) {
		mm_aspace_dirty_ring_cut(as, range);
		err = mm_npt_unmap(&as->npt, range, &removed);
	}
	if (err == MM_OK) {
		mm_area_remove(&as->areas, range, &reserved);
		mm_aspace_areas_changed(as);
	}
	mm_area_release(&as->areas, &reserved);
	mm_npt_release_removed(&as->npt, &removed, &as->npt.counts);
	mm_aspace_write_unlock(as);
	return err;
}

/* Is every page of the range in an area, and in no device? */
static enum mm_error check_backed(const struct mm_aspace *as, struct mm_gpa_range range)
{
	uint64_t last = mm_gpa_range_last(range).raw;
	uint64_t at = range.start.raw;

	for (;;) {
		const struct mm_area *area = mm_area_find(&as->areas, mm_gpa_at(at));

		if (!area)
			return MM_NOT_MAPPED;
		if (area->backend == MM_AREA_DEVICE)
			return MM_IS_DEVICE;
		if (mm_gpa_range_last(area->range).raw >= last)
			return MM_OK;
		at = mm_gpa_range_last(area->range).raw + 1;
	}
}

/* The mapping of a range of one linear area to other host memory. */
static enum mm_error remapping(const struct mm_aspace *as, struct mm_gpa_range range, mm_hpa_t host,
                               struct mm_npt_mapping *out)
{
	const struct mm_area *area = mm_area_find(&as->areas, range.start);

	if (!mm_area_covers(&as->areas, range))
		return MM_NOT_MAPPED;
	if (area->backend != MM_AREA_LINEAR || !mm_gpa_range_covers(area->range, range))
		return MM_UNSUPPORTED;
	*out = (struct mm_npt_mapping){
		.range = range,
		.perm = (enum mm_perm)area->perm,
		.type = (enum mm_memtype)area->memtype,
		.max_leaf = area->max_leaf,
		.host = host,
	};
	return as->log.active ? MM_BUSY : MM_OK;
}

enum mm_error mm_aspace_remap(struct mm_aspace *as, struct mm_gpa_range range, mm_hpa_t host)
{
	struct mm_npt_mapping mapping;
	struct mm_area_reservation reserved;
	struct mm_npt_removed removed = {0};
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err == MM_OK)
		err = check_host(as, host, range.size);
	if (err != MM_OK)
		return err;
	mm_area_reservation_init(&reserved);
	mm_aspace_write_lock(as);
	err = remapping(as, range, host, &mapping);
	if (err == MM_OK)
		err = mm_area_reserve(&as->areas, range, &reserved);
	if (err == MM_OK)
		err = mm_npt_replace(&as->npt, &mapping, &removed);
	if (err == MM_OK) {
		mm_area_set_host(&as->areas, range, host, &reserved);
		mm_aspace_areas_changed(as);
		merge_leaves(as, range);
	}
	mm_area_release(&as->areas, &reserved);
	mm_npt_release_removed(&as->npt, &removed, &as->npt.counts);
	mm_aspace_write_unlock(as);
	return err;
}

enum mm_error mm_aspace_protect(struct mm_aspace *as, struct mm_gpa_range range, enum mm_perm perm)
{
	struct mm_area_reservation reserved;
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	if ((unsigned)perm >= MM_PERM_SETS)
		return MM_INVALID;
	err = mm_npt_can_express(as->npt.format, &as->npt.config, 0, perm, MM_NORMAL);
	if (err != MM_OK)
		return err;
	mm_area_reservation_init(&reserved);
	mm_aspace_write_lock(as);
	err = check_backed(as, range);
	if (err == MM_OK)
		err = as->log.active ? MM_BUSY : MM_OK;
	if (err == MM_OK)
		err = mm_area_reserve(&as->areas, range, &reserved);
	if (err == MM_OK)
		err = mm_npt_prepare_protect(&as->npt, range, perm);
	if (err == MM_OK) {
		/* First the areas: a fault that comes between two turns gives a page no more than
		 * what it is to have. */
		mm_area_protect(&as->areas, range, perm, &reserved);
		mm_aspace_areas_changed(as);
		mm_npt_protect(&as->npt, range, perm);
		merge_leaves(as, range);
	}
	mm_area_release(&as->areas, &reserved);
	mm_aspace_write_unlock(as);
	return err;
}

void mm_aspace_set_tag(struct mm_aspace *as, uint32_t tag)
{
	mm_aspace_write_lock(as);
	as->npt.tag = tag;
	mm_aspace_write_unlock(as);
}
