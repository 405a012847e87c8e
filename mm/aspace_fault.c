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
	bool single = as->log.split && access == MM_W; /* or 512 pages would count as written */
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
	if (write && (slot.value & as->npt.format->shared) != 0)
		return npt_unshare(&as->npt, counts, slot, gpa, perm);
	if (write && as->log.split && slot.level > 0) {
		enum mm_error err = npt_split_leaf(&as->npt, counts, slot, gpa);

		if (err == MM_OK || err == MM_BUSY)
			return MM_BUSY;
	}
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

/* The short way for the pages around gpa, from now on: its lowest table is there. */
static void open_window(const struct aspace *as, struct aspace_cache *cache,
                        const struct area *area, gpa_t gpa, _Atomic uint64_t *entry)
{
	gpa_t block = gpa_align_down(gpa, MM_LEVEL_SIZE(1));

	cache->window = gpa_range_intersect(area->range, gpa_range(block, MM_LEVEL_SIZE(1)));
	cache->window_table = entry - (gpa_diff(gpa, block) >> MM_PAGE_SHIFT);
	cache->window_leaf = npt_page_attr(&as->npt, (enum mm_perm)area->perm);
	cache->window_denied = ~(uint32_t)area->perm;
	cache->window_is_device = false;
}

static enum mm_fault refuse_device(struct aspace_cache *cache, const struct area *area)
{
	cache->window = area->range;
	cache->window_denied = MM_RWX;
	cache->window_is_device = true;
	return MM_FAULT_IS_DEVICE;
}

/* No area permits the access: why? Areas lie within the limits, and a device permits nothing. */
static enum mm_fault refuse(const struct aspace *as, struct aspace_cache *cache,
                            const struct area *area, gpa_t gpa)
{
	if (!area)
		return gpa_range_contains(as->limits, gpa) ? MM_FAULT_NOT_MAPPED
		                                           : MM_FAULT_OUT_OF_RANGE;
	if (area->backend == AREA_DEVICE)
		return refuse_device(cache, area);
	return MM_FAULT_PERMISSION;
}

enum mm_fault aspace_resolve(struct aspace *as, struct aspace_cpu *me, gpa_t gpa,
                             enum mm_perm access)
{
	const struct area *area = area_find(&as->areas, gpa);

	if (!area || !mm_permits((enum mm_perm)area->perm, access))
		return refuse(as, &me->cache, area, gpa);
	if (as->quick) {
		struct npt_slot slot = aspace_walk(as, me, gpa);

		if (slot.level == 0 && slot.value == 0) {
			open_window(as, &me->cache, area, gpa, slot.entry);
			if (npt_install_page(&as->npt, &me->counts, slot.entry,
			                     &me->cache.window_leaf) == MM_OK)
				return MM_FAULT_MAPPED;
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

/* Any fault at all. */
static MM_NOINLINE enum mm_fault fault_in_full(struct aspace *as, struct aspace_cpu *me, gpa_t gpa,
                                               enum mm_perm access)
{
	enum mm_fault fault = aspace_resolve(as, me, gpa, access);

	/* The absence that this CPU has just met may still be in its TLB. */
	if (fault == MM_FAULT_SPURIOUS)
		npt_forget_absence(&as->npt, &me->counts, gpa);
	return finish(me, fault);
}

/* What nearly every fault is, a page missing next to one that this CPU has just put there, or a
 * device that it has just met, is done here. */
enum mm_fault aspace_fault(struct aspace *as, gpa_t gpa, enum mm_perm access)
{
	struct aspace_cpu *me = aspace_enter(as);
	const struct aspace_cache *cache = &me->cache;

	/* Of an address below the window, the difference wraps, to more than any window's size. */
	if (MM_UNLIKELY(gpa.raw - cache->window.start.raw >= cache->window.size))
		return fault_in_full(as, me, gpa, access);
	if (MM_UNLIKELY((cache->window_denied & access) != 0)) {
		if (cache->window_is_device)
			return finish(me, MM_FAULT_IS_DEVICE);
		return fault_in_full(as, me, gpa, access);
	}

	_Atomic uint64_t *entry = &cache->window_table[npt_index_below(gpa, 0)];

	if (MM_UNLIKELY(npt_load(entry) != 0))
		return fault_in_full(as, me, gpa, access);
	if (MM_UNLIKELY(npt_install_page(&as->npt, &me->counts, entry, &cache->window_leaf) !=
	                MM_OK))
		return fault_in_full(as, me, gpa, access);
	return finish(me, MM_FAULT_MAPPED);
}
