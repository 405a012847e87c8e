/*
 * Questions to an address space: where a byte is, what is free, what is present, what it cost.
 */
#include "mm/aspace.h"

#include "mm/aspace_internal.h"

/* What there is at gpa if it is not a page that the guest can touch. */
static noinline enum mm_error translate_absent(const struct aspace *as, gpa_t gpa,
                                               struct aspace_translation *out)
{
	const struct area *area = area_find(&as->areas, gpa);
	struct npt_leaf leaf;

	if (!area)
		return gpa_range_contains(as->limits, gpa) ? MM_NOT_MAPPED : MM_OUT_OF_RANGE;
	if (area->backend == AREA_DEVICE)
		return MM_IS_DEVICE;
	if (npt_lookup(&as->npt, gpa, &leaf) != MM_OK)
		return MM_NOT_MAPPED;

	uint64_t offset = gpa_diff(gpa, leaf.gpa);

	*out = (struct aspace_translation){
		.hpa = hpa_plus(leaf.hpa, offset),
		.contiguous = LEVEL_SIZE(leaf.level) - offset,
		.page_size = LEVEL_SIZE(leaf.level),
		.perm = leaf.perm,
		.memtype = leaf.memtype,
	};
	return MM_OK;
}

/* `direct` is a constant: see walk.h. */
static always_inline enum mm_error translate(const struct aspace *as, gpa_t gpa, bool direct,
                                             struct aspace_translation *out)
{
	const struct npt *npt = &as->npt;
	const struct npt_format *f = npt->format;

	if (unlikely(!gpa_range_contains(as->limits, gpa)))
		return MM_OUT_OF_RANGE;

	struct npt_slot slot = npt_walk_as(npt, gpa, direct);

	if (unlikely(!npt_present(f, slot.value)))
		return translate_absent(as, gpa, out);

	uint64_t size = LEVEL_SIZE(slot.level);
	uint64_t offset = gpa.raw & (size - 1);

	out->hpa = hpa_at(npt_pa_as(f, slot.value, direct) + offset);
	out->contiguous = size - offset;
	out->page_size = size;
	out->perm = npt_present_perm(f, npt->perm_tells, slot.value);
	out->memtype = npt_entry_memtype(f, slot.value);
	return MM_OK;
}

static noinline enum mm_error translate_locked(struct aspace *as, gpa_t gpa,
                                               struct aspace_translation *out)
{
	struct aspace_cpu *me = aspace_enter(as);
	enum mm_error err =
		as->npt.direct ? translate(as, gpa, true, out) : translate(as, gpa, false, out);

	aspace_leave(me);
	return err;
}

/* Without other CPUs and without hooks there is nothing to lock, and nothing to save in calls. */
enum mm_error aspace_translate(struct aspace *as, gpa_t gpa, struct aspace_translation *out)
{
	if (as->npt.direct && !as->npt.hal.cpu_index)
		return translate(as, gpa, true, out);
	return translate_locked(as, gpa, out);
}

enum mm_error aspace_find_free(struct aspace *as, gpa_t hint, uint64_t size, uint64_t align,
                               gpa_t *out)
{
	struct aspace_cpu *me = aspace_enter(as);
	enum mm_error err = area_find_free(&as->areas, as->limits, hint, size, align, out);

	aspace_leave(me);
	return err;
}

enum mm_error aspace_for_each_leaf(struct aspace *as, struct gpa_range range,
                                   bool (*visit)(void *ctx, const struct npt_leaf *leaf), void *ctx)
{
	enum mm_error err = aspace_check_range(as, range);

	if (err != MM_OK)
		return err;

	struct aspace_cpu *me = aspace_enter(as);

	npt_for_each_leaf(&as->npt, range, visit, ctx);
	aspace_leave(me);
	return MM_OK;
}

enum mm_error aspace_harvest(struct aspace *as, struct gpa_range range,
                             bool (*visit)(void *ctx, const struct npt_leaf *leaf), void *ctx)
{
	enum mm_error err = aspace_check_range(as, range);

	if (err != MM_OK)
		return err;
	if (!as->npt.config.accessed_dirty)
		return MM_UNSUPPORTED;
	aspace_enter_alone(as);
	if (as->log.active && as->log.hardware)
		err = MM_BUSY;
	else
		npt_harvest(&as->npt, range, visit, ctx);
	aspace_leave_alone(as);
	return err;
}

static uint64_t load_count(const _Atomic int64_t *counter)
{
	return (uint64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counts(struct aspace_stats *out, const struct npt_counts *counts)
{
	out->frames += load_count(&counts->frames) + load_count(&counts->pages);
	out->leaves[0] += load_count(&counts->pages);
	out->tables += load_count(&counts->tables);
	out->flushes += load_count(&counts->flushes);
	for (unsigned level = 0; level < NPT_MAX_LEVELS; level++)
		out->leaves[level] += load_count(&counts->leaves[level]);
}

void aspace_get_stats(struct aspace *as, struct aspace_stats *out)
{
	struct aspace_cpu *me = aspace_enter(as);

	*out = (struct aspace_stats){.area_frames = as->areas.frames};
	add_counts(out, &as->npt.counts);
	for (unsigned i = 0; i < MM_MAX_CPUS; i++) {
		add_counts(out, &as->cpus[i].counts);
		for (unsigned fault = 0; fault < MM_FAULTS; fault++)
			out->faults[fault] += load_count(&as->cpus[i].faults[fault]);
	}
	aspace_leave(me);
}

size_t aspace_steps(struct aspace *as, gpa_t gpa, struct npt_step steps[NPT_MAX_LEVELS])
{
	struct aspace_cpu *me = aspace_enter(as);
	size_t count = npt_steps(&as->npt, gpa, steps);

	aspace_leave(me);
	return count;
}
