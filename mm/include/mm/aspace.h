/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The guest-physical address space of one VM: which addresses the guest may access (areas), the
 * frames behind them, and the nested page table that the hardware walks.
 *
 *	struct mm_aspace
 *	  areas    sorted, disjoint: what the guest may access
 *	  npt      the nested page table: what the hardware maps now
 *	  hal      frames, TLB
 *
 * A lazily allocated area is only an entry in `areas`. The guest's first access to each page
 * exits to the hypervisor, which calls mm_aspace_fault(): find the area, check the permission, take
 * a frame, zero it, install the entry by compare-and-swap.
 *
 * Concurrency: calls marked [shared] hold the read lock, and run concurrently on any CPUs. Calls
 * marked [exclusive] hold the write lock: no other call runs at the same time. Faults share no
 * cache line that they write: each CPU takes the read lock in a line of its own (see lock.h).
 * During calls marked [alone] the caller makes no other call on the address space, and no CPU runs
 * the guest. Calls marked [any] take no lock: any CPU may make them at any time.
 *
 * Units: addresses and sizes are in bytes, and quotas and statistics in frames of MM_PAGE_SIZE.
 *
 * Turns: a call marked [exclusive, in turns] lets the [shared] calls in that wait, after each 4,096
 * entries that it has visited (MM_NPT_TURN in mm/npt/turn.h; a few 10 us of work). It goes on when
 * they have returned. Other exclusive calls wait until it has returned. What can fail has been done
 * before the first turn ends, so a call that fails changes nothing that others have seen. Each call
 * says what others may see in between. Without mm_hal.cpu_index there are no turns. Neither side
 * starves: readers that come later than a writer wait for it, and a writer admits the readers that
 * wait before the next writer comes.
 *
 * A call that fails changes nothing. No number that a guest controls leads to an assertion.
 */
#ifndef MM_ASPACE_H
#define MM_ASPACE_H

#include <stddef.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/area.h"
#include "mm/compiler.h"
#include "mm/error.h"
#include "mm/hal.h"
#include "mm/lock.h"
#include "mm/npt.h"
#include "mm/npt_format.h"

MM_BEGIN_DECLS

/** mm_aspace_init() checks all of it, and returns an error for what is wrong. */
struct mm_aspace_config {
	const struct mm_npt_format *format; /**< one of npt_format.h's */
	struct mm_npt_config npt;           /**< what the machine chooses of it */
	struct mm_hal hal;                  /**< copied; its ctx stays the caller's */
	struct mm_gpa_range limits; /**< the guest's physical space; within the format's width */
	uint64_t quota;             /**< data and table frames together; UINT64_MAX for none */
	uint32_t tag;               /**< VMID, VPID or ASID for mm_flush; see mm_aspace_set_tag() */
};

/** The result of a nested fault. */
enum mm_fault {
	MM_FAULT_MAPPED,       /**< a frame was installed: run the guest again */
	MM_FAULT_SPURIOUS,     /**< present already, with enough permission: run again */
	MM_FAULT_UNSHARED,     /**< a copy-on-write or dirty-logged page was made writable */
	MM_FAULT_NOT_MAPPED,   /**< no area there */
	MM_FAULT_PERMISSION,   /**< the area forbids it */
	MM_FAULT_NO_MEMORY,    /**< the HAL has no frame */
	MM_FAULT_QUOTA,        /**< the address space's own limit is reached */
	MM_FAULT_IS_DEVICE,    /**< an emulated device: decode the instruction, call the bus */
	MM_FAULT_OUT_OF_RANGE, /**< beyond the guest's physical space */
	MM_FAULT_INVALID,      /**< the access is not exactly one of R, W and X */
	MM_FAULT_NEEDS_FRAME,  /**< call mm_aspace_supply() (supply.h), then run the guest again */
	MM_FAULTS,             /**< their number */
};

/** Statistics for reports. */
struct mm_aspace_stats {
	uint64_t frames;      /**< data frames owned now */
	uint64_t tables;      /**< table frames now, root included */
	uint64_t area_frames; /**< frames of the area tree now, and of the snapshots' areas */
	uint64_t cpu_frames;  /**< frames that the CPUs' blocks hold: see mm_aspace_cpu */
	uint64_t leaves[MM_NPT_MAX_LEVELS]; /**< by level, now; a page that MM_NONE hides counts */
	uint64_t faults[MM_FAULTS];         /**< since init */
	uint64_t flushes;                   /**< calls of the flush hook since init */
	uint64_t changes; /**< exclusive calls since init: only they take pages or rights away */
};

/** How alloc areas are backed. */
struct mm_aspace_backing {
	bool populate;     /**< all frames now; false: each on first touch */
	unsigned max_leaf; /**< level of the largest leaf to try, below MM_NPT_MAX_LEVELS; smaller
	                      ones where no block is free, the area does not reach, or mm_npt_config
	                      has no such leaf */
};

/** The translation of one address. */
struct mm_aspace_translation {
	mm_hpa_t hpa;        /**< of the byte at this address */
	uint64_t contiguous; /**< bytes from there that are contiguous in host memory too, with the
	                        same permissions; at most up to the end of the leaf */
	uint64_t page_size;  /**< of the leaf */
	enum mm_perm perm;   /**< what the hardware grants now */
	enum mm_memtype memtype; /**< of the leaf */
};

struct mm_aspace; /* defined at the end: callers embed one, and use none of its members */

/** [any] "mapped", "no-memory", ...: for logs. A constant string, never NULL. */
const char *mm_fault_name(enum mm_fault fault);

/**
 * [alone] Makes an address space without areas, and its root table. It takes the frames of the
 * root from the HAL, and no other memory.
 *
 * @param as      the caller's memory, aligned to 256 bytes, contents of no importance. The caller
 *                keeps it, and does not move or copy it, until mm_aspace_destroy()
 * @param config  copied; the format stays the caller's and outlives the address space, and so does
 *                what hal.ctx points to
 * @return MM_OK; MM_INVALID: no address space, configuration or format, or alloc, free or flush is
 *         NULL, or the limits are no range; MM_MISALIGNED: the limits are not page aligned;
 *         MM_OUT_OF_RANGE: they reach beyond the format; MM_UNSUPPORTED: see mm_npt_config_check();
 *         MM_NO_MEMORY, MM_QUOTA: no root. After an error there is nothing to destroy
 */
enum mm_error mm_aspace_init(struct mm_aspace *as,
                             const struct mm_aspace_config *config) MM_MUST_CHECK;

/**
 * [alone] Gives every frame of the library's own back to the HAL, after a flush. Host memory of
 * linear areas stays the caller's. Drops snapshots and ends a dirty log. It cannot fail.
 *
 * @param as  an address space that mm_aspace_init() has made; afterwards the caller's memory, which
 *            may be initialised again
 */
void mm_aspace_destroy(struct mm_aspace *as);

/** [exclusive, in turns] Unmaps everything; the root stays. Drops snapshots (snapshot.h). It cannot
 * fail. The TLBs have been flushed, and the frames freed, when the call returns. */
void mm_aspace_clear(struct mm_aspace *as);

/**
 * [exclusive] Maps a range to host memory that the caller owns and keeps, with the largest leaves,
 * up to max_leaf, that both alignments allow. All of it is present when the call returns.
 *
 * This holds for each map call: the range is valid, page aligned and within limits, and overlaps no
 * area. The format can express the permissions. MM_NONE reserves the range: every access faults
 * and is denied. A call that fails maps nothing, and every frame is back. No flush. While there is
 * a snapshot, all calls that change areas are possible, and a restore undoes them (snapshot.h).
 *
 * @param as        the address space
 * @param range     guest-physical start, and size in bytes
 * @param host      host-physical address that range.start maps to, page aligned; the last byte lies
 *                  within hpa_bits. The memory stays the caller's
 * @param perm      what the guest may do; a member of the enum
 * @param type      the memory type of all leaves; a member of the enum
 * @param max_leaf  level of the largest leaf to use, below MM_NPT_MAX_LEVELS. A larger level than
 *                  mm_npt_config has counts as the largest that it has
 * @return MM_OK; MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE: the range, the host address or another
 *         argument is none; MM_EXISTS: it overlaps an area; MM_UNSUPPORTED: the format cannot
 *         express it; MM_NO_MEMORY, MM_QUOTA: no frame for a table or an area
 */
enum mm_error mm_aspace_map_linear(struct mm_aspace *as, struct mm_gpa_range range, mm_hpa_t host,
                                   enum mm_perm perm, enum mm_memtype type,
                                   unsigned max_leaf) MM_MUST_CHECK;

/**
 * [exclusive] Maps a range to zeroed frames that the library owns. Lazily (backing.populate is
 * false) it takes O(log areas) and no frame: each page gets its frame on the first access.
 * Otherwise all frames are taken and cleared now.
 *
 * @param as       the address space
 * @param range    guest-physical start, and size in bytes; as for mm_aspace_map_linear()
 * @param perm     what the guest may do; a member of the enum
 * @param backing  when frames are taken, and how large the leaves may be
 * @return as mm_aspace_map_linear(). MM_NO_MEMORY and MM_QUOTA also mean: no frame for a page
 */
enum mm_error mm_aspace_map_alloc(struct mm_aspace *as, struct mm_gpa_range range,
                                  enum mm_perm perm,
                                  struct mm_aspace_backing backing) MM_MUST_CHECK;

/**
 * [exclusive] Makes a range the place of an emulated device. It has no memory: mm_aspace_fault()
 * answers MM_FAULT_IS_DEVICE there, and the caller asks its bus (device.h).
 *
 * @param as     the address space
 * @param range  guest-physical start, and size in bytes; as for mm_aspace_map_linear()
 * @return as mm_aspace_map_linear()
 */
enum mm_error mm_aspace_map_device(struct mm_aspace *as, struct mm_gpa_range range) MM_MUST_CHECK;

/** [exclusive, in turns] As mm_aspace_map_linear(), and what the range held before is unmapped.
 * Areas are cut at both ends of the range. Their frames and empty tables have been freed when the
 * call returns, after one flush. In between others find the new area. Errors of the map calls,
 * MM_EXISTS excepted, and of mm_aspace_unmap(). On an error nothing has changed; for this the call
 * holds the old and the new frames for a moment. */
enum mm_error mm_aspace_replace_linear(struct mm_aspace *as, struct mm_gpa_range range,
                                       mm_hpa_t host, enum mm_perm perm, enum mm_memtype type,
                                       unsigned max_leaf) MM_MUST_CHECK;
/** [exclusive] As mm_aspace_map_alloc(), and what the range held before is unmapped. Errors and
 * flush as mm_aspace_replace_linear(). */
enum mm_error mm_aspace_replace_alloc(struct mm_aspace *as, struct mm_gpa_range range,
                                      enum mm_perm perm,
                                      struct mm_aspace_backing backing) MM_MUST_CHECK;
/** [exclusive] As mm_aspace_map_device(), and what the range held before is unmapped. Errors and
 * flush as mm_aspace_replace_linear(). */
enum mm_error mm_aspace_replace_device(struct mm_aspace *as,
                                       struct mm_gpa_range range) MM_MUST_CHECK;

/**
 * [exclusive, in turns] Unmaps every part of an area in the range. Splits areas and large leaves at
 * both ends, which may need memory. Frames of the library's own and empty tables have been freed
 * when the call returns, after one flush. Host memory of linear areas stays the caller's. In
 * between others find no area there. While there is a snapshot, it is one turn.
 *
 * @param as     the address space
 * @param range  guest-physical start, and size in bytes: page aligned, within limits; it may have
 *               holes, and may lie in no area at all
 * @return MM_OK; MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE: the range; MM_NO_MEMORY, MM_QUOTA: no
 *         frame to split with, and nothing has changed
 */
enum mm_error mm_aspace_unmap(struct mm_aspace *as, struct mm_gpa_range range) MM_MUST_CHECK;

/** [exclusive] Maps a range of one linear area to other host memory, which the caller owns, with
 * the largest leaves that fit. MM_NOT_MAPPED: part of the range lies in no area. MM_UNSUPPORTED: it
 * lies in another kind of area, or in several. MM_BUSY as for protect; errors of the map calls. One
 * flush. A guest that runs at the same time sees the old memory, a fault, or the new memory. */
enum mm_error mm_aspace_remap(struct mm_aspace *as, struct mm_gpa_range range,
                              mm_hpa_t host) MM_MUST_CHECK;

/**
 * [exclusive, in turns] Gives the range other permissions, and keeps its contents. The TLBs have
 * been flushed when the call returns. It maps no page that was absent. MM_NONE keeps the frames.
 * Leaves that were split and can be one again are merged, up to the max_leaf of their area. In
 * between others find the new permissions in the area, and the old ones in leaves that are yet to
 * come.
 *
 * @param as     the address space
 * @param range  guest-physical start, and size in bytes: page aligned, within limits, without holes
 * @param perm   what the guest may do; a member of the enum
 * @return MM_OK; MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE: an argument; MM_NOT_MAPPED: part of
 * the range lies in no area; MM_IS_DEVICE: part of it is a device; MM_UNSUPPORTED: the format
 *         cannot express it; MM_NO_MEMORY, MM_QUOTA: no frame to split with; MM_BUSY: a
 *         dirty log is active (dirty.h)
 */
enum mm_error mm_aspace_protect(struct mm_aspace *as, struct mm_gpa_range range,
                                enum mm_perm perm) MM_MUST_CHECK;

/**
 * [shared] Resolves a nested fault: the guest has accessed gpa, and the hardware has refused.
 * Idempotent: two CPUs that fault on one page take one frame. If the quota is exhausted, it waits
 * until the other calls have returned.
 *
 * @param as      the address space
 * @param gpa     guest-physical address of the access, in bytes, any alignment
 * @param access  exactly one of MM_R, MM_W and MM_X. (If the machine reports a read and a write at
 *                once, pass MM_W.)
 * @return MM_FAULT_MAPPED, MM_FAULT_SPURIOUS, MM_FAULT_UNSHARED: run the guest again. Any other
 *         answer: no page has become present, see enum mm_fault
 */
enum mm_fault mm_aspace_fault(struct mm_aspace *as, mm_gpa_t gpa,
                              enum mm_perm access) MM_MUST_CHECK;

/**
 * [shared] Translates an address. Faults nothing in, and changes nothing.
 *
 * The permissions are those that the hardware grants now: fewer than the area's while a page is
 * write-protected for a log or a snapshot; MM_NONE if the area has MM_NONE and the page keeps its
 * frame. The result is valid until the next [exclusive] call.
 *
 * @param as   the address space
 * @param gpa  guest-physical address in bytes, any alignment
 * @param out  the caller's; written only on MM_OK
 * @return MM_OK; MM_NOT_MAPPED: no area, or a page that is still absent (the access functions below
 *         would fault it in); MM_IS_DEVICE: an emulated device; MM_OUT_OF_RANGE: beyond the limits
 */
enum mm_error mm_aspace_translate(struct mm_aspace *as, mm_gpa_t gpa,
                                  struct mm_aspace_translation *out) MM_MUST_CHECK;

/**
 * [shared] Copies guest memory into a buffer, by guest-physical address, across pages, leaves and
 * areas.
 *
 * This holds for all accesses to guest memory below: the guest's permissions hold for the
 * hypervisor too. Lazily allocated pages are faulted in. All or nothing: every page is checked and
 * present before the first byte is copied. If frames run out, pages that were faulted in before
 * stay present: they read as zero, as before. The copy is not atomic: the guest may write at the
 * same time.
 *
 * @param as     the address space
 * @param gpa    guest-physical address of the first byte, any alignment
 * @param buf    the caller's; at least this many bytes, not guest memory
 * @param bytes  length; 0 is MM_OK and does nothing
 * @return MM_OK; MM_DENIED: a part is not readable; MM_NOT_MAPPED: a part lies in no area;
 *         MM_IS_DEVICE: a part is a device; MM_OUT_OF_RANGE: it wraps or leaves the limits;
 *         MM_NO_MEMORY, MM_QUOTA: no frame for an absent page
 */
enum mm_error mm_aspace_read(struct mm_aspace *as, mm_gpa_t gpa, void *buf,
                             size_t bytes) MM_MUST_CHECK;

/**
 * [shared] Copies a buffer into guest memory. The rules of mm_aspace_read() hold. Pages that a
 * snapshot shares are copied first, and a dirty log counts the pages as written.
 *
 * @param as     the address space
 * @param gpa    guest-physical address of the first byte, any alignment
 * @param buf    the caller's; at least this many bytes, not guest memory
 * @param bytes  length; 0 is MM_OK and does nothing
 * @return as mm_aspace_read(); MM_DENIED: a part is not writable
 */
enum mm_error mm_aspace_write(struct mm_aspace *as, mm_gpa_t gpa, const void *buf,
                              size_t bytes) MM_MUST_CHECK;
/** [shared] Sets so many bytes to one value. Rules and errors as mm_aspace_write(). */
enum mm_error mm_aspace_fill(struct mm_aspace *as, mm_gpa_t gpa, uint8_t value,
                             size_t bytes) MM_MUST_CHECK;
/** [shared] Compares guest memory with a buffer of the caller. `*order` becomes negative, 0 or
 * positive, as memcmp's result would be. Rules and errors as mm_aspace_read(). */
enum mm_error mm_aspace_compare(struct mm_aspace *as, mm_gpa_t gpa, const void *buf, size_t bytes,
                                int *order) MM_MUST_CHECK;
/** [shared] Instruction fetch: as mm_aspace_read(), but the area must be executable instead of
 * readable. Errors of mm_aspace_read(). */
enum mm_error mm_aspace_fetch(struct mm_aspace *as, mm_gpa_t gpa, void *buf,
                              size_t bytes) MM_MUST_CHECK;

/** [shared] Reads a little-endian value of 1, 2, 4 or 8 bytes, in one access if naturally aligned.
 * MM_INVALID: another width; else the errors of mm_aspace_read(). */
enum mm_error mm_aspace_load(struct mm_aspace *as, mm_gpa_t gpa, unsigned width,
                             uint64_t *value) MM_MUST_CHECK;
/** [shared] Writes a little-endian value of 1, 2, 4 or 8 bytes, in one access if naturally aligned.
 * MM_INVALID: another width; else the errors of mm_aspace_write(). */
enum mm_error mm_aspace_store(struct mm_aspace *as, mm_gpa_t gpa, unsigned width,
                              uint64_t value) MM_MUST_CHECK;

/**
 * [shared] Compares and exchanges a little-endian value of 1, 2, 4 or 8 bytes in guest memory, as
 * one atomic operation: guests, other calls and devices that access the value see it before or
 * after. If the value is `expected`, it becomes `desired`. *found becomes the value that was there,
 * so the exchange took place exactly if *found is `expected`. The order is sequentially consistent.
 *
 * The area permits R and W, or the answer is MM_DENIED. MM_INVALID: no such width, or `expected` or
 * `desired` has more bits. MM_MISALIGNED: gpa is no multiple of the width. MM_OUT_OF_RANGE,
 * MM_NOT_MAPPED, MM_IS_DEVICE, MM_NO_MEMORY, MM_QUOTA as for mm_aspace_write(). On an error *found
 * keeps its value. The page counts as written in either case, as it does where the guest makes the
 * access: a dirty log reports it, and a page that a snapshot holds is copied.
 */
enum mm_error mm_aspace_compare_exchange(struct mm_aspace *as, mm_gpa_t gpa, unsigned width,
                                         uint64_t expected, uint64_t desired,
                                         uint64_t *found) MM_MUST_CHECK;

/** A part of guest memory that is contiguous in host memory. */
struct mm_aspace_span {
	void *host;   /**< address of its first byte in the hypervisor */
	size_t bytes; /**< its length */
};

/** [shared] Calls `visit` for each part of the range that is contiguous in host memory, in order,
 * without copying. The range is in bytes, any alignment. All pages are present and permitted before
 * the first call. MM_INVALID: `access` is not exactly one of MM_R, MM_W and MM_X; else the errors
 * of mm_aspace_read(). A false from `visit` ends the walk early, which is MM_OK. `visit` must not
 * call back into this address space. A span is valid only during its call. */
enum mm_error mm_aspace_for_each_span(struct mm_aspace *as, struct mm_gpa_range range,
                                      enum mm_perm access,
                                      bool (*visit)(void *ctx, mm_gpa_t gpa,
                                                    struct mm_aspace_span span),
                                      void *ctx) MM_MUST_CHECK;

/** [shared] Finds a range of `size` bytes that overlaps no area, at a multiple of `align` bytes.
 * Reserves nothing. Errors as mm_area_find_free(): MM_INVALID, MM_NO_MEMORY. */
enum mm_error mm_aspace_find_free(struct mm_aspace *as, mm_gpa_t hint, uint64_t size,
                                  uint64_t align, mm_gpa_t *out) MM_MUST_CHECK;

/** [shared] Calls `visit` for each leaf that overlaps the range, lowest first, leaves with MM_NONE
 * included. A false from `visit` ends the walk early, which is MM_OK. The range is valid,
 * page aligned and within limits, here and below (MM_INVALID, MM_MISALIGNED, MM_OUT_OF_RANGE). The
 * leaf is the library's, and valid only during the call. */
enum mm_error mm_aspace_for_each_leaf(struct mm_aspace *as, struct mm_gpa_range range,
                                      bool (*visit)(void *ctx, const struct mm_npt_leaf *leaf),
                                      void *ctx) MM_MUST_CHECK;

/** [exclusive, in turns] Calls `visit` for each leaf that the hardware has marked accessed or
 * dirty, and clears both marks. The TLBs have been flushed when the call returns. A false from
 * `visit` ends the walk early. MM_UNSUPPORTED without accessed_dirty, MM_BUSY while a dirty log
 * uses the A/D bits. `visit` must not call back into this address space. */
enum mm_error mm_aspace_harvest(struct mm_aspace *as, struct mm_gpa_range range,
                                bool (*visit)(void *ctx, const struct mm_npt_leaf *leaf),
                                void *ctx) MM_MUST_CHECK;

/** [shared] For reports: mm_npt_steps(), into the caller's array. Returns the number of steps: 0
 * beyond the limits. */
size_t mm_aspace_steps(struct mm_aspace *as, mm_gpa_t gpa,
                       struct mm_npt_step steps[MM_NPT_MAX_LEVELS]);

/** [shared] Writes the statistics to `out`, which is the caller's. Cannot fail. While faults run,
 * the numbers are those of slightly different moments. */
void mm_aspace_get_stats(struct mm_aspace *as, struct mm_aspace_stats *out);

/** [any] The root table's host-physical address, which an extension loads into the hardware.
 * Constant from init to destroy. */
static inline mm_hpa_t mm_aspace_root(const struct mm_aspace *as);
/** [any] The tag, which an extension loads into the hardware: that of mm_aspace_config, or of the
 * last mm_aspace_set_tag(). The caller excludes that call. */
static inline uint32_t mm_aspace_tag(const struct mm_aspace *as);

/**
 * [exclusive] Gives the address space another tag (VMID, VPID, ASID): a hypervisor has fewer tags
 * than guests, and hands them out again when it has none left. Every flush request from then on
 * names the new tag, and none names the old one. The call itself flushes nothing, since a
 * hypervisor that hands out all tags again flushes all of them at once. It cannot fail.
 *
 * The hypervisor sees to this:
 *   - No CPU runs the guest, or keeps its state loaded, during the call. Otherwise a later flush of
 *     the library would not reach what that CPU holds under the old tag.
 *   - Before a CPU enters the guest under the new tag, everything under that tag has been flushed
 *     on that CPU since the tag's last owner ran there.
 *   - Before the old tag gets another owner, everything under it has been flushed on all CPUs.
 */
void mm_aspace_set_tag(struct mm_aspace *as, uint32_t tag);

#define MM_ASPACE_CACHE_SLOTS 4U /**< of struct mm_aspace_cache; a power of two */

/**
 * Per-CPU translation cache. Callers use none of its members. Valid until the next exclusive call,
 * since only exclusive calls move areas and free tables. It holds what the fast path of a fault
 * needs (mm/fault_fast.c), and tables from which walks can start (as the paging-structure caches of
 * the hardware do).
 */
struct mm_aspace_cache {
	/** The window: the part of one alloc area or device area that lies in one block of 2 MiB.
	 * It lies within the limits. */
	mm_gpa_t window;                   /**< its first page */
	MM_ATOMIC(uint64_t) *window_table; /**< alloc: the entry of that page */
	uint64_t window_leaf;              /**< alloc: a leaf of the window, without an address */
	uint16_t window_pages[MM_X + 1];   /**< alloc, by access: the number of pages if the area
	                                      permits the access; 0 if not, or if it is no access */
	uint16_t window_device_pages;      /**< device: the number of pages */
	/**< Where the window is a whole block of 2 MiB: all such blocks of its area. */
	uint32_t area_blocks; /**< their number, or UINT32_MAX if there are more */
	mm_gpa_t area_block;  /**< the first of them */

	/** Slot n holds the table of a GiB whose number (address / 1 GiB) is n modulo
	 * MM_ASPACE_CACHE_SLOTS. An empty slot holds a number that belongs to another slot, so that
	 * no address can hit it. */
	uint32_t gib[MM_ASPACE_CACHE_SLOTS];
	MM_ATOMIC(uint64_t) *table[MM_ASPACE_CACHE_SLOTS]; /**< its entries map 2 MiB each */
};

MM_STATIC_ASSERT(MM_ASPACE_CACHE_SLOTS > 1 &&
                         (MM_ASPACE_CACHE_SLOTS & (MM_ASPACE_CACHE_SLOTS - 1)) == 0,
                 "an empty slot needs a number of another slot");

/**
 * What faults write. Callers use none of its members. A block per CPU, in cache lines of its own.
 * The size is a power of two, so that an index becomes an address by a shift.
 *
 * The blocks of the first CPUs are in struct mm_aspace. When another CPU uses the address space for
 * the first time, the library takes a frame of the HAL, with blocks for 16 CPUs. The frame is not
 * charged to the quota, and goes back in mm_aspace_destroy(). CPUs for which there is no frame
 * share one block: their calls give the same answers, but run one at a time. Such a CPU asks for
 * the frame again at its next call.
 */
struct mm_aspace_cpu {
	struct mm_lock_reader reader; /**< valid: no change has made `cache` wrong */
	struct mm_aspace_cache cache;
	MM_ATOMIC(int64_t)
	faults[MM_FAULT_NEEDS_FRAME]; /**< all others: see mm_aspace.needs_frame */
	struct mm_npt_counts counts;  /**< added to the table's own */
} MM_ALIGNED_TO(64);

MM_STATIC_ASSERT(sizeof(struct mm_aspace_cpu) == 256, "four cache lines per CPU");

#define MM_ASPACE_OWN_CPUS MM_LOCK_OWN_READERS /**< CPUs whose blocks are in struct mm_aspace */

/** The dirty log: see dirty.h. Callers use none of its members. */
struct mm_aspace_log {
	bool active;
	bool hardware;
	bool split;
	enum mm_perm withheld; /**< permissions granted only by a fault that requests them: MM_W
	                          while the log works by write protection */
	struct mm_dirty_ring *ring; /**< NULL: there is none (dirty_ring.h) */
};

/** An address space. Callers embed one, and use none of its members. */
struct mm_aspace {
	/** What each fault reads comes first, and then the block of CPU 0: few pages and lines of
	 * the host's caches, if a host has many address spaces. */
	struct mm_npt npt;  /**< holds the format, the config, the HAL, the quota and the root */
	bool fast_path;     /**< faults may use mm/fault_fast.c: npt.direct is set */
	bool after_install; /**< it has something to publish or to record for each page */
	struct mm_aspace_log log;
	struct mm_gpa_range limits;
	uint64_t changes;       /**< exclusive calls since init */
	uint64_t areas_version; /**< what `changes` was when the areas last changed. A restore sets
	                           it to the snapshot's */
	MM_ATOMIC(uint64_t)
	needs_frame; /**< faults that answered MM_FAULT_NEEDS_FRAME, since init */
	struct mm_lock lock;
	struct mm_aspace_cpu cpus[MM_ASPACE_OWN_CPUS]; /**< of the first CPUs */
	struct mm_aspace_cpu shared;                   /**< of CPUs for which there is no frame */
	struct mm_area_map areas;
	/**< For each permission set that the format can express: a leaf of 4 KiB that the library
	 * owns, in MM_NORMAL memory, without an address. */
	uint64_t page_leaf[MM_PERM_SETS];
};

static inline mm_hpa_t mm_aspace_root(const struct mm_aspace *as)
{
	return as->npt.root;
}

static inline uint32_t mm_aspace_tag(const struct mm_aspace *as)
{
	return as->npt.tag;
}

MM_END_DECLS

#endif
