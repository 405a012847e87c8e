/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * A nested page table: one walker for every format (npt_format.h). It handles tables and leaves.
 * Areas are the subject of struct mm_aspace.
 *
 *	npt_format.h   the formats, and what a machine chooses
 *	entry.h        how an entry is made and read
 *	npt.c      init, destroy
 *	frames.c   frames from the HAL, in batches, under the quota
 *	map.c      fills a range
 *	unmap.c    empties a range
 *	replace.c  replaces all mappings of a range by one
 *	split.c    splits large leaves where a range ends, and merges small ones
 *	protect.c  changes permissions in a range
 *	visit.c    reads leaves of a range, and harvests accessed and dirty marks
 *	dirty.c    finds the leaves that were written to
 *	install.c  faults: one leaf by compare-and-swap, on many CPUs at once
 *	share.c    copies of the tables that share the frames, for snapshots
 *	restore.c  restores a table from a copy
 *	history.c  records the entries that changed since a copy was made
 *	turn.h     lets other calls in between two parts of a long one
 *	walk.h     the walk itself; walk.c: single leaves, flush requests; iter.h: from leaf to leaf
 *
 * No other call may run on the same table during an [exclusive] call. [shared] calls may run
 * concurrently with each other. The caller's lock ensures both. A guest may run during any call.
 *
 * Ranges are page aligned, not empty, and end within 2^mm_npt_gpa_bits(): the caller has checked
 * that. A leaf that is marked as owned holds a frame of the library, which goes back to the HAL
 * with the leaf. The library does not free the frames of other leaves.
 */
#ifndef MM_NPT_NPT_H
#define MM_NPT_NPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"
#include "mm/hal.h"
#include "mm/npt_format.h"

MM_BEGIN_DECLS

/**
 * What a table holds now. Callers use none of its members. [exclusive] calls count in struct
 * mm_npt. Faults count in a struct of their own CPU, where a number may be negative: only the sum
 * has a meaning. Each counter has one writer, so an addition needs no locked instruction. The
 * counters are atomic, so a reader sees whole numbers.
 */
struct mm_npt_counts {
	/** Frames that this CPU may still take by the fast path (mm/fault_fast.c), one for each
	 * fault. They are charged to the quota already. Below 0: being refilled. See npt.lent. */
	MM_ATOMIC(int64_t) credit;
	MM_ATOMIC(int64_t) frames;                    /**< data frames owned */
	MM_ATOMIC(int64_t) tables;                    /**< table frames, the root's included */
	MM_ATOMIC(int64_t) flushes;                   /**< since init */
	MM_ATOMIC(int64_t) leaves[MM_NPT_MAX_LEVELS]; /**< by level, parked ones included */
};

#define MM_NPT_HISTORY_DIRECT 8U /**< see struct mm_npt_history */

/** The changes since the oldest position that a copy needs: see history.h.
 * Callers use none of its members. */
struct mm_npt_history {
	MM_ATOMIC(uint64_t) end; /**< the position after the last change */
	uint64_t start;          /**< changes before this position are gone */
	MM_ATOMIC(bool) lost;    /**< a change could not be recorded */
	uint64_t compared; /**< entries that all restores have compared: for tests and reports */
	/** Frames of MM_NPT_HISTORY_PER changes each. The last one has the addresses of more
	 * frames.
	 */
	MM_ATOMIC(uint64_t) frames[MM_NPT_HISTORY_DIRECT + 1];
};

/** A nested page table. Callers use none of its members. */
struct mm_npt {
	/** What every walk needs. Computed by mm_npt_init() from the members below. */
	const struct mm_npt_format *format;
	MM_ATOMIC(uint64_t) *root_table; /**< the root's host virtual address */
	uint64_t direct_offset;          /**< used if `direct` */
	uint64_t perm_bits;              /**< mm_npt_perm_bits() */
	uint8_t root_level;
	uint8_t root_shift; /**< MM_LEVEL_SHIFT(root_level) */
	bool direct;        /**< hva = hpa + direct_offset, and an entry's address is one field */
	bool marks_written; /**< faults mark the tables in which a leaf gets W: npt/dirty.h */
	uint8_t gib_levels; /**< tables above one that maps a GiB; 0: also if not `direct` */

	struct mm_npt_config config;
	struct mm_hal hal;
	mm_hpa_t root;
	uint32_t tag;   /**< for mm_flush */
	uint64_t quota; /**< frames, tables included; UINT64_MAX: none */
	MM_ALIGNED_TO(64)
	MM_ATOMIC(uint64_t) used; /**< of the quota; not kept where there is none */
	MM_ATOMIC(int64_t) lent;  /**< credit given to CPUs, less credit taken back. This minus what
	                             the CPUs have left is what the fast path has mapped */
	struct mm_npt_counts counts;
	struct mm_npt *copies; /**< of the live table: tables that share its frames (share.h) */
	struct mm_npt_history history; /**< of the live table, while it has copies */
	/** Turns (npt/turn.h): lets the calls in that wait for the lock. NULL: no call waits. */
	void (*admit)(void *ctx);
	void *admit_ctx;
	unsigned work; /**< entries that the [exclusive] call has visited in this turn */
	/** Of a copy. */
	struct mm_npt *next_copy;
	bool lacking;      /**< the live table may lack tables that this one has */
	uint64_t position; /**< in the live table's history */
	bool exact;        /**< all differences from the live table are recorded from there on */
};

/** A leaf entry, decoded. */
struct mm_npt_leaf {
	mm_gpa_t gpa;            /**< the first address that it maps */
	mm_hpa_t hpa;            /**< what it maps to */
	unsigned level;          /**< it maps MM_LEVEL_SIZE(level) bytes */
	enum mm_perm perm;       /**< what the hardware allows now; MM_NONE: parked */
	enum mm_memtype memtype; /**< as the entry has it */
	bool accessed;           /**< marked by the hardware */
	bool dirty;              /**< the same */
};

/** A mapping for mm_npt_map(). The format can express it: mm_npt_can_express(). */
struct mm_npt_mapping {
	struct mm_gpa_range range; /**< guest-physical, in bytes */
	enum mm_perm perm;         /**< of all leaves */
	enum mm_memtype type;      /**< of all leaves */
	unsigned max_leaf;         /**< largest level to try; at most the configuration's */
	bool owned;                /**< true: to zeroed frames of the library; false: to `host` */
	mm_hpa_t host;             /**< the address that range.start maps to */
};

/** [exclusive] Makes a table with an empty root. Configuration and HAL are copied; the format
 * outlives the table. `quota` is in frames. Errors: mm_npt_config_check()'s; MM_QUOTA, MM_NO_MEMORY
 * for the root. */
enum mm_error mm_npt_init(struct mm_npt *npt, const struct mm_npt_format *format,
                          const struct mm_npt_config *config, const struct mm_hal *hal,
                          uint32_t tag, uint64_t quota) MM_MUST_CHECK;

/** [exclusive] Frees every table and every owned frame, after a flush. */
void mm_npt_destroy(struct mm_npt *npt);

/** [exclusive] Maps a range in which nothing is mapped. MM_NO_MEMORY, MM_QUOTA: still nothing is
 * mapped, and no CPU has ever seen a part of the mapping. No flush. */
enum mm_error mm_npt_map(struct mm_npt *npt, const struct mm_npt_mapping *mapping) MM_MUST_CHECK;

/** Tables that were unmapped, and all that they map: no CPU can reach them, and they have not been
 * released yet. A list. Zeroed: empty. */
struct mm_npt_removed {
	uint64_t tables; /**< the first of a list of tables; the library's own use */
};

/** [exclusive] Unmaps a range, with one flush. No flush if no entry was present. Large leaves that
 * extend beyond the range are split: MM_NO_MEMORY, MM_QUOTA if there is no frame for a table; then
 * nothing has changed. The time is bounded: it depends on the number of levels. *removed, empty
 * before, gets what the caller has to release by mm_npt_release_removed(). */
enum mm_error mm_npt_unmap(struct mm_npt *npt, struct mm_gpa_range range,
                           struct mm_npt_removed *removed) MM_MUST_CHECK;

/** [exclusive] Gives owned frames and tables back to the HAL, in turns (npt/turn.h). Subtracts them
 * from `counts`. NULL: they have never been counted. */
void mm_npt_release_removed(struct mm_npt *npt, struct mm_npt_removed *removed,
                            struct mm_npt_counts *counts);

/** [exclusive] Replaces all mappings of the range by this one, with one flush. The old mapping is
 * removed only when the new one is complete, so for a moment the frames of both are in use. Errors
 * as mm_npt_unmap(). */
enum mm_error mm_npt_replace(struct mm_npt *npt, const struct mm_npt_mapping *mapping,
                             struct mm_npt_removed *removed) MM_MUST_CHECK;

/** [exclusive] Before mm_npt_protect(): splits the large leaves that need it. Errors as
 * mm_npt_unmap(). */
enum mm_error mm_npt_prepare_protect(struct mm_npt *npt, struct mm_gpa_range range,
                                     enum mm_perm perm) MM_MUST_CHECK;
/** [exclusive] Gives all leaves of a range these permissions, in turns (npt/turn.h), and flushes.
 * The areas have them already. */
void mm_npt_protect(struct mm_npt *npt, struct mm_gpa_range range, enum mm_perm perm);

/** [exclusive] Replaces a table by one leaf, up to level max_leaf, if its leaves have the same
 * attributes and consecutive host addresses. Does so for each such leaf that overlaps `changed` and
 * lies in `within`. Translations do not change. Does nothing while there are copies (share.h). */
void mm_npt_merge(struct mm_npt *npt, struct mm_gpa_range changed, struct mm_gpa_range within,
                  unsigned max_leaf);

/** One entry that a walk reads, for reports. */
struct mm_npt_step {
	unsigned level; /**< of the table */
	unsigned index; /**< in its table */
	uint64_t entry; /**< raw */
};

/** [shared] The entries that a walk for gpa reads, the root's first. Returns how many: 0 if gpa is
 * beyond 2^mm_npt_gpa_bits(). */
size_t mm_npt_steps(const struct mm_npt *npt, mm_gpa_t gpa,
                    struct mm_npt_step steps[MM_NPT_MAX_LEVELS]);

/** Called for leaves of the range, lowest first, until it returns false. */
typedef bool (*mm_npt_visit)(void *ctx, const struct mm_npt_leaf *leaf);

/** [shared] Visits all leaves, parked ones included. */
void mm_npt_for_each_leaf(const struct mm_npt *npt, struct mm_gpa_range range, mm_npt_visit visit,
                          void *ctx);

/** [exclusive] Visits the leaves with an accessed or dirty mark, clears both marks, and flushes.
 * The configuration has accessed_dirty. */
void mm_npt_harvest(struct mm_npt *npt, struct mm_gpa_range range, mm_npt_visit visit, void *ctx);

MM_END_DECLS

#endif
