/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own access to guest memory, by guest-physical address.
 *
 * An access may cross pages whose host frames are not contiguous, and some pages may still be
 * absent. So it is made in spans, one per leaf. No byte is copied before every span is permitted
 * and present. A span stays valid while the read lock is held: only exclusive calls take pages or
 * permissions away.
 *
 * access_memory() checks the range against the limits. Below it, addresses are mm_checked_gpa_t.
 */
#include "mm/aspace.h"

#include "mm/aspace_internal.h"
#include "mm/npt/change.h"

static enum mm_error error_of(enum mm_fault fault)
{
	switch (fault) {
	case MM_FAULT_MAPPED:
	case MM_FAULT_SPURIOUS:
	case MM_FAULT_UNSHARED:
		return MM_OK;
	case MM_FAULT_PERMISSION:
		return MM_DENIED;
	case MM_FAULT_NO_MEMORY:
		return MM_NO_MEMORY;
	case MM_FAULT_QUOTA:
		return MM_QUOTA;
	case MM_FAULT_IS_DEVICE:
		return MM_IS_DEVICE;
	case MM_FAULT_NEEDS_FRAME:
		return MM_NEEDS_FRAME;
	case MM_FAULT_OUT_OF_RANGE:
		return MM_OUT_OF_RANGE;
	default:
		return MM_NOT_MAPPED;
	}
}

/* The A/D marks that the hardware would set if a guest made this access. */
static MM_ALWAYS_INLINE uint64_t marks_of(const struct mm_npt *npt, enum mm_perm access)
{
	const struct mm_npt_format *f = npt->format;

	if (!npt->config.accessed_dirty)
		return 0;
	return f->accessed | (access == MM_W ? f->dirty : 0);
}

/* Sets these marks. False: a fault on another CPU has split or copied the leaf that the walk has
 * found. Then nothing is marked, since the entry may be a table now, which has no such marks. */
static bool mark_used(const struct mm_npt *npt, struct mm_npt_slot slot, enum mm_perm access)
{
	const struct mm_npt_format *f = npt->format;
	uint64_t marks = marks_of(npt, access);
	uint64_t all_marks = f->accessed | f->dirty | f->soft_dirty;
	uint64_t value = slot.value;

	while ((value & marks) != marks) {
		if (mm_npt_swap(slot.entry, &value, value | marks))
			return true;
		if (((value ^ slot.value) & ~all_marks) != 0)
			return false;
	}
	return true;
}

/* Makes the page present with this permission, as a fault does. It is no fault, so what the fast
 * path has counted as one is taken back. */
static enum mm_error fault_in(struct mm_aspace *as, struct mm_aspace_cpu *cpu, mm_checked_gpa_t at,
                              enum mm_perm access)
{
	if (!mm_fault_fast(as, cpu, at, access))
		return error_of(mm_fault_resolve(as, cpu, at, access));
	mm_npt_count(&cpu->faults[MM_FAULT_MAPPED], -1);
	return MM_OK;
}

/* Finds the leaf at this address, present with this permission, and marked as the hardware would.
 */
static MM_NOINLINE enum mm_error prepare_leaf(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                              mm_checked_gpa_t at, enum mm_perm access,
                                              struct mm_npt_slot *out)
{
	for (;;) {
		*out = mm_aspace_walk(as, cpu, at);
		if (mm_permits(mm_npt_perm(&as->npt, out->value), access)) {
			if (mark_used(&as->npt, *out, access)) {
				/* It sets the dirty mark, and no hardware records that. */
				if (access == MM_W && as->log.ring && as->log.hardware)
					mm_aspace_dirty_ring_put(as, at.gpa);
				return MM_OK;
			}
		} else {
			enum mm_error err = fault_in(as, cpu, at, access);

			if (err != MM_OK)
				return err;
		}
	}
}

/* The span that begins at this address: up to `bytes`, at most up to the end of the leaf. Makes the
 * page present. Most leaves need no change. */
static MM_ALWAYS_INLINE enum mm_error span_at(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                              mm_checked_gpa_t at, size_t bytes,
                                              enum mm_perm access, struct mm_aspace_span *out)
{
	const struct mm_npt_format *f = as->npt.format;
	uint64_t marks = marks_of(&as->npt, access);
	struct mm_npt_slot slot = mm_aspace_walk(as, cpu, at);

	if (MM_UNLIKELY(!mm_permits(mm_npt_perm(&as->npt, slot.value), access)) ||
	    MM_UNLIKELY((slot.value & marks) != marks)) {
		struct mm_npt_slot prepared;
		enum mm_error err = prepare_leaf(as, cpu, at, access, &prepared);

		if (err != MM_OK)
			return err;
		slot = prepared;
	}

	uint64_t size = MM_LEVEL_SIZE(slot.level);
	uint64_t offset = at.gpa.raw & (size - 1);
	char *leaf = mm_hal_to_virt(&as->npt.hal, mm_npt_decode_pa(f, slot.value));

	out->host = leaf + offset;
	out->bytes = (size_t)mm_u64_min(bytes, size - offset);
	return MM_OK;
}

/* Does every byte of the range lie in an area that permits the access? */
static enum mm_error check_areas(const struct mm_aspace *as, struct mm_gpa_range range,
                                 enum mm_perm access)
{
	uint64_t last = mm_gpa_range_last(range).raw;
	mm_gpa_t at = range.start;

	for (;;) {
		const struct mm_area *area = mm_area_find(&as->areas, at);

		if (!area)
			return MM_NOT_MAPPED;
		if (area->backend == MM_AREA_DEVICE)
			return MM_IS_DEVICE;
		if (!mm_permits((enum mm_perm)area->perm, access))
			return MM_DENIED;
		if (mm_gpa_range_last(area->range).raw >= last)
			return MM_OK;
		at = mm_gpa_plus(mm_gpa_range_last(area->range), 1);
	}
}

/* Called for each span, in order. False: no more spans. */
typedef bool (*visit_span)(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span);

/* One call of `visit`. After a write the HAL makes the bytes visible to the guest. */
static bool visit_one(const struct mm_aspace *as, mm_checked_gpa_t at, struct mm_aspace_span span,
                      enum mm_perm access, visit_span visit, void *ctx)
{
	const struct mm_hal *hal = &as->npt.hal;
	bool more = visit(ctx, at.gpa, span);

	if (access == MM_W && hal->written)
		hal->written(hal->ctx, span.host, span.bytes);
	return more;
}

/* A range that crosses pages: checks all areas, then makes all pages present, then visits. */
static MM_NOINLINE enum mm_error visit_spans(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                             struct mm_gpa_range range, enum mm_perm access,
                                             visit_span visit, void *ctx)
{
	size_t bytes = (size_t)range.size;
	struct mm_aspace_span span = {NULL, 0};
	enum mm_error err = check_areas(as, range, access);

	for (size_t done = 0; err == MM_OK && done < bytes; done += span.bytes)
		err = span_at(as, cpu, mm_aspace_part_at(range, done), bytes - done, access, &span);
	for (size_t done = 0; err == MM_OK && done < bytes; done += span.bytes) {
		mm_checked_gpa_t at = mm_aspace_part_at(range, done);

		err = span_at(as, cpu, at, bytes - done, access, &span);
		if (err == MM_OK && !visit_one(as, at, span, access, visit, ctx))
			break;
	}
	return err;
}

/* Visits the range, which lies within the limits. mm_aspace_is_access(access). On an error nothing
 * has been visited. */
static MM_ALWAYS_INLINE enum mm_error visit_range(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                                                  struct mm_gpa_range range, enum mm_perm access,
                                                  visit_span visit, void *ctx)
{
	uint64_t offset = range.start.raw & (MM_PAGE_SIZE - 1);
	mm_checked_gpa_t at = mm_aspace_part_at(range, 0);
	struct mm_aspace_span span;
	enum mm_error err;

	if (range.size > MM_PAGE_SIZE - offset)
		return visit_spans(as, cpu, range, access, visit, ctx);
	err = span_at(as, cpu, at, (size_t)range.size, access, &span);
	if (err == MM_OK)
		(void)visit_one(as, at, span, access, visit, ctx);
	return err;
}

static enum mm_error access_memory(struct mm_aspace *as, mm_gpa_t gpa, size_t bytes,
                                   enum mm_perm access, visit_span visit, void *ctx)
{
	struct mm_gpa_range range = mm_gpa_range(gpa, bytes);

	if (bytes == 0)
		return MM_OK;
	if (!mm_gpa_range_valid(range) || !mm_gpa_range_covers(as->limits, range))
		return MM_OUT_OF_RANGE;

	struct mm_aspace_cpu *cpu = mm_aspace_read_lock(as);
	enum mm_error err;
	bool more = true;

	/* The quota seems exhausted: the same as for a fault (fault.c). */
	while ((err = visit_range(as, cpu, range, access, visit, ctx)) == MM_QUOTA && more)
		more = mm_aspace_collect_credit(as, cpu);
	mm_aspace_read_unlock(cpu);
	return err;
}

/* --- what is done with each span --- */

struct read_job {
	char *to;
};

static bool read_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct read_job *job = ctx;

	(void)gpa;
	__builtin_memcpy(job->to, span.host, span.bytes);
	job->to += span.bytes;
	return true;
}

struct write_job {
	const char *from;
};

static bool write_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct write_job *job = ctx;

	(void)gpa;
	__builtin_memcpy(span.host, job->from, span.bytes);
	job->from += span.bytes;
	return true;
}

static bool fill_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	const uint8_t *value = ctx;

	(void)gpa;
	__builtin_memset(span.host, *value, span.bytes);
	return true;
}

struct compare_job {
	const char *with;
	int order;
};

static bool compare_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct compare_job *job = ctx;

	(void)gpa;
	job->order = __builtin_memcmp(span.host, job->with, span.bytes);
	job->with += span.bytes;
	return job->order == 0;
}

enum mm_error mm_aspace_read(struct mm_aspace *as, mm_gpa_t gpa, void *buf, size_t bytes)
{
	struct read_job job = {buf};

	return access_memory(as, gpa, bytes, MM_R, read_span, &job);
}

enum mm_error mm_aspace_fetch(struct mm_aspace *as, mm_gpa_t gpa, void *buf, size_t bytes)
{
	struct read_job job = {buf};

	return access_memory(as, gpa, bytes, MM_X, read_span, &job);
}

enum mm_error mm_aspace_write(struct mm_aspace *as, mm_gpa_t gpa, const void *buf, size_t bytes)
{
	struct write_job job = {buf};

	return access_memory(as, gpa, bytes, MM_W, write_span, &job);
}

enum mm_error mm_aspace_fill(struct mm_aspace *as, mm_gpa_t gpa, uint8_t value, size_t bytes)
{
	return access_memory(as, gpa, bytes, MM_W, fill_span, &value);
}

enum mm_error mm_aspace_compare(struct mm_aspace *as, mm_gpa_t gpa, const void *buf, size_t bytes,
                                int *order)
{
	struct compare_job job = {buf, 0};
	enum mm_error err = access_memory(as, gpa, bytes, MM_R, compare_span, &job);

	if (err == MM_OK)
		*order = job.order;
	return err;
}

enum mm_error mm_aspace_for_each_span(
	struct mm_aspace *as, struct mm_gpa_range range, enum mm_perm access,
	bool (*visit)(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span), void *ctx)
{
	if (!mm_aspace_is_access(access))
		return MM_INVALID;
	if (range.size > SIZE_MAX)
		return MM_OUT_OF_RANGE;
	return access_memory(as, range.start, (size_t)range.size, access, visit, ctx);
}

/* --- single values --- */

/*
 * Naturally aligned values are read and written in one access, since another CPU or the guest may
 * access them at the same time. All machines and guests are little-endian.
 */
struct value_job {
	uint64_t value;
	unsigned width;
	unsigned done; /* bytes copied so far, if the value crosses pages */
};

static bool aligned_value(const struct value_job *job, struct mm_aspace_span span)
{
	return span.bytes == job->width && mm_is_aligned((uintptr_t)span.host, job->width);
}

static bool load_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct value_job *job = ctx;

	(void)gpa;
	if (!aligned_value(job, span)) {
		__builtin_memcpy((char *)&job->value + job->done, span.host, span.bytes);
		job->done += (unsigned)span.bytes;
		return true;
	}
	switch (job->width) {
	case 1:
		job->value = *(const volatile uint8_t *)span.host;
		break;
	case 2:
		job->value = *(const volatile uint16_t *)span.host;
		break;
	case 4:
		job->value = *(const volatile uint32_t *)span.host;
		break;
	default:
		job->value = *(const volatile uint64_t *)span.host;
	}
	return true;
}

static bool store_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct value_job *job = ctx;

	(void)gpa;
	if (!aligned_value(job, span)) {
		__builtin_memcpy(span.host, (const char *)&job->value + job->done, span.bytes);
		job->done += (unsigned)span.bytes;
		return true;
	}
	switch (job->width) {
	case 1:
		*(volatile uint8_t *)span.host = (uint8_t)job->value;
		break;
	case 2:
		*(volatile uint16_t *)span.host = (uint16_t)job->value;
		break;
	case 4:
		*(volatile uint32_t *)span.host = (uint32_t)job->value;
		break;
	default:
		*(volatile uint64_t *)span.host = job->value;
	}
	return true;
}

static bool valid_width(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

enum mm_error mm_aspace_load(struct mm_aspace *as, mm_gpa_t gpa, unsigned width, uint64_t *value)
{
	struct value_job job = {.width = width};

	if (!valid_width(width))
		return MM_INVALID;

	enum mm_error err = access_memory(as, gpa, width, MM_R, load_span, &job);

	if (err == MM_OK)
		*value = job.value;
	return err;
}

enum mm_error mm_aspace_store(struct mm_aspace *as, mm_gpa_t gpa, unsigned width, uint64_t value)
{
	struct value_job job = {.value = value, .width = width};

	if (!valid_width(width))
		return MM_INVALID;
	return access_memory(as, gpa, width, MM_W, store_span, &job);
}

/* --- compare and exchange --- */

struct exchange_job {
	uint64_t expected;
	uint64_t desired;
	unsigned width;
	uint64_t found;
};

/* Exchanges a value of this type at `host`, which is aligned to it. */
#define EXCHANGE(type, host, job)                                                                  \
	do {                                                                                       \
		type found = (type)(job)->expected;                                                \
                                                                                                   \
		(void)atomic_compare_exchange_strong_explicit(                                     \
			(_Atomic(type) *)(host), &found, (type)(job)->desired,                     \
			memory_order_seq_cst, memory_order_seq_cst);                               \
		(job)->found = found;                                                              \
	} while (0)

/* A value that is naturally aligned lies in one page, so there is one span. */
static bool exchange_span(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	struct exchange_job *job = ctx;

	(void)gpa;
	MM_ASSERT(span.bytes == job->width);
	switch (job->width) {
	case 1:
		EXCHANGE(uint8_t, span.host, job);
		break;
	case 2:
		EXCHANGE(uint16_t, span.host, job);
		break;
	case 4:
		EXCHANGE(uint32_t, span.host, job);
		break;
	default:
		EXCHANGE(uint64_t, span.host, job);
	}
	return true;
}

/* Some formats permit writes alone. So R is checked here, and visit_range() checks W. */
static enum mm_error exchange(struct mm_aspace *as, struct mm_aspace_cpu *cpu,
                              struct mm_gpa_range range, struct exchange_job *job)
{
	const struct mm_area *area = mm_area_find(&as->areas, range.start);

	if (area && area->backend != MM_AREA_DEVICE && (area->perm & MM_R) == 0)
		return MM_DENIED;
	return visit_range(as, cpu, range, MM_W, exchange_span, job);
}

static bool fits_width(uint64_t value, unsigned width)
{
	return width == 8 || value >> (8 * width) == 0;
}

enum mm_error mm_aspace_compare_exchange(struct mm_aspace *as, mm_gpa_t gpa, unsigned width,
                                         uint64_t expected, uint64_t desired, uint64_t *found)
{
	struct exchange_job job = {.expected = expected, .desired = desired, .width = width};
	struct mm_gpa_range range = mm_gpa_range(gpa, width);
	struct mm_aspace_cpu *cpu;
	enum mm_error err;
	bool more = true;

	if (!valid_width(width) || !fits_width(expected, width) || !fits_width(desired, width))
		return MM_INVALID;
	if (!mm_gpa_is_aligned(gpa, width))
		return MM_MISALIGNED;
	if (!mm_gpa_range_covers(as->limits, range))
		return MM_OUT_OF_RANGE;
	cpu = mm_aspace_read_lock(as);
	while ((err = exchange(as, cpu, range, &job)) == MM_QUOTA && more)
		more = mm_aspace_collect_credit(as, cpu);
	mm_aspace_read_unlock(cpu);
	if (err == MM_OK)
		*found = job.found;
	return err;
}
