/*
 * A configuration held against its format: the only place that asks whether the two fit, so that
 * the walker need not.
 */
#include "mm/npt/entry.h"

const char *npt_format_name(const struct npt_format *format)
{
	return format->name;
}

static bool within(unsigned value, unsigned low, unsigned high)
{
	return value >= low && value <= high;
}

enum mm_error npt_config_check(const struct npt_format *format, const struct npt_config *config)
{
	bool geometry = within(config->levels, format->min_levels, format->max_levels) &&
	                within(config->root_bits, format->min_root_bits, format->max_root_bits) &&
	                npt_gpa_bits(config) <= format->max_gpa_bits;
	bool widths = within(config->hpa_bits, MM_PAGE_SHIFT + 1, format->max_hpa_bits);
	bool leaves = config->max_leaf <= format->max_leaf && config->max_leaf < config->levels &&
	              MM_LEVEL_SHIFT(config->max_leaf) <= config->hpa_bits;
	bool features = (!config->execute_only || format->perm[MM_X] != NPT_INEXPRESSIBLE) &&
	                (!config->accessed_dirty || format->accessed != 0);

	return geometry && widths && leaves && features ? MM_OK : MM_UNSUPPORTED;
}

enum mm_error npt_can_express(const struct npt_format *format, const struct npt_config *config,
                              unsigned level, enum mm_perm perm, enum mm_memtype type)
{
	if (level > config->max_leaf || (unsigned)perm >= MM_PERM_SETS ||
	    (unsigned)type >= MM_MEMTYPES)
		return MM_UNSUPPORTED;
	if (config->fixed_memtype && type != MM_NORMAL)
		return MM_UNSUPPORTED;
	/* A page that nobody may touch is parked, in every format. */
	if (perm == MM_NONE)
		return MM_OK;
	if (perm == MM_X && !config->execute_only)
		return MM_UNSUPPORTED;
	return format->perm[perm] != NPT_INEXPRESSIBLE ? MM_OK : MM_UNSUPPORTED;
}
