/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a table: from the root down to the first entry that does not point to a table.
 *
 *	 gpa   root index | index | index | index | offset
 *	            |         |       |       |
 *	   root [ table ]->[ table ]->[ table ]->[ leaf ]->  page
 *	 level      3         2         1         0
 *
 * A CPU that reads an entry that points to a table also reads what the table was filled with before
 * it was linked: the link is a release store, and the address of the second load depends on the
 * first.
 */
#ifndef MM_NPT_WALK_H
#define MM_NPT_WALK_H

#include "mm/atomic.h"
#include "mm/npt.h"
#include "mm/npt/counts.h"
#include "mm/npt/entry.h"

/*
 * The memory order of a load whose value gives the address of the next load. On all machines here,
 * a load is never executed before the load that its address depends on, so relaxed is enough.
 * ThreadSanitizer does not know address dependencies and needs acquire.
 */
#if defined(__SANITIZE_THREAD__)
#define MM_NPT_ORDER_DEPENDENT memory_order_acquire
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MM_NPT_ORDER_DEPENDENT memory_order_acquire
#endif
#endif
#ifndef MM_NPT_ORDER_DEPENDENT
#define MM_NPT_ORDER_DEPENDENT memory_order_relaxed
#endif

/* Where a walk ended: the first entry that does not point to a table. */
struct mm_npt_slot {
	_Atomic uint64_t *entry;
	uint64_t value; /* as the walk read it */
	unsigned level;
};

static inline uint64_t mm_npt_load(const _Atomic uint64_t *entry)
{
	return atomic_load_explicit(entry, MM_NPT_ORDER_DEPENDENT);
}

/* [exclusive] Relaxed: the only order that a hardware walker needs is a table's contents before its
 * link, and mm_npt_link() provides it. */
static inline void mm_npt_store(_Atomic uint64_t *entry, uint64_t value)
{
	atomic_store_explicit(entry, value, memory_order_relaxed);
}

static inline void mm_npt_link(_Atomic uint64_t *entry, uint64_t value)
{
	atomic_store_explicit(entry, value, memory_order_release);
}

/* Replaces *value by `by`, and releases what `by` points to. False: the place has changed, and
 * *value is its new value. */
static inline bool mm_npt_swap_absent(_Atomic uint64_t *place, uint64_t *value, uint64_t by)
{
	return atomic_compare_exchange_strong_explicit(place, value, by, memory_order_acq_rel,
	                                               memory_order_acquire);
}

static inline unsigned mm_npt_root_level(const struct mm_npt *npt)
{
	return npt->root_level;
}

/* Entries of a table of this level. */
static inline unsigned mm_npt_entries(const struct mm_npt *npt, unsigned level)
{
	unsigned bits = level == mm_npt_root_level(npt) ? npt->config.root_bits : MM_NPT_INDEX_BITS;

	return 1U << bits;
}

static inline unsigned mm_npt_index(const struct mm_npt *npt, uint64_t gpa, unsigned level)
{
	return (unsigned)(gpa >> MM_LEVEL_SHIFT(level)) & (mm_npt_entries(npt, level) - 1);
}

/* The same for a table that is not the root. */
static MM_ALWAYS_INLINE unsigned mm_npt_index_below(mm_gpa_t gpa, unsigned level)
{
	return (unsigned)(gpa.raw >> MM_LEVEL_SHIFT(level)) & ((1U << MM_NPT_INDEX_BITS) - 1);
}

static inline _Atomic uint64_t *mm_npt_table_at(const struct mm_npt *npt, mm_hpa_t table)
{
	return mm_hal_to_virt(&npt->hal, table);
}

/* The table that an entry points to, or pointed to before it was unlinked. */
static inline _Atomic uint64_t *mm_npt_child(const struct mm_npt *npt, uint64_t entry)
{
	return mm_npt_table_at(npt, mm_npt_decode_pa(npt->format, entry));
}

/* The address in an entry. `direct` is a constant; true: the address is one field. */
static MM_ALWAYS_INLINE uint64_t mm_npt_pa_as(const struct mm_npt_format *f, uint64_t value,
                                              bool direct)
{
	return direct ? (value & f->pa_mask) << f->pa_shift : mm_npt_decode_pa(f, value).raw;
}

/* `direct` is a constant. If false, the walk uses the HAL's hooks and split address fields. Below
 * the root, the index of the next level is always in the top bits of `rest`. */
static MM_ALWAYS_INLINE struct mm_npt_slot mm_npt_walk_as(const struct mm_npt *npt, mm_gpa_t gpa,
                                                          bool direct)
{
	const struct mm_npt_format *f = npt->format;
	unsigned level = npt->root_level;
	uint64_t rest = gpa.raw << (64 - npt->root_shift);
	_Atomic uint64_t *entry = &npt->root_table[gpa.raw >> npt->root_shift];
	uint64_t value = mm_npt_load(entry);

	while (level > 0 && mm_npt_points_to_table(f, value)) {
		uint64_t pa = mm_npt_pa_as(f, value, direct);
		_Atomic uint64_t *table = direct ? (void *)(uintptr_t)(pa + npt->direct_offset)
		                                 : mm_npt_table_at(npt, mm_hpa_at(pa));

		entry = &table[rest >> (64 - MM_NPT_INDEX_BITS)];
		rest <<= MM_NPT_INDEX_BITS;
		level--;
		value = mm_npt_load(entry);
	}
	return (struct mm_npt_slot){entry, value, level};
}

/*
 * The last two levels of a direct walk, from the level 1 table that maps gpa's GiB. It counts no
 * level and loads no shift, so it takes a third of the instructions of a whole walk.
 */
static MM_ALWAYS_INLINE struct mm_npt_slot mm_npt_walk_near(const struct mm_npt *npt,
                                                            _Atomic uint64_t *table, mm_gpa_t gpa)
{
	const struct mm_npt_format *f = npt->format;
	_Atomic uint64_t *entry = &table[mm_npt_index_below(gpa, 1)];
	uint64_t value = mm_npt_load(entry);

	if (!mm_npt_points_to_table(f, value))
		return (struct mm_npt_slot){entry, value, 1};
	table = (void *)(uintptr_t)(mm_npt_pa_as(f, value, true) + npt->direct_offset);
	entry = &table[mm_npt_index_below(gpa, 0)];
	return (struct mm_npt_slot){entry, mm_npt_load(entry), 0};
}

/* One level of a direct walk: *table becomes the table that its entry points to. */
static MM_ALWAYS_INLINE bool mm_npt_step_down(const struct mm_npt *npt, _Atomic uint64_t **table,
                                              uint64_t index)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t value = mm_npt_load(&(*table)[index]);

	*table = (void *)(uintptr_t)(mm_npt_pa_as(f, value, true) + npt->direct_offset);
	return MM_LIKELY(mm_npt_points_to_table(f, value));
}

/* The table whose entries map 2 MiB each of gpa's GiB. False: there is none yet, or the root is
 * that table, or the walk needs hooks of the HAL. Tables of four levels are walked without a loop.
 */
static MM_ALWAYS_INLINE bool mm_npt_table_of_gib(const struct mm_npt *npt, mm_gpa_t gpa,
                                                 _Atomic uint64_t **table)
{
	uint64_t index = gpa.raw >> npt->root_shift;

	*table = npt->root_table;
	if (MM_LIKELY(npt->gib_levels == 2))
		return mm_npt_step_down(npt, table, gpa.raw >> MM_LEVEL_SHIFT(3)) &&
		       mm_npt_step_down(npt, table, mm_npt_index_below(gpa, 2));
	for (unsigned level = npt->gib_levels + 1U; level > 1; level--) {
		if (!mm_npt_step_down(npt, table, index))
			return false;
		index = mm_npt_index_below(gpa, level - 1);
	}
	return npt->gib_levels != 0;
}

struct mm_npt_slot mm_npt_walk_general(const struct mm_npt *npt, mm_gpa_t gpa);

/* gpa is below 2^mm_npt_gpa_bits(). */
static MM_ALWAYS_INLINE struct mm_npt_slot mm_npt_walk(const struct mm_npt *npt, mm_gpa_t gpa)
{
	if (MM_LIKELY(npt->direct))
		return mm_npt_walk_as(npt, gpa, true);

	struct mm_npt_slot slot = mm_npt_walk_general(npt, gpa);

	/* Copied by member, so that those of the direct walk stay in registers. */
	return (struct mm_npt_slot){slot.entry, slot.value, slot.level};
}

/* The range that a leaf of this level around gpa maps. */
static inline struct mm_gpa_range mm_npt_leaf_range(mm_gpa_t gpa, unsigned level)
{
	return mm_gpa_range(mm_gpa_align_down(gpa, MM_LEVEL_SIZE(level)), MM_LEVEL_SIZE(level));
}

/* Is the last entry of a walk, which points to no table, a leaf (a parked one included)? */
static inline bool mm_npt_ends_in_leaf(const struct mm_npt *npt, uint64_t value)
{
	return (value & (npt->format->present | MM_NPT_PARKED)) != 0;
}

static inline enum mm_perm mm_npt_perm(const struct mm_npt *npt, uint64_t value)
{
	return mm_npt_entry_perm(npt->format, npt->perm_bits, value);
}

static inline struct mm_npt_leaf mm_npt_decode_leaf(const struct mm_npt *npt, mm_gpa_t gpa,
                                                    uint64_t entry, unsigned level)
{
	const struct mm_npt_format *f = npt->format;

	return (struct mm_npt_leaf){
		.gpa = mm_gpa_align_down(gpa, MM_LEVEL_SIZE(level)),
		.hpa = mm_npt_decode_pa(f, entry),
		.level = level,
		.perm = mm_npt_perm(npt, entry),
		.memtype = mm_npt_entry_memtype(f, entry),
		.accessed = npt->config.accessed_dirty && (entry & f->accessed) != 0,
		.dirty = npt->config.accessed_dirty && mm_npt_entry_dirty(f, entry),
	};
}

/* Called after entries went from absent to present. */
static inline void mm_npt_publish(const struct mm_npt *npt)
{
	if (npt->hal.publish)
		npt->hal.publish(npt->hal.ctx);
}

/* [shared] Makes an absent entry present: install.h has the contract. False: another CPU was first,
 * and nothing has changed. */
static MM_ALWAYS_INLINE bool mm_npt_install_entry(const struct mm_npt *npt, _Atomic uint64_t *entry,
                                                  uint64_t value)
{
	uint64_t absent = 0;

	if (MM_UNLIKELY(!atomic_compare_exchange_strong_explicit(
		    entry, &absent, value, memory_order_release, memory_order_relaxed)))
		return false;
	mm_npt_publish(npt);
	return true;
}

static inline uint64_t mm_u64_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#endif
