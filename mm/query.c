/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the areas of an address space: see query.h. */
#include "mm/query.h"

#include "mm/aspace_internal.h"

static struct mm_aspace_area describe(const struct mm_area *area)
{
	return (struct mm_aspace_area){
		.range = area->range,
		.backend = area->backend,
		.perm = (enum mm_perm)area->perm,
		.memtype = (enum mm_memtype)area->memtype,
		.max_leaf = area->max_leaf,
		.populate = area->populate,
		.host = area->backend == MM_AREA_LINEAR ? area->host : mm_hpa_at(0),
	};
}

enum mm_error mm_aspace_query_area(struct mm_aspace *as, mm_gpa_t gpa, struct mm_aspace_area *out)
{
	struct mm_aspace_cpu *cpu;
	const struct mm_area *area;

	if (!mm_gpa_range_contains(as->limits, gpa))
		return MM_OUT_OF_RANGE;
	cpu = mm_aspace_read_lock(as);
	area = mm_area_find(&as->areas, gpa);
	if (area)
		*out = describe(area);
	mm_aspace_read_unlock(cpu);
	return area ? MM_OK : MM_NOT_MAPPED;
}

enum mm_error mm_aspace_for_each_area(struct mm_aspace *as, struct mm_gpa_range range,
                                      bool (*visit)(void *ctx, const struct mm_aspace_area *area),
                                      void *ctx)
{
	enum mm_error err = mm_aspace_check_range(as, range);
	uint64_t last = mm_gpa_range_last(range).raw;
	struct mm_aspace_cpu *cpu;

	if (err != MM_OK)
		return err;
	cpu = mm_aspace_read_lock(as);
	for (mm_gpa_t at = range.start;;) {
		const struct mm_area *area = mm_area_first_from(&as->areas, at);

		if (!area || area->range.start.raw > last)
			break;

		struct mm_aspace_area found = describe(area);
		uint64_t end = mm_gpa_range_last(area->range).raw;

		if (!visit(ctx, &found) || end >= last)
			break;
		at = mm_gpa_at(end + 1);
	}
	mm_aspace_read_unlock(cpu);
	return MM_OK;
}
