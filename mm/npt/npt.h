/*
 * A nested page table: one walker for every format (format.h). It knows tables and leaves, and
 * nothing of areas: what should be where is struct aspace's business.
 *
 *	npt.c      init, destroy
 *	frames.c   frames from the HAL, in batches, under the quota
 *	map.c      fills a range
 *	unmap.c    empties a range
 *	replace.c  puts a mapping in the place of whatever is there
 *	split.c    cuts leaves in two where a range ends, and merges them again
 *	protect.c  changes permissions in a range
 *	visit.c    reads leaves of a range, and harvests accessed and dirty marks
 *	install.c  what faults do, beside each other: one leaf by compare-and-swap
 *	share.c    copies of the tables that share the frames, for snapshots
 *	restore.c  puts a table back to what a copy says
 *	history.c  records what has changed beside copies
 *	walk.h     the walk itself; walk.c: single leaves, flush requests; iter.h: from leaf to leaf
 *
 * Functions marked [exclusive] want no other call on the same table meanwhile; [shared] ones run
 * beside each other. The caller's lock sees to it. A guest may run beside either.
 *
 * Ranges are page aligned, not empty, and end within 2^npt_gpa_bits(): the caller has checked.
 * A leaf that is marked as owned holds a frame of the library's own, which goes back to the HAL
 * with the leaf; the frames of other leaves are somebody else's.
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
#include "mm/npt/format.h"

MM_BEGIN_DECLS

/*
 * What a table holds now. Calls that run alone count in struct npt; faults count in a struct of
 * their CPU's, where a number may well be negative: the sum is what is true. One writer each, so
 * an addition needs no locked instruction, and a reader sees no torn number.
 */
struct npt_counts {
	/* Frames that this CPU may still take by npt_install_page(), one for each fault that it
	 * serves. They are on the quota already. Below 0: being refilled. See npt.lent. */
	MM_ATOMIC(int64_t) credit;
	MM_ATOMIC(int64_t) frames;                 /* data frames owned */
	MM_ATOMIC(int64_t) tables;                 /* table frames, the root's included */
	MM_ATOMIC(int64_t) flushes;                /* since init */
	MM_ATOMIC(int64_t) leaves[NPT_MAX_LEVELS]; /* by level, parked ones included */
};

#define NPT_HISTORY_DIRECT 8U

/* What has changed since the oldest position that a copy needs: see history.h. */
struct npt_history {
	MM_ATOMIC(uint64_t) end; /* the position after the last change */
	uint64_t start;          /* changes before this position are gone */
	MM_ATOMIC(bool) lost;    /* a change could not be recorded */
	uint64_t compared; /* entries that restores have compared, ever: for tests and reports */
	/* Of NPT_HISTORY_PER changes each. The last one holds the places of further frames. */
	MM_ATOMIC(uint64_t) frames[NPT_HISTORY_DIRECT + 1];
};

struct npt {
	/* What every walk needs, made at init of all that follows. */
	const struct npt_format *format;
	MM_ATOMIC(uint64_t) *root_table; /* the root, as we see it */
	uint64_t direct_offset;          /* hva = hpa + this, if `direct` */
	uint64_t perm_bits;              /* npt_perm_bits() */
	uint8_t root_level;
	uint8_t root_shift; /* MM_LEVEL_SHIFT(root_level) */
	bool direct;        /* no HAL hook crosses hpa/hva, and addresses are one field */

	struct npt_config config;
	struct mm_hal hal;
	hpa_t root;
	uint32_t tag;                               /* for mm_flush */
	uint64_t quota;                             /* frames, tables included; UINT64_MAX: none */
	MM_ALIGNED_TO(64) MM_ATOMIC(uint64_t) used; /* of the quota; not kept where there is none */
	MM_ATOMIC(int64_t) lent; /* credit given to CPUs and not taken back: what of it no CPU has
	                            left are pages that npt_install_page() has mapped */
	struct npt_counts counts;
	struct npt *copies;         /* of the live table: what shares frames with it, see share.h */
	struct npt_history history; /* of the live table, while it has copies */
	/* Of a copy. */
	struct npt *next_copy;
	uint64_t position; /* in the live table's history */
	bool exact;        /* all differences from the live table are recorded from there on */
};

/* A leaf entry, decoded. */
struct npt_leaf {
	gpa_t gpa; /* where the leaf begins */
	hpa_t hpa;
	unsigned level;    /* it maps MM_LEVEL_SIZE(level) bytes */
	enum mm_perm perm; /* what the hardware allows now; MM_NONE: parked */
	enum mm_memtype memtype;
	bool accessed;
	bool dirty;
};

/* What npt_map() is to put into a range. The format can express it: npt_can_express(). */
struct npt_mapping {
	struct gpa_range range;
	enum mm_perm perm;
	enum mm_memtype type;
	unsigned max_leaf; /* largest level to try; at most the configuration's */
	bool owned;        /* with zeroed frames of the library's own; else: */
	hpa_t host;        /* what range.start maps to */
};

/* Errors: npt_config_check()'s; MM_QUOTA, MM_NO_MEMORY for the root. */
enum mm_error npt_init(struct npt *npt, const struct npt_format *format,
                       const struct npt_config *config, const struct mm_hal *hal, uint32_t tag,
                       uint64_t quota) MM_MUST_CHECK;

/* [exclusive] Frees every table and every owned frame, after a flush. */
void npt_destroy(struct npt *npt);

/* [exclusive] Maps a range in which there is nothing. MM_NO_MEMORY, MM_QUOTA: there is still
 * nothing, and no observer has ever seen anything. No flush. */
enum mm_error npt_map(struct npt *npt, const struct npt_mapping *mapping) MM_MUST_CHECK;

/* [exclusive] Empties a range: owned frames and empty tables are back after one flush, or none
 * if the hardware could not have seen anything there. Large leaves that stick out are split:
 * MM_NO_MEMORY, MM_QUOTA if that needs a table that cannot be had; then nothing has changed. */
enum mm_error npt_unmap(struct npt *npt, struct gpa_range range) MM_MUST_CHECK;

/* [exclusive] Puts a mapping in the place of whatever is in its range, with one flush. What was
 * there goes only when all that comes is complete, so both are held for a while. Errors as
 * npt_unmap(). */
enum mm_error npt_replace(struct npt *npt, const struct npt_mapping *mapping) MM_MUST_CHECK;

/* [exclusive] Gives all leaves of a range these permissions. Errors as npt_unmap(). */
enum mm_error npt_protect(struct npt *npt, struct gpa_range range, enum mm_perm perm) MM_MUST_CHECK;

/* [exclusive] Puts one leaf, up to this level, in the place of each table whose leaves are alike
 * and follow each other in host memory, wherever such a leaf would meet the range `changed` and
 * lie within the other. What they map stays. Does nothing while there are copies (share.h). */
void npt_merge(struct npt *npt, struct gpa_range changed, struct gpa_range within,
               unsigned max_leaf);

/* One entry that a walk reads, for reports. */
struct npt_step {
	unsigned level;
	unsigned index; /* in its table */
	uint64_t entry; /* as the hardware sees it */
};

/* [shared] The entries that a walk for gpa reads, the root's first. Answers how many: 0 if gpa is
 * beyond 2^npt_gpa_bits(). */
size_t npt_steps(const struct npt *npt, gpa_t gpa, struct npt_step steps[NPT_MAX_LEVELS]);

/* Calls `visit` for leaves in the range, lowest first, until it answers false. */
typedef bool (*npt_visit)(void *ctx, const struct npt_leaf *leaf);

/* [shared] All leaves, parked ones too. */
void npt_for_each_leaf(const struct npt *npt, struct gpa_range range, npt_visit visit, void *ctx);

/* [exclusive] Those with an accessed or dirty mark; clears both, and flushes. The format and the
 * configuration have hardware marks. */
void npt_harvest(struct npt *npt, struct gpa_range range, npt_visit visit, void *ctx);

MM_END_DECLS

#endif
