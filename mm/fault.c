/*
 * A nested fault, from the address that the hardware reports to a page that the guest can use.
 *
 *	areas say what should be there          the table says what is there
 *	  none            -> NOT_MAPPED           absent        -> take a frame, install: MAPPED
 *	  device          -> IS_DEVICE            leaf, allowed -> SPURIOUS
 *	  not permitted   -> PERMISSION           leaf, less    -> relax it: UNSHARED
 *
 * Faults run beside each other under the read side of the lock, so areas stand still; entries
 * do not, and whoever loses a race for one looks at it again.
 */
#include "mm/aspace_internal.h"
#include "mm/npt/install.h"

static enum mm_fault fault_of(enum mm_error err)
{
	return err == MM_QUOTA ? MM_FAULT_QUOTA : MM_FAULT_NO_MEMORY;
}

static enum mm_error install(struct aspace *as, struct npt_counts *counts, const struct area *area,
                             gpa_t gpa, enum mm_perm access, struct npt_slot slot)
{
	/* A large leaf would count as 512 pages written, or could not be executed. */
	bool single = (as->log.split && access == MM_W) ||
	              (as->npt.config.no_large_exec && access == MM_X);
	struct npt_mapping mapping = {
		.range = area->range,
		.perm = aspace_grants(as, area->perm, access),
		.type = (enum mm_memtype)area->memtype,
		.max_leaf = single ? 0 : area->max_leaf,
		.owned = true,
	};

	MM_ASSERT(area->backend ==
	          AREA_ALLOC); /* what is linear has been there since it was mapped */
	return npt_install(&as->npt, counts, slot, gpa, &mapping);
}

/* A leaf refuses what its area permits: a snapshot shares it, or writes are being logged. */
static enum mm_error relax(struct aspace *as, struct npt_counts *counts, const struct area *area,
                           gpa_t gpa, enum mm_perm access, struct npt_slot slot)
{
	enum mm_perm perm = aspace_grants(as, area->perm, access);
	bool write = access == MM_W;

	/* The whole leaf gets the permissions of this area. */
	MM_ASSERT(gpa_range_covers(area->range, npt_leaf_range(gpa, slot.level)));
	if (write && as->log.split && slot.level > 0) {
		enum mm_error err = npt_split_leaf(&as->npt, counts, slot, gpa);

		if (err == MM_OK || err == MM_BUSY)
			return MM_BUSY;
	}
	if (access == MM_X && as->npt.config.no_large_exec && slot.level > 0) {
		enum mm_error err = npt_split_leaf(&as->npt, counts, slot, gpa);

		return err == MM_OK ? MM_BUSY : err;
	}
	if (write && (slot.value & as->npt.format->shared) != 0)
		return npt_unshare(&as->npt, counts, slot, gpa, perm);
	return npt_relax(&as->npt, counts, slot, gpa, perm);
}

/* A fault that the area permits, whatever is in the table. */
static MM_NOINLINE enum mm_fault resolve_any(struct aspace *as, struct npt_counts *counts,
                                             const struct area *area, gpa_t gpa,
                                             enum mm_perm access)
{
	for (;;) {
		struct npt_slot slot = npt_walk(&as->npt, gpa);
		bool absent = slot.value == 0;
		enum mm_error err;

		if (npt_is_frozen(as->npt.format, slot.value))
			continue;
		if (!absent && mm_permits(npt_perm(&as->npt, slot.value), access))
			return MM_FAULT_SPURIOUS;
		err = absent ? install(as, counts, area, gpa, access, slot)
		             : relax(as, counts, area, gpa, access, slot);
		if (err == MM_OK)
			return absent ? MM_FAULT_MAPPED : MM_FAULT_UNSHARED;
		if (err != MM_BUSY)
			return fault_of(err);
	}
}

/* What of the area lies in gpa's block of 2 MiB. */
static struct gpa_range window_around(const struct area *area, gpa_t gpa)
{
	gpa_t block = gpa_align_down(gpa, MM_LEVEL_SIZE(1));

	return gpa_range_intersect(area->range, gpa_range(block, MM_LEVEL_SIZE(1)));
}

/* The short way for the pages around gpa, from now on: its lowest table is there. */
static void open_window(const struct aspace *as, struct aspace_cache *cache,
                        const struct area *area, gpa_t gpa, _Atomic uint64_t *entry)
{
	struct gpa_range range = window_around(area, gpa);
	uint16_t pages = (uint16_t)(range.size >> MM_PAGE_SHIFT);

	cache->window = range.start;
	cache->window_table = entry - (gpa_diff(gpa, range.start) >> MM_PAGE_SHIFT);
	cache->window_leaf = npt_page_attr(&as->npt, (enum mm_perm)area->perm);
	for (unsigned access = MM_R; access <= MM_X; access <<= 1)
		cache->window_pages[access] = (area->perm & access) != 0 ? pages : 0;
	cache->window_device_pages = 0;
}

/* The same for a device, which permits no access. */
static enum mm_fault refuse_device(struct aspace_cache *cache, const struct area *area, gpa_t gpa)
{
	struct gpa_range range = window_around(area, gpa);

	cache->window = range.start;
	for (unsigned access = MM_R; access <= MM_X; access <<= 1)
		cache->window_pages[access] = 0;
	cache->window_device_pages = (uint16_t)(range.size >> MM_PAGE_SHIFT);
	return MM_FAULT_IS_DEVICE;
}

/* No area permits the access: why? A device permits nothing. */
static enum mm_fault refuse(struct aspace_cache *cache, const struct area *area, gpa_t gpa)
{
	if (!area)
		return MM_FAULT_NOT_MAPPED;
	if (area->backend == AREA_DEVICE)
		return refuse_device(cache, area, gpa);
	return MM_FAULT_PERMISSION;
}

enum mm_fault aspace_resolve(struct aspace *as, struct aspace_cpu *me, checked_gpa_t at,
                             enum mm_perm access)
{
	gpa_t gpa = at.gpa;
	const struct area *area = area_find(&as->areas, gpa);

	if (!area || !mm_permits((enum mm_perm)area->perm, access))
		return refuse(&me->cache, area, gpa);
	if (as->quick) {
		struct npt_slot slot = aspace_walk(as, me, at);

		if (slot.level == 0 && slot.value == 0 &&
		    npt_refill_credit(&as->npt, &me->counts)) {
			open_window(as, &me->cache, area, gpa, slot.entry);
			if (npt_install_page(&as->npt, &me->counts, slot.entry,
			                     &me->cache.window_leaf) == MM_OK) {
				npt_count(&me->faults[MM_FAULT_MAPPED], -1); /* the caller counts */
				return MM_FAULT_MAPPED;
			}
		}
	}
	return resolve_any(as, &me->counts, area, gpa, access);
}

/* Counts a fault, leaves the address space and answers. */
static MM_ALWAYS_INLINE enum mm_fault finish(struct aspace_cpu *me, enum mm_fault fault)
{
	npt_count(&me->faults[fault], 1);
	aspace_leave(me);
	return fault;
}

/* Which page of the window: of any address outside, one that no window has. What lies below wraps
 * to 2^51 at least, since windows lie within the limits and those below 2^59. */
static MM_ALWAYS_INLINE uint64_t window_page(const struct aspace_cache *cache, gpa_t gpa)
{
	return (gpa.raw - cache->window.raw) >> MM_PAGE_SHIFT;
}

/* Another CPU may have mapped the page with the last frame, while this one found none. */
static bool is_there(const struct aspace *as, checked_gpa_t at, enum mm_perm access)
{
	return mm_permits(npt_perm(&as->npt, npt_walk(&as->npt, at.gpa).value), access);
}

/*
 * Any fault at all: here the address and the access are checked.
 *
 * If the quota seems exhausted, the credit of the other CPUs is taken back. For that they have to
 * leave the address space, and one of them may have mapped this very page by then, or given frames
 * back that it could not use. So the fault is resolved once more in any case.
 */
static MM_NOINLINE enum mm_fault fault_in_full(struct aspace *as, struct aspace_cpu *me, gpa_t gpa,
                                               enum mm_perm access)
{
	enum mm_fault fault;
	checked_gpa_t at;

	if (!aspace_is_access(access))
		return finish(me, MM_FAULT_INVALID);
	if (!aspace_check_gpa(as, gpa, &at))
		return finish(me, MM_FAULT_OUT_OF_RANGE);
	fault = aspace_resolve(as, me, at, access);
	for (bool more = true; fault == MM_FAULT_QUOTA && more;) {
		more = aspace_collect_credit(as, me);
		fault = aspace_resolve(as, me, at, access);
	}
	if (fault == MM_FAULT_NO_MEMORY && is_there(as, at, access))
		fault = MM_FAULT_SPURIOUS;
	/* The absence that this CPU has just met may still be in its TLB. */
	if (fault == MM_FAULT_SPURIOUS)
		npt_forget_absence(&as->npt, &me->counts, gpa);
	return finish(me, fault);
}

/* The same for a page of the window: its number spares the caller from keeping the address. */
static MM_NOINLINE enum mm_fault fault_again(struct aspace *as, struct aspace_cpu *me,
                                             uint64_t page, enum mm_perm access)
{
	return fault_in_full(as, me, gpa_plus(me->cache.window, page << MM_PAGE_SHIFT), access);
}

/* What nearly every fault is, a page missing next to one that this CPU has just put there, or a
 * device that it has just met, is done here. A page of the window lies within the limits, and
 * `access` is one that its area permits, or there would be no such page. */
enum mm_fault aspace_fault(struct aspace *as, gpa_t gpa, enum mm_perm access)
{
	struct aspace_cpu *me = aspace_enter(as);
	const struct aspace_cache *cache = &me->cache;
	uint64_t page = window_page(cache, gpa);

	if (MM_UNLIKELY((unsigned)access > MM_X || page >= cache->window_pages[access])) {
		if (page < cache->window_device_pages && aspace_is_access(access))
			return finish(me, MM_FAULT_IS_DEVICE);
		return fault_in_full(as, me, gpa, access);
	}

	_Atomic uint64_t *entry = &cache->window_table[page];

	if (MM_UNLIKELY(npt_load(entry) != 0))
		return fault_again(as, me, page, access);
	if (MM_UNLIKELY(npt_install_page(&as->npt, &me->counts, entry, &cache->window_leaf) !=
	                MM_OK))
		return fault_again(as, me, page, access);
	aspace_leave(me); /* the credit that is gone counts the fault */
	return MM_FAULT_MAPPED;
}
