/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested faults, the fast path. It may be left out: the slow path (fault.c) resolves every fault.
 * tests/host/slow/no_fast_path.c is what the library needs in its place, and the host tests pass
 * with it.
 *
 * Most faults hit a page next to the one that faulted before. The fast path keeps in
 * struct mm_aspace_cache what the last fault has found: a window, which is a part of one area with
 *the table that maps it; and the tables of some GiBs. It serves a fault in three cases:
 *
 *	window that permits it   take a frame, zero it, install it: no area and no walk needed
 *	window of a device       MM_FAULT_IS_DEVICE
 *	table in the cache       find the area, walk two levels; the window moves here
 *
 * In all other cases nothing has changed, and the slow path decides.
 *
 * Invariants: what the cache holds is what the slow path would find. Only exclusive calls move
 * areas and free tables, and each invalidates the cache. A window of an
 * alloc area exists only while aspace.fast_path is true. Every answer of this file is the one that
 * the slow path would have given: the model compares them (tests/host/fault_agree.h).
 */
#include "mm/aspace_internal.h"
#include "mm/npt/frames.h"

/* --- tables of whole GiBs --- */

/* The table whose entries map 2 MiB each of gpa's GiB. NULL: there is none yet, or the root is
 * that table. */
static _Atomic uint64_t *table_of_gib(const struct mm_npt *npt, mm_gpa_t gpa)
{
	_Atomic uint64_t *table = npt->root_table;

	for (unsigned level = npt->root_level; level > 1; level--) {
		uint64_t value = mm_npt_load(&table[mm_npt_index(npt, gpa.raw, level)]);

		if (!mm_npt_points_to_table(npt->format, value))
			return NULL;
		table = mm_npt_child(npt, value);
	}
	return npt->root_level > 1 ? table : NULL;
}

/* mm_npt_walk_near() needs a direct table: it calls no hook of the HAL. */
struct mm_npt_slot mm_aspace_walk_missed(const struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                         mm_checked_gpa_t at)
{
	uint64_t gib = at.gpa.raw >> MM_LEVEL_SHIFT(2); /* below 2^29 in every format */
	_Atomic uint64_t *table = as->npt.direct ? table_of_gib(&as->npt, at.gpa) : NULL;

	if (table) {
		cpu->cache.table[gib % MM_ASPACE_CACHE_SLOTS] = table;
		cpu->cache.gib[gib % MM_ASPACE_CACHE_SLOTS] = (uint32_t)gib;
	}
	return mm_npt_walk(&as->npt, at.gpa);
}

/* --- the window --- */

/* A leaf of level 0 that the library owns, in MM_NORMAL memory, without an address. */
static uint64_t page_leaf(const struct mm_npt *npt, enum mm_perm perm)
{
	const struct mm_npt_format *f = npt->format;

	return mm_npt_leaf_entry(f, 0, mm_npt_leaf_attr(f, &npt->config, perm, MM_NORMAL), perm) |
	       f->owned;
}

/* The part of the area that lies in gpa's block of 2 MiB: one table maps it. */
static struct mm_gpa_range window_around(const struct mm_area *area, mm_gpa_t gpa)
{
	mm_gpa_t block = mm_gpa_align_down(gpa, MM_LEVEL_SIZE(1));

	return mm_gpa_range_intersect(area->range, mm_gpa_range(block, MM_LEVEL_SIZE(1)));
}

/* Moves the window to gpa, whose entry in a table of the lowest level this is. */
static void open_window(const struct mm_aspace *as, struct mm_aspace_cache *cache,
                        const struct mm_area *area, mm_gpa_t gpa, _Atomic uint64_t *entry)
{
	struct mm_gpa_range range = window_around(area, gpa);
	uint16_t pages = (uint16_t)(range.size >> MM_PAGE_SHIFT);

	cache->window = range.start;
	cache->window_table = entry - (mm_gpa_diff(gpa, range.start) >> MM_PAGE_SHIFT);
	cache->window_leaf = page_leaf(&as->npt, (enum mm_perm)area->perm);
	for (unsigned access = MM_R; access <= MM_X; access <<= 1)
		cache->window_pages[access] = (area->perm & access) != 0 ? pages : 0;
	cache->window_device_pages = 0;
}

/* The same for a device, which permits no access. */
static void open_device_window(struct mm_aspace_cache *cache, const struct mm_area *area,
                               mm_gpa_t gpa)
{
	struct mm_gpa_range range = window_around(area, gpa);

	cache->window = range.start;
	for (unsigned access = MM_R; access <= MM_X; access <<= 1)
		cache->window_pages[access] = 0;
	cache->window_device_pages = (uint16_t)(range.size >> MM_PAGE_SHIFT);
}

/* The number of gpa's page in the window. If gpa lies outside, the number is one that no window
 * has: below the window the difference wraps, to 2^51 pages at least, since gpa is below 2^59 in
 * every window. */
static MM_ALWAYS_INLINE uint64_t window_page(const struct mm_aspace_cache *cache, mm_gpa_t gpa)
{
	return (gpa.raw - cache->window.raw) >> MM_PAGE_SHIFT;
}

/* --- faults --- */

/*
 * Installs a page by the contract of npt/install.h. The entry is of level 0, and fast_path is true:
 * no hook crosses hpa and hva, and there are no copies, so that nothing has to be recorded. *leaf
 * is page_leaf(), read as late as possible. MM_QUOTA: this CPU has no credit left;
 * mm_npt_refill_credit() comes next.
 *
 * Each page takes one unit of credit, and nothing else is counted here: mm_aspace_get_stats()
 * derives pages, frames and faults from the credit that was used.
 */
static MM_ALWAYS_INLINE enum mm_error install_page(const struct mm_npt *npt,
                                                   struct mm_npt_counts *counts,
                                                   _Atomic uint64_t *entry, const uint64_t *leaf)
{
	mm_hpa_t taken;

	if (MM_UNLIKELY(atomic_load_explicit(&counts->credit, memory_order_relaxed) == 0))
		return MM_QUOTA;
	if (MM_UNLIKELY(npt->hal.alloc(npt->hal.ctx, 0, 1, &taken) != 1))
		return MM_NO_MEMORY;

	const mm_hpa_t frame =
		taken; /* its address is not passed to a hook: it stays in a register */

	mm_npt_clear_bytes(npt, (void *)(uintptr_t)(frame.raw + npt->direct_offset), MM_PAGE_SIZE);

	const struct mm_npt_format *f = npt->format;
	uint64_t value = *leaf | ((frame.raw >> f->pa_shift) & f->pa_mask);

	if (MM_UNLIKELY(!mm_npt_install_entry(npt, entry, value))) {
		npt->hal.free(npt->hal.ctx, 0, 1, &taken);
		return MM_BUSY;
	}
	mm_npt_count(&counts->credit, -1);
	return MM_OK;
}

bool mm_fault_fast(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                   enum mm_perm access)
{
	const struct mm_area *area;
	struct mm_npt_slot slot;

	if (!as->fast_path)
		return false;
	slot = mm_aspace_walk(as, cpu, at);
	if (slot.level != 0 || slot.value != 0)
		return false;
	area = mm_area_find(&as->areas, at.gpa);
	if (!area || area->backend != MM_AREA_ALLOC ||
	    !mm_permits((enum mm_perm)area->perm, access))
		return false;
	if (!mm_npt_refill_credit(&as->npt, &cpu->counts))
		return false;
	open_window(as, &cpu->cache, area, at.gpa, slot.entry);
	return install_page(&as->npt, &cpu->counts, slot.entry, &cpu->cache.window_leaf) == MM_OK;
}

/* Leaves the fault to the slow path, which releases the lock. If it finds a device, the window
 * moves there. */
static enum mm_fault go_slow(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_gpa_t gpa,
                             enum mm_perm access)
{
	enum mm_fault fault = mm_fault_slow(as, cpu, gpa, access);

	if (MM_UNLIKELY(fault == MM_FAULT_IS_DEVICE)) {
		const struct mm_area *area;

		cpu = mm_aspace_read_lock(as);
		area = mm_area_find(&as->areas, gpa);
		if (area && area->backend == MM_AREA_DEVICE)
			open_device_window(&cpu->cache, area, gpa);
		mm_aspace_read_unlock(cpu);
	}
	return fault;
}

static MM_ALWAYS_INLINE enum mm_fault is_device(struct mm_aspace_cpu *cpu)
{
	mm_npt_count(&cpu->faults[MM_FAULT_IS_DEVICE], 1);
	mm_aspace_read_unlock(cpu);
	return MM_FAULT_IS_DEVICE;
}

/* A fault outside the window, or one that the window does not decide. */
static MM_NOINLINE enum mm_fault fault_outside(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                               mm_gpa_t gpa, enum mm_perm access)
{
	mm_checked_gpa_t at;

	if (!as->fast_path || !mm_aspace_is_access(access) || !mm_aspace_check_gpa(as, gpa, &at) ||
	    !mm_fault_fast(as, cpu, at, access))
		return go_slow(as, cpu, gpa, access);
	mm_aspace_read_unlock(cpu);
	return MM_FAULT_MAPPED;
}

/* A fault in the window that the slow path has to resolve. By the page's number: then the caller
 * need not keep the address. */
static MM_NOINLINE enum mm_fault fault_in_window(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                                 uint64_t page, enum mm_perm access)
{
	return fault_outside(as, cpu, mm_gpa_plus(cpu->cache.window, page << MM_PAGE_SHIFT),
	                     access);
}

/* A page of the window lies within the limits, and window_pages[access] is not 0 only where
 * `access` is an access that its area permits, so neither needs a check here. */
enum mm_fault mm_aspace_fault(struct mm_aspace *as, mm_gpa_t gpa, enum mm_perm access)
{
	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);
	const struct mm_aspace_cache *cache = &cpu->cache;
	uint64_t page = window_page(cache, gpa);

	if (MM_UNLIKELY((unsigned)access > MM_X || page >= cache->window_pages[access])) {
		if (page < cache->window_device_pages && mm_aspace_is_access(access))
			return is_device(cpu);
		return fault_outside(as, cpu, gpa, access);
	}

	_Atomic uint64_t *entry = &cache->window_table[page];

	if (MM_UNLIKELY(mm_npt_load(entry) != 0))
		return fault_in_window(as, cpu, page, access);
	if (MM_UNLIKELY(install_page(&as->npt, &cpu->counts, entry, &cache->window_leaf) != MM_OK))
		return fault_in_window(as, cpu, page, access);
	mm_aspace_read_unlock(cpu);
	return MM_FAULT_MAPPED; /* counted by the credit that it took: mm_aspace_get_stats() */
}
