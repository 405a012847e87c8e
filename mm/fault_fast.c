/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested faults, the fast path. It may be left out: the slow path (fault.c) resolves every fault.
 * tests/host/slow/no_fast_path.c is what the library needs in its place, and the host tests pass
 * with it.
 *
 * Most faults hit a page next to the one that faulted before. The fast path keeps in
 * struct mm_aspace_cache what the last fault has found: a window, which is a part of one area with
 * the table that maps it; and the tables of some GiBs. It serves a fault in four cases:
 *
 *	window that permits it   take a frame, zero it, install it: no area and no walk needed
 *	window of a device       MM_FAULT_IS_DEVICE
 *	same area, cached table  the window moves there, if both are whole blocks of 2 MiB
 *	other area               find the area, walk; the window moves there
 *
 * In all other cases nothing has changed, and the slow path decides. The fast path publishes and
 * records each page as mm_npt_install() does (publish_and_record()).
 *
 * Invariants: what the cache holds is what the slow path would find. Only exclusive calls move
 * areas and free tables, and each invalidates the cache. A window of an alloc area exists only if
 * aspace.fast_path is true. While a dirty log withholds W, a window with W serves only writes.
 * Every answer of this file is the one that the slow path would have given: the model compares them
 * (tests/host/fault_agree.h).
 */
#include "mm/aspace_internal.h"
#include "mm/npt/dirty.h"
#include "mm/npt/frames.h"
#include "mm/npt/history.h"

/* --- the window --- */

/* The part of the area that lies in gpa's block of 2 MiB: one table maps it. */
static struct mm_gpa_range window_around(const struct mm_area *area, mm_gpa_t gpa)
{
	mm_gpa_t block = mm_gpa_align_down(gpa, MM_LEVEL_SIZE(1));

	return mm_gpa_range_intersect(area->range, mm_gpa_range(block, MM_LEVEL_SIZE(1)));
}

/* The whole blocks of the area, one of which the window is. It can move to each of them without
 * another look at the area. */
static void remember_area(struct mm_aspace_cache *cache, const struct mm_area *area)
{
	uint64_t first = mm_align_up(area->range.start.raw, MM_LEVEL_SIZE(1));
	uint64_t end = area->range.start.raw + area->range.size; /* below 2^59 */
	uint64_t blocks = end > first ? (end - first) / MM_LEVEL_SIZE(1) : 0;

	cache->area_block = mm_gpa_at(first);
	cache->area_blocks = (uint32_t)mm_u64_min(blocks, UINT32_MAX);
}

/*
 * Moves the window from a whole block of 2 MiB to another one of the same area, if the table that
 * maps it can be found by the cached tables. Permissions, leaf and size of the window stay the
 * same.
 */
static MM_ALWAYS_INLINE bool move_window(const struct mm_npt *npt, struct mm_aspace_cpu *cpu,
                                         mm_gpa_t gpa, enum mm_perm access)
{
	struct mm_aspace_cache *cache = &cpu->cache;
	_Atomic uint64_t *table;
	uint64_t value;

	if ((gpa.raw - cache->area_block.raw) >> MM_LEVEL_SHIFT(1) >= cache->area_blocks ||
	    cache->window_pages[access] != MM_LEVEL_SIZE(1) / MM_PAGE_SIZE ||
	    !mm_aspace_cache_lookup(cpu, gpa, &table))
		return false;
	value = mm_npt_load(&table[mm_npt_index_below(gpa, 1)]);
	if (!mm_npt_points_to_table(npt->format, value))
		return false;
	cache->window = mm_gpa_align_down(gpa, MM_LEVEL_SIZE(1));
	cache->window_table =
		(void *)(uintptr_t)(mm_npt_pa_as(npt->format, value, true) + npt->direct_offset);
	return true;
}

/* The accesses that the window serves, with one leaf for all: those that the area permits. While a
 * dirty log withholds W, only a write installs a leaf with W. */
static inline unsigned window_permits(const struct mm_aspace *as, const struct mm_area *area)
{
	unsigned withheld = area->perm & (unsigned)as->log.withheld;

	return withheld != 0 ? withheld : area->perm;
}

/* Moves the window to gpa, whose entry in a table of the lowest level this is. */
static MM_ALWAYS_INLINE void open_window(const struct mm_aspace *as, struct mm_aspace_cache *cache,
                                         const struct mm_area *area, mm_gpa_t gpa,
                                         _Atomic uint64_t *entry)
{
	uint64_t block = gpa.raw & ~(MM_LEVEL_SIZE(1) - 1);
	uint64_t area_start = area->range.start.raw;
	uint64_t start = area_start > block ? area_start : block;
	uint64_t end = mm_u64_min(area_start + area->range.size, block + MM_LEVEL_SIZE(1));
	uint16_t pages = (uint16_t)((end - start) >> MM_PAGE_SHIFT);

	cache->window = mm_gpa_at(start);
	cache->window_table = entry - ((gpa.raw - start) >> MM_PAGE_SHIFT);
	unsigned permits = window_permits(as, area);

	cache->window_leaf = as->page_leaf[area->perm];
	cache->window_pages[MM_R] = (permits & MM_R) != 0 ? pages : 0;
	cache->window_pages[MM_W] = (permits & MM_W) != 0 ? pages : 0;
	cache->window_pages[MM_X] = (permits & MM_X) != 0 ? pages : 0;
	cache->window_device_pages = 0;
	if (pages == MM_LEVEL_SIZE(1) / MM_PAGE_SIZE)
		remember_area(cache, area);
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

/* What a dirty log and snapshots have to know of it. */
static MM_NOINLINE void record(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_gpa_t gpa)
{
	enum mm_perm perm = mm_npt_perm(&as->npt, cpu->cache.window_leaf);

	if (as->npt.copies)
		mm_npt_history_record(&as->npt, &cpu->counts, gpa, 0);
	mm_npt_note_perm(&as->npt, gpa, perm);
	/* While a log withholds W, a window with W serves writes alone. */
	if (as->log.ring && (perm & (unsigned)as->log.withheld) != 0)
		mm_aspace_dirty_ring_put(as, gpa);
}

/* After a page of the window was installed: what mm_npt_install() does too. */
static MM_NOINLINE void publish_and_record(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                           uint64_t page)
{
	mm_npt_publish(&as->npt);
	if (MM_UNLIKELY(as->log.active || as->npt.copies))
		record(as, cpu, mm_gpa_plus(cpu->cache.window, page << MM_PAGE_SHIFT));
}

/*
 * Installs a page by the contract of npt/install.h. The entry is of level 0, and fast_path is true:
 * no hook crosses hpa and hva. *leaf is the window's, read as late as possible. MM_QUOTA: this CPU
 * has no credit left; mm_npt_refill_credit() comes next. After MM_OK, the caller has to call
 * publish_and_record() if as->after_install is set.
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

	uint64_t absent = 0;

	if (MM_UNLIKELY(!atomic_compare_exchange_strong_explicit(
		    entry, &absent, value, memory_order_release, memory_order_relaxed))) {
		npt->hal.free(npt->hal.ctx, 0, 1, &taken);
		return MM_BUSY;
	}
	mm_npt_count(&counts->credit, -1);
	return MM_OK;
}

/* gpa may be any address. */
static MM_ALWAYS_INLINE bool fault_near(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                        mm_gpa_t gpa, enum mm_perm access)
{
	const struct mm_area *area;
	struct mm_npt_slot slot;

	if (!as->fast_path)
		return false;
	area = mm_area_find(&as->areas, gpa);
	if (!area || (window_permits(as, area) & access) == 0)
		return false;
	slot = mm_aspace_walk(as, cpu, (mm_checked_gpa_t){gpa}); /* areas lie within the limits */
	if (slot.level != 0 || area->backend != MM_AREA_ALLOC)
		return false;
	open_window(as, &cpu->cache, area, gpa, slot.entry);
	if (slot.value != 0)
		return false;
	if (MM_UNLIKELY(atomic_load_explicit(&cpu->counts.credit, memory_order_relaxed) == 0) &&
	    !mm_npt_refill_credit(&as->npt, &cpu->counts))
		return false;
	if (install_page(&as->npt, &cpu->counts, slot.entry, &cpu->cache.window_leaf) != MM_OK)
		return false;
	if (MM_UNLIKELY(as->after_install))
		publish_and_record(as, cpu, window_page(&cpu->cache, gpa));
	return true;
}

bool mm_fault_fast(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                   enum mm_perm access)
{
	return fault_near(as, cpu, at.gpa, access);
}

/* Leaves the fault to the slow path, which releases the lock. If it finds a device, the window
 * moves there. */
static MM_NOINLINE enum mm_fault go_slow(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                         mm_gpa_t gpa, enum mm_perm access)
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
	if (!mm_aspace_is_access(access) || !fault_near(as, cpu, gpa, access))
		return go_slow(as, cpu, gpa, access);
	mm_aspace_read_unlock(cpu);
	return MM_FAULT_MAPPED;
}

/* A fault in the window that the slow path has to resolve. By the page's number: then the caller
 * need not keep the address. */
static MM_NOINLINE enum mm_fault fault_in_window(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                                 uint64_t page, enum mm_perm access)
{
	mm_gpa_t gpa = mm_gpa_plus(cpu->cache.window, page << MM_PAGE_SHIFT);

	if (mm_npt_load(&cpu->cache.window_table[page]) != 0)
		return mm_fault_slow(as, cpu, gpa, access); /* an alloc area: no device */
	return fault_outside(as, cpu, gpa, access);
}

/* A page of the window lies within the limits, and window_pages[access] is not 0 only where
 * `access` is an access that its area permits, so neither needs a check here. */
enum mm_fault mm_aspace_fault(struct mm_aspace *as, mm_gpa_t gpa, enum mm_perm access)
{
	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);
	const struct mm_aspace_cache *cache = &cpu->cache;
	uint64_t page = window_page(cache, gpa);

	if (MM_UNLIKELY((unsigned)access > MM_X))
		return fault_outside(as, cpu, gpa, access);
	if (MM_UNLIKELY(page >= cache->window_pages[access])) {
		if (page < cache->window_device_pages && mm_aspace_is_access(access))
			return is_device(cpu);
		if (!move_window(&as->npt, cpu, gpa, access))
			return fault_outside(as, cpu, gpa, access);
		page = mm_npt_index_below(gpa, 0);
	}

	_Atomic uint64_t *entry = &cache->window_table[page];

	if (MM_UNLIKELY(mm_npt_load(entry) != 0))
		return fault_in_window(as, cpu, page, access);
	if (MM_UNLIKELY(install_page(&as->npt, &cpu->counts, entry, &cache->window_leaf) != MM_OK))
		return fault_in_window(as, cpu, page, access);
	if (MM_UNLIKELY(as->after_install))
		publish_and_record(as, cpu, page);
	mm_aspace_read_unlock(cpu);
	return MM_FAULT_MAPPED; /* counted by the credit that it took: mm_aspace_get_stats() */
}
