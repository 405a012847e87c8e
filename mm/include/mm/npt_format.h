/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The nested page-table formats, and what a machine chooses of one.
 *
 * A format is data: one constant struct mm_npt_format (entry.h) per format, and no code. The walker
 * (walk.h) is compiled once and reads it. What the architecture fixes is in struct mm_npt_format.
 * What this machine or this guest decides (levels, widths, optional features) is in struct
 * mm_npt_config. mm_npt_config_check() checks the one against the other before any table is built.
 */
#ifndef MM_NPT_FORMAT_H
#define MM_NPT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/** The walker is compiled for these. mm_npt_config_check() refuses any other format. */
#define MM_NPT_INDEX_BITS    9U  /**< per level below the root */
#define MM_NPT_MAX_LEVELS    5U  /**< of tables, the root included */
#define MM_NPT_MAX_ROOT_BITS 13U /**< 16 concatenated roots */
#define MM_NPT_MAX_GPA_BITS  59U /**< window_page() in fault_fast.c relies on it */

struct mm_npt_format;

/** Intel SDM vol. 3C, ch. 29.3: extended page tables, 4 or 5 levels. */
extern const struct mm_npt_format mm_npt_ept;
/** AMD APM vol. 2, ch. 15.25: nested paging, 4 or 5 levels. */
extern const struct mm_npt_format mm_npt_amd;
/** Arm ARM, D8: stage 2 of VMSAv8-64, 4 KiB granule, concatenated roots. */
extern const struct mm_npt_format mm_npt_stage2;
/** The same with LPA2: 52-bit addresses. */
extern const struct mm_npt_format mm_npt_stage2_lpa2;
/** RISC-V privileged manual, "Two-stage address translation": Sv39x4, Sv48x4, Sv57x4. */
extern const struct mm_npt_format mm_npt_gstage;

/** [any] "ept", "amd", "stage2", "stage2-lpa2", "gstage": for logs. A constant string. */
const char *mm_npt_format_name(const struct mm_npt_format *format);

/** What the machine and the guest choose. */
struct mm_npt_config {
	unsigned levels;     /**< table levels that a walk reads, root included: 2 to 5 */
	unsigned root_bits;  /**< index bits of the root: 9, 11 for Sv*x4, 10..13 concatenated, or
	                        fewer than 9 for a small IPA space */
	unsigned hpa_bits;   /**< width of host physical addresses on this machine */
	unsigned max_leaf;   /**< largest leaf level: 0 for 4 KiB, 1 for 2 MiB, 2 for 1 GiB, ...; at
	                        most hpa_bits wide */
	bool execute_only;   /**< X without R or W is allowed (EPT: a capability) */
	bool fixed_memtype;  /**< leaves have no memory type: only MM_NORMAL is accepted, and the
	                        attributes of the platform decide (RISC-V without Svpbmt) */
	bool no_large_exec;  /**< leaves larger than 4 KiB never have X: a fetch splits them. For
	                        CPUs with the iTLB multi-hit erratum (CVE-2018-12207). Without this,
	                        a guest can halt such a CPU by changing the size of a page that it
	                        executes */
	bool accessed_dirty; /**< hardware sets A and D. If not, the walker sets them from the start
	                        (mm_npt_format.preset), so that no access faults because of them */
};

/** [any] The guest-physical width that a configuration spans, in bits. */
static inline unsigned mm_npt_gpa_bits(const struct mm_npt_config *config)
{
	return MM_PAGE_SHIFT + MM_NPT_INDEX_BITS * (config->levels - 1) + config->root_bits;
}

/** [any] Size of the root in frames, as a power of two (2 for Sv39x4: 16 KiB, naturally aligned).
 */
static inline unsigned mm_npt_root_order(const struct mm_npt_config *config)
{
	return config->root_bits > MM_NPT_INDEX_BITS ? config->root_bits - MM_NPT_INDEX_BITS : 0;
}

/** [any] MM_OK, or MM_UNSUPPORTED: the format is NULL or contradicts itself (docs/formats.md says
 * what it may be); it has no such geometry, width, leaf or feature; or the largest leaf is larger
 * than physical memory can be. */
enum mm_error mm_npt_config_check(const struct mm_npt_format *format,
                                  const struct mm_npt_config *config) MM_MUST_CHECK;

/** [any] Can a leaf of this level carry these permissions and this memory type here? MM_UNSUPPORTED
 * if not (W without R, X alone without execute_only, a leaf larger than max_leaf). */
enum mm_error mm_npt_can_express(const struct mm_npt_format *format,
                                 const struct mm_npt_config *config, unsigned level,
                                 enum mm_perm perm, enum mm_memtype type) MM_MUST_CHECK;

MM_END_DECLS

#endif
