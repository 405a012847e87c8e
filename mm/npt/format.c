/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The description of a format checked for sense, and a configuration checked against its format.
 * Nothing else checks them: the walker takes both as they are.
 */
#include "mm/npt/dirty.h"
#include "mm/npt/entry.h"

const char *mm_npt_format_name(const struct mm_npt_format *format)
{
	return format->name;
}

static bool within(unsigned value, unsigned low, unsigned high)
{
	return value >= low && value <= high;
}

/* --- a format --- */

static bool one_bit(uint64_t mask)
{
	return mask != 0 && (mask & (mask - 1)) == 0;
}

/* What the walker is compiled for: docs/formats.md has the list. */
static bool geometry_makes_sense(const struct mm_npt_format *f)
{
	return f->page_shift == MM_PAGE_SHIFT && f->index_bits == MM_NPT_INDEX_BITS &&
	       f->entry_bytes == sizeof(uint64_t) && within(f->max_levels, 2, MM_NPT_MAX_LEVELS) &&
	       within(f->min_levels, 2, f->max_levels) &&
	       within(f->max_root_bits, 1, MM_NPT_MAX_ROOT_BITS) &&
	       within(f->min_root_bits, 1, f->max_root_bits) &&
	       within(f->max_gpa_bits, MM_PAGE_SHIFT + 1, MM_NPT_MAX_GPA_BITS) &&
	       f->max_leaf < f->max_levels;
}

/* The address field has room for every address of max_hpa_bits bits, and for nothing else. */
static bool address_makes_sense(const struct mm_npt_format *f)
{
	uint64_t low = f->pa_mask << f->pa_shift;
	uint64_t high = f->high_mask << f->high_shift;

	return within(f->max_hpa_bits, MM_PAGE_SHIFT + 1, 63) && (low & high) == 0 &&
	       (low | high) == GENMASK(f->max_hpa_bits - 1, MM_PAGE_SHIFT) &&
	       (f->absent_flip & ~(f->pa_mask | f->high_mask)) == 0;
}

/* Every bit of an entry has one meaning, and the marks of entry.h lie outside all of them. */
static bool masks_make_sense(const struct mm_npt_format *f)
{
	uint64_t address = f->pa_mask | f->high_mask;
	uint64_t software = f->owned | f->shared | f->soft_dirty;
	uint64_t hardware = f->present | f->table | f->table_mask | f->perm_mask | f->perm_bits |
	                    f->memtype_mask | f->accessed | f->dirty | f->preset | f->writable;

	for (unsigned level = 0; level <= f->max_leaf; level++)
		hardware |= f->leaf[level];
	return ((hardware | software | MM_NPT_MARKS) & address) == 0 &&
	       (hardware & software) == 0 && ((hardware | software) & MM_NPT_MARKS) == 0 &&
	       one_bit(f->owned) && one_bit(f->shared) && f->owned != f->shared &&
	       (f->soft_dirty & (f->owned | f->shared)) == 0 &&
	       ((f->perm_mask | f->perm_bits) & f->memtype_mask) == 0 &&
	       (f->writable & ~f->perm_mask) == 0 && (f->accessed == 0) == (f->dirty == 0);
}

/* A table is present, and no entry is two kinds at once. */
static bool kinds_make_sense(const struct mm_npt_format *f)
{
	/* A leaf that is not present, or an absent entry, must not look like a table. */
	bool table = (f->table & f->table_mask) == f->table_value &&
	             (f->table_value & f->present) != 0 &&
	             (f->table & (f->table_reserved | f->leaf_reserved)) == 0 &&
	             (mm_npt_written(f) & f->table_reserved) == 0;
	bool leaves = true;

	for (unsigned level = 0; level <= f->max_leaf; level++)
		leaves = leaves && (f->leaf[level] & f->leaf_reserved) == 0;
	return table && leaves;
}

/* A leaf of these permissions, of every level: present, no table, and read as what it is. */
static bool perm_makes_sense(const struct mm_npt_format *f, enum mm_perm perm, bool hardware_dirty)
{
	const struct mm_npt_config config = {.accessed_dirty = hardware_dirty};
	uint64_t bits = mm_npt_encode_perm(f, hardware_dirty, perm);
	uint64_t entry = bits | f->leaf[0];
	bool good = (bits & ~f->perm_mask) == 0 && (bits & f->leaf_reserved) == 0 &&
	            mm_npt_present(f, entry) &&
	            mm_npt_present_perm(f, mm_npt_perm_bits(f, &config), entry) == perm;

	for (unsigned level = 1; level <= f->max_leaf; level++)
		good = good && mm_npt_present(f, bits | f->leaf[level]) &&
		       !mm_npt_points_to_table(f, bits | f->leaf[level]);
	return good;
}

static bool perms_make_sense(const struct mm_npt_format *f)
{
	bool any = false;

	for (unsigned p = MM_R; p < MM_PERM_SETS; p++) {
		enum mm_perm perm = (enum mm_perm)p;

		if (f->perm[p] == MM_NPT_INEXPRESSIBLE)
			continue;
		if (!perm_makes_sense(f, perm, false) || !perm_makes_sense(f, perm, true))
			return false;
		any = true;
	}
	return any;
}

static bool memtypes_make_sense(const struct mm_npt_format *f)
{
	for (unsigned type = 0; type < MM_MEMTYPES; type++) {
		if ((f->memtype[type] & ~f->memtype_mask) != 0)
			return false;
		for (unsigned other = 0; other < type; other++) {
			if (f->memtype[type] == f->memtype[other])
				return false;
		}
	}
	return true;
}

static bool format_makes_sense(const struct mm_npt_format *f)
{
	return f && f->name && geometry_makes_sense(f) && address_makes_sense(f) &&
	       masks_make_sense(f) && kinds_make_sense(f) && perms_make_sense(f) &&
	       memtypes_make_sense(f);
}

/* --- a configuration --- */

enum mm_error mm_npt_config_check(const struct mm_npt_format *format,
                                  const struct mm_npt_config *config)
{
	if (!format_makes_sense(format))
		return MM_UNSUPPORTED;

	bool geometry = within(config->levels, format->min_levels, format->max_levels) &&
	                within(config->root_bits, format->min_root_bits, format->max_root_bits) &&
	                mm_npt_gpa_bits(config) <= format->max_gpa_bits;
	bool widths = within(config->hpa_bits, MM_PAGE_SHIFT + 1, format->max_hpa_bits);
	bool leaves = config->max_leaf <= format->max_leaf && config->max_leaf < config->levels &&
	              MM_LEVEL_SHIFT(config->max_leaf) <= config->hpa_bits;
	bool features = (!config->execute_only || format->perm[MM_X] != MM_NPT_INEXPRESSIBLE) &&
	                (!config->accessed_dirty || format->accessed != 0);

	return geometry && widths && leaves && features ? MM_OK : MM_UNSUPPORTED;
}

enum mm_error mm_npt_can_express(const struct mm_npt_format *format,
                                 const struct mm_npt_config *config, unsigned level,
                                 enum mm_perm perm, enum mm_memtype type)
{
	if (level > config->max_leaf || (unsigned)perm >= MM_PERM_SETS ||
	    (unsigned)type >= MM_MEMTYPES)
		return MM_UNSUPPORTED;
	if (config->fixed_memtype && type != MM_NORMAL)
		return MM_UNSUPPORTED;
	/* A page with no permission is parked, in every format. */
	if (perm == MM_NONE)
		return MM_OK;
	if (perm == MM_X && !config->execute_only)
		return MM_UNSUPPORTED;
	return format->perm[perm] != MM_NPT_INEXPRESSIBLE ? MM_OK : MM_UNSUPPORTED;
}
