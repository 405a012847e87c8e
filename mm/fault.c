/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested faults, the slow path. It is complete: with this file alone, every fault is resolved.
 * fault_fast.c resolves most faults sooner, with less work, and leaves all others to this file.
 *
 * mm_fault_slow() takes a fault from the address that the hardware reports to a page that the guest
 * can use:
 *
 *	1. lock       mm_aspace_fault() has taken the read lock, by mm_aspace_read_lock(): areas
 *stay as they are, entries may change
 *	2. validate   the access is one of R, W and X, the address within the limits
 *	3. find       the area of the address, and what it permits
 *	4. walk       the table from the root to the entry that decides
 *	5. decide     what the entry lacks: enum action
 *	6. install    take frames, zero or copy them, change the entry (npt/install.h)
 *	7. retry      if another CPU has changed the entry: back to step 4
 *	8. account    count the fault, release the lock
 *
 *	steps 3 to 5 find                      step 6      the caller gets
 *	  no area                                          MM_FAULT_NOT_MAPPED
 *	  a device area                                    MM_FAULT_IS_DEVICE
 *	  an area that does not permit it                  MM_FAULT_PERMISSION
 *	  an absent entry                      INSTALL     MM_FAULT_MAPPED
 *	    of a supplied area                             MM_FAULT_NEEDS_FRAME
 *	  a leaf that permits it               NOTHING     MM_FAULT_SPURIOUS
 *	  a leaf that does not permit it       ALLOW       MM_FAULT_UNSHARED
 *
 * Invariants: a leaf never gets more permissions than its area has. An entry changes by one
 * compare-and-swap from the value that step 4 has read, so two CPUs that fault on one page take
 * one frame in the end. On an error nothing has changed.
 */
#include "mm/aspace_internal.h"
#include "mm/npt/install.h"

/* Step 5: what the entry at the end of the walk lacks. */
enum action {
	WALK_AGAIN, /* frozen: another CPU is replacing it */
	NOTHING,    /* the leaf permits the access: another CPU has resolved the fault */
	INSTALL,    /* absent: allocate */
	SPLIT,      /* the leaf is large, and may not be: needs_small_leaf() */
	ALLOW,      /* the leaf lacks a permission that its area has */
};

/* A write to a large leaf would log 512 pages as dirty (mm_aspace_log.split); or no large leaf may
 * be executed (mm_npt_config.no_large_exec). */
static bool needs_small_leaf(const struct mm_aspace *as, enum mm_perm access)
{
	return (as->log.split && access == MM_W) ||
	       (as->npt.config.no_large_exec && access == MM_X);
}

static enum action decide(const struct mm_aspace *as, struct mm_npt_slot slot, enum mm_perm access)
{
	if (slot.value == 0)
		return INSTALL;
	if (mm_npt_is_frozen(as->npt.format, slot.value))
		return WALK_AGAIN;
	if (mm_permits(mm_npt_perm(&as->npt, slot.value), access))
		return NOTHING;
	if (slot.level > 0 && needs_small_leaf(as, access))
		return SPLIT;
	return ALLOW;
}

/* Step 6, INSTALL: the largest leaf around the page that fits into the area. */
static enum mm_error install(struct mm_aspace *as, struct mm_npt_counts *counts,
                             const struct mm_area *area, mm_gpa_t gpa, enum mm_perm access,
                             struct mm_npt_slot slot)
{
	struct mm_npt_mapping mapping = {
		.range = area->range,
		.perm = mm_aspace_leaf_perm(as, area->perm, access),
		.type = (enum mm_memtype)area->memtype,
		.max_leaf = needs_small_leaf(as, access) ? 0 : area->max_leaf,
		.owned = true,
	};

	MM_ASSERT(area->backend == MM_AREA_ALLOC); /* a linear area was mapped when it was added */
	return mm_npt_install(&as->npt, counts, slot, gpa, &mapping);
}

/* Step 6, ALLOW: a write to a page that a snapshot holds too gets a copy of the page. */
static enum mm_error allow(struct mm_aspace *as, struct mm_npt_counts *counts,
                           const struct mm_area *area, mm_gpa_t gpa, enum mm_perm access,
                           struct mm_npt_slot slot)
{
	/* A leaf that has W while a log withholds it was written to, and is not reported yet. */
	unsigned has = (unsigned)mm_npt_perm(&as->npt, slot.value) | (unsigned)access;
	enum mm_perm perm = mm_aspace_leaf_perm(as, area->perm, (enum mm_perm)has);

	/* The whole leaf gets the permissions of this area, so it lies in this area. */
	MM_ASSERT(mm_gpa_range_covers(area->range, mm_npt_leaf_range(gpa, slot.level)));
	if (access == MM_W && (slot.value & as->npt.format->shared) != 0)
		return mm_npt_unshare(&as->npt, counts, slot, gpa, perm);
	return mm_npt_relax(&as->npt, counts, slot, gpa, perm);
}

/* Step 6, SPLIT: MM_BUSY, since the next walk ends one level lower. If no table can be had, a
 * dirty log goes on with the large leaf, which then counts as written throughout. */
static enum mm_error split(struct mm_aspace *as, struct mm_npt_counts *counts,
                           const struct mm_area *area, mm_gpa_t gpa, enum mm_perm access,
                           struct mm_npt_slot slot)
{
	enum mm_error err;

	if (access != MM_W) /* else it is clean */
		mm_aspace_dirty_ring_cut(
			as, mm_gpa_range(mm_gpa_align_down(gpa, MM_PAGE_SIZE), MM_PAGE_SIZE));
	err = mm_npt_split_leaf(&as->npt, counts, slot, gpa);

	if (err == MM_OK || err == MM_BUSY)
		return MM_BUSY;
	return access == MM_W ? allow(as, counts, area, gpa, access, slot) : err;
}

/* A log by write protection has let a page become writable: it is in the ring from now on. A log by
 * hardware sees the write itself. */
static void note_written(struct mm_aspace *as, mm_checked_gpa_t at, enum mm_perm access)
{
	if (MM_UNLIKELY(as->log.ring != NULL) && access == MM_W && !as->log.hardware)
		mm_aspace_dirty_ring_put(as, at.gpa);
}

/* Steps 3 to 7. */
enum mm_fault mm_fault_resolve(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                               enum mm_perm access)
{
	struct mm_npt_counts *counts = &cpu->counts;
	const struct mm_area *area = mm_area_find(&as->areas, at.gpa);

	if (!area)
		return MM_FAULT_NOT_MAPPED;
	if (area->backend == MM_AREA_DEVICE)
		return MM_FAULT_IS_DEVICE;
	if (!mm_permits((enum mm_perm)area->perm, access))
		return MM_FAULT_PERMISSION;
	for (;;) {
		struct mm_npt_slot slot = mm_npt_walk(&as->npt, at.gpa);
		enum mm_fault resolved = MM_FAULT_UNSHARED;
		enum mm_error err;

		switch (decide(as, slot, access)) {
		case WALK_AGAIN:
			mm_hal_pause(&as->npt.hal);
			continue;
		case NOTHING:
			return MM_FAULT_SPURIOUS;
		case INSTALL:
			if (area->backend == MM_AREA_SUPPLIED)
				return MM_FAULT_NEEDS_FRAME;
			err = install(as, counts, area, at.gpa, access, slot);
			resolved = MM_FAULT_MAPPED;
			break;
		case SPLIT:
			err = split(as, counts, area, at.gpa, access, slot);
			break;
		default:
			err = allow(as, counts, area, at.gpa, access, slot);
		}
		if (err == MM_OK) {
			note_written(as, at, access);
			return resolved;
		}
		if (err != MM_BUSY)
			return err == MM_QUOTA ? MM_FAULT_QUOTA : MM_FAULT_NO_MEMORY;
	}
}

/* Is the page present, with enough permission? */
static bool is_resolved(const struct mm_aspace *as, mm_checked_gpa_t at, enum mm_perm access)
{
	return mm_permits(mm_npt_perm(&as->npt, mm_npt_walk(&as->npt, at.gpa).value), access);
}

/*
 * Steps 3 to 7, and again where another CPU may have changed the answer:
 *
 * - The quota seems exhausted: the credit of all CPUs is taken back. Another CPU may use that
 * moment to map this very page, or to give frames back, so the fault is resolved again in any case.
 * - No frame is left: another CPU may have mapped the page with the last one.
 * - The page is present: this CPU's TLB may still hold that it was absent.
 */
static enum mm_fault resolve_in_the_end(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                        mm_checked_gpa_t at, enum mm_perm access)
{
	enum mm_fault fault = mm_fault_resolve(as, cpu, at, access);

	for (bool more = true; fault == MM_FAULT_QUOTA && more;) {
		more = mm_aspace_collect_credit(as, cpu);
		fault = mm_fault_resolve(as, cpu, at, access);
	}
	if (fault == MM_FAULT_NO_MEMORY && is_resolved(as, at, access))
		fault = MM_FAULT_SPURIOUS;
	if (fault == MM_FAULT_SPURIOUS)
		mm_npt_forget_absence(&as->npt, &cpu->counts, at.gpa);
	return fault;
}

static void count_fault(struct mm_aspace *as, struct mm_aspace_cpu *cpu, enum mm_fault fault)
{
	if (fault == MM_FAULT_NEEDS_FRAME)
		atomic_fetch_add_explicit(&as->needs_frame, 1, memory_order_relaxed);
	else
		mm_npt_count(&cpu->faults[fault], 1);
}

enum mm_fault mm_fault_slow(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_gpa_t gpa,
                            enum mm_perm access)
{
	enum mm_fault fault;
	mm_checked_gpa_t at;

	if (!mm_aspace_is_access(access))
		fault = MM_FAULT_INVALID;
	else if (!mm_aspace_check_gpa(as, gpa, &at))
		fault = MM_FAULT_OUT_OF_RANGE;
	else
		fault = resolve_in_the_end(as, cpu, at, access);
	count_fault(as, cpu, fault);
	mm_aspace_read_unlock(cpu);
	return fault;
}
