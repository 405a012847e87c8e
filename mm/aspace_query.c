/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queries of an address space: translation, free ranges, leaves, A/D marks, statistics.
 *
 * mm_aspace_translate() walks first, from a table of the per-CPU cache if it has one. It looks at
 * the areas only if there is no present leaf.
 */
#include "mm/aspace.h"

#include "mm/aspace_internal.h"

/* Decodes a present leaf. `direct` is a constant: see walk.h. */
static MM_ALWAYS_INLINE enum mm_error describe(const struct mm_npt *npt, mm_gpa_t gpa,
                                               uint64_t value, unsigned level, bool direct,
                                               struct mm_aspace_translation *out)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t size = MM_LEVEL_SIZE(level);
	uint64_t offset = gpa.raw & (size - 1);

	out->hpa = mm_hpa_at(mm_npt_pa_as(f, value, direct) + offset);
	out->contiguous = size - offset;
	out->page_size = size;
	out->perm = mm_npt_present_perm(f, npt->perm_bits, value);
	out->memtype = mm_npt_entry_memtype(f, value);
	return MM_OK;
}

/* What the area says where no leaf is present; or a page that MM_NONE hides. */
static enum mm_error look_at_areas(const struct mm_aspace *as, mm_gpa_t gpa,
                                   struct mm_aspace_translation *out)
{
	const struct mm_area *area = mm_area_find(&as->areas, gpa);
	struct mm_npt_slot slot;

	if (!area)
		return MM_NOT_MAPPED;
	if (area->backend == MM_AREA_DEVICE)
		return MM_IS_DEVICE;
	do {
		slot = mm_npt_walk_general(&as->npt, gpa);
	} while (mm_npt_is_frozen(as->npt.format, slot.value)); /* for as long as a flush takes */
	if (!mm_npt_ends_in_leaf(&as->npt, slot.value))
		return MM_NOT_MAPPED;
	(void)describe(&as->npt, gpa, slot.value, slot.level, false, out);
	if (!mm_npt_present(as->npt.format, slot.value))
		out->perm = MM_NONE;
	return MM_OK;
}

/*
 * From here on, each function releases the read lock, and each path ends in a tail call or in none,
 * so that the functions need no stack frames. gpa may be any address.
 */
static MM_NOINLINE enum mm_error translate_absent(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                                  mm_gpa_t gpa, struct mm_aspace_translation *out)
{
	mm_checked_gpa_t at;
	enum mm_error err = MM_OUT_OF_RANGE;

	if (mm_aspace_check_gpa(as, gpa, &at))
		err = look_at_areas(as, at.gpa, out);
	mm_aspace_read_unlock(cpu);
	return err;
}

/* From the table that maps gpa's GiB. A present leaf needs no look at the areas: each leaf lies in
 * one. */
static MM_ALWAYS_INLINE enum mm_error translate_near(struct mm_aspace *as,
                                                     struct mm_aspace_cpu *cpu,
                                                     _Atomic uint64_t *table, mm_gpa_t gpa,
                                                     struct mm_aspace_translation *out, bool locked)
{
	struct mm_npt_slot slot = mm_npt_walk_near(&as->npt, table, gpa);

	if (MM_UNLIKELY(!mm_npt_present(as->npt.format, slot.value)))
		return translate_absent(as, cpu, gpa, out);
	if (locked)
		mm_aspace_read_unlock(cpu); /* only the entry is decoded now */
	if (MM_LIKELY(slot.level == 0))
		return describe(&as->npt, gpa, slot.value, 0, true, out);
	return describe(&as->npt, gpa, slot.value, 1, true, out);
}

/* The cache has no table for gpa. */
static MM_NOINLINE enum mm_error translate_missed(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                                  mm_gpa_t gpa, struct mm_aspace_translation *out)
{
	_Atomic uint64_t *table;
	mm_checked_gpa_t at;

	if (!mm_aspace_check_gpa(as, gpa, &at) || !mm_aspace_table_missed(as, cpu, at, &table))
		return translate_absent(as, cpu, gpa, out);
	return translate_near(as, cpu, table, gpa, out, true);
}

/* `locked` is a constant; false: there is no lock to release. */
static MM_ALWAYS_INLINE enum mm_error translate(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                                mm_gpa_t gpa, struct mm_aspace_translation *out,
                                                bool locked)
{
	_Atomic uint64_t *table;

	if (MM_UNLIKELY(!mm_aspace_cache_lookup(cpu, gpa, &table)))
		return translate_missed(as, cpu, gpa, out);
	return translate_near(as, cpu, table, gpa, out, locked);
}

static MM_NOINLINE enum mm_error translate_locked(struct mm_aspace *as, mm_gpa_t gpa,
                                                  struct mm_aspace_translation *out)
{
	return translate(as, mm_aspace_read_lock(as), gpa, out, true);
}

/* Without CPU numbers there is no lock to take. */
enum mm_error mm_aspace_translate(struct mm_aspace *as, mm_gpa_t gpa,
                                  struct mm_aspace_translation *out)
{
	struct mm_aspace_cpu *cpu = &as->cpus[0];

	if (MM_UNLIKELY(as->npt.hal.cpu_index || !cpu->reader.valid))
		return translate_locked(as, gpa, out);
	return translate(as, cpu, gpa, out, false);
}

enum mm_error mm_aspace_find_free(struct mm_aspace *as, mm_gpa_t hint, uint64_t size,
                                  uint64_t align, mm_gpa_t *out)
{
	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);
	enum mm_error err = mm_area_find_free(&as->areas, as->limits, hint, size, align, out);

	mm_aspace_read_unlock(cpu);
	return err;
}

enum mm_error mm_aspace_for_each_leaf(struct mm_aspace *as, struct mm_gpa_range range,
                                      bool (*visit)(void *ctx, const struct mm_npt_leaf *leaf),
                                      void *ctx)
{
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err != MM_OK)
		return err;

	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);

	mm_npt_for_each_leaf(&as->npt, range, visit, ctx);
	mm_aspace_read_unlock(cpu);
	return MM_OK;
}

enum mm_error mm_aspace_harvest(struct mm_aspace *as, struct mm_gpa_range range,
                                bool (*visit)(void *ctx, const struct mm_npt_leaf *leaf), void *ctx)
{
	enum mm_error err = mm_aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	if (!as->npt.config.accessed_dirty)
		return MM_UNSUPPORTED;
	mm_aspace_write_lock(as);
	if (as->log.active && as->log.hardware)
		err = MM_BUSY;
	else
		mm_npt_harvest(&as->npt, range, visit, ctx);
	mm_aspace_write_unlock(as);
	return err;
}

static uint64_t load_count(const _Atomic int64_t *counter)
{
	return (uint64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counts(struct mm_aspace_stats *out, const struct mm_npt_counts *counts)
{
	out->frames += load_count(&counts->frames);
	out->tables += load_count(&counts->tables);
	out->flushes += load_count(&counts->flushes);
	for (unsigned level = 0; level < MM_NPT_MAX_LEVELS; level++)
		out->leaves[level] += load_count(&counts->leaves[level]);
}

/*
 * The number of pages that the fast path has mapped: the credit given to CPUs less the credit that
 * they still have. Other CPUs may fault at the same time. A CPU that refills sets its credit
 * to -1, adds to npt.lent, and then sets the new credit. So if npt.lent is the same before and
 * after, and no credit was negative, the two numbers belong together.
 */
static uint64_t lent_pages(const struct mm_aspace *as)
{
	const struct mm_npt *npt = &as->npt;
	int64_t lent, left;
	bool refilling;

	do {
		lent = atomic_load_explicit(&npt->lent, memory_order_acquire);
		left = 0;
		refilling = false;
		/* After `lent`: its acquire makes every CPU visible that has been given credit. */
		for (struct mm_lock_reader *reader = mm_lock_newest(&as->lock); reader;
		     reader = mm_lock_older(&as->lock, reader)) {
			int64_t credit = atomic_load_explicit(
				&mm_aspace_cpu_of(reader)->counts.credit, memory_order_acquire);

			refilling |= credit < 0;
			left += credit;
		}
	} while (refilling || lent != atomic_load_explicit(&npt->lent, memory_order_relaxed));
	return (uint64_t)(lent - left);
}

void mm_aspace_get_stats(struct mm_aspace *as, struct mm_aspace_stats *out)
{
	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);

	*out = (struct mm_aspace_stats){.area_frames =
	                                        as->areas.frames + mm_aspace_snapshot_frames(as),
	                                .changes = as->changes,
	                                .cpu_frames = mm_aspace_cpu_frames(as)};
	add_counts(out, &as->npt.counts);
	for (struct mm_lock_reader *reader = mm_lock_newest(&as->lock); reader;
	     reader = mm_lock_older(&as->lock, reader)) {
		const struct mm_aspace_cpu *counted = mm_aspace_cpu_of(reader);

		add_counts(out, &counted->counts);
		for (unsigned fault = 0; fault < MM_FAULT_NEEDS_FRAME; fault++)
			out->faults[fault] += load_count(&counted->faults[fault]);
	}

	uint64_t pages = lent_pages(as);

	out->faults[MM_FAULT_NEEDS_FRAME] =
		atomic_load_explicit(&as->needs_frame, memory_order_relaxed);

	out->frames += pages;
	out->leaves[0] += pages;
	out->faults[MM_FAULT_MAPPED] += pages;
	mm_aspace_read_unlock(cpu);
}

size_t mm_aspace_steps(struct mm_aspace *as, mm_gpa_t gpa,
                       struct mm_npt_step steps[MM_NPT_MAX_LEVELS])
{
	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);
	mm_checked_gpa_t at;
	size_t count =
		mm_aspace_check_gpa(as, gpa, &at) ? mm_npt_steps(&as->npt, at.gpa, steps) : 0;

	mm_aspace_read_unlock(cpu);
	return count;
}
