/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call of aspace.h with addresses and numbers at the limits of what they may be, and beyond:
 * powers of two and their neighbours, the end of the guest's space, all ones at each level of a
 * table. What is refused leaves everything as it was. Addresses that the universe has are left
 * alone: other operations are for them.
 */
#include "model_internal.h"

#include "mm/compiler.h"

static uint64_t pick_number(struct rng *rng, uint64_t end)
{
	uint64_t bits = rng_next(rng);
	uint64_t power = UINT64_C(1) << (bits >> 8) % 64;
	static const unsigned shifts[] = {12, 21, 30, 39, 48};
	uint64_t ones = UINT64_C(0xffffffff) << shifts[(bits >> 16) % MM_ARRAY_SIZE(shifts)];

	switch (bits % 12) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - (bits >> 32) % 2 * 4095;
	case 2:
		return end;
	case 3:
		return end + 1;
	case 4:
		return end + (bits >> 32) % 4096 * MM_PAGE_SIZE;
	case 5:
		return ones;
	case 6:
		return ones + (bits >> 32) % 0x200000;
	case 7:
		return power - 1;
	case 8:
		return power + 1;
	case 9: /* a page's own number, with a bit too many */
		return power | ((bits >> 32) % 1024 * MM_PAGE_SIZE);
	default:
		return power;
	}
}

static bool valid(uint64_t start, uint64_t size)
{
	return size != 0 && size - 1 <= UINT64_MAX - start;
}

/* Does it meet a page of the universe? */
static bool is_ours(const struct model *m, uint64_t start, uint64_t size)
{
	for (unsigned i = 0; i < m->pages && valid(start, size); i++) {
		uint64_t first = m->number[i] * MM_PAGE_SIZE;
		uint64_t last = first + m->weight[i] * MM_PAGE_SIZE - 1;

		if (first <= start + (size - 1) && start <= last)
			return true;
	}
	return false;
}

/* --- accesses --- */

static bool nobody_comes(void *ctx, mm_gpa_t gpa, struct mm_aspace_span span)
{
	(void)ctx, (void)span;
	check_failed(__FILE__, __LINE__, "visit at 0x%llx", (unsigned long long)gpa.raw);
}

static void check_fault(struct model *m, mm_gpa_t gpa, uint64_t end)
{
	enum mm_fault want = gpa.raw >= end ? MM_FAULT_OUT_OF_RANGE : MM_FAULT_NOT_MAPPED;
	struct mm_aspace_translation t;

	for (unsigned access = MM_R; access <= MM_X; access *= 2)
		CHECK_EQ(mm_aspace_fault(&m->guest->as, gpa, (enum mm_perm)access), want);
	CHECK_ERR(mm_aspace_translate(&m->guest->as, gpa, &t),
	          gpa.raw >= end ? MM_OUT_OF_RANGE : MM_NOT_MAPPED);
}

/* Of up to 8 bytes, and of as many as wrap. */
static void check_accesses(struct model *m, mm_gpa_t gpa, uint64_t bytes, uint64_t end)
{
	struct mm_aspace *as = &m->guest->as;
	bool inside = valid(gpa.raw, bytes) && gpa.raw + (bytes - 1) < end;
	enum mm_error want = inside ? MM_NOT_MAPPED : MM_OUT_OF_RANGE;
	bool small = bytes <= 8;
	uint8_t buf[8] = {0};
	uint64_t value = 0;
	int order = 0;

	if (bytes == 0 || is_ours(m, gpa.raw, bytes))
		return;
	for (unsigned access = MM_R; access <= MM_X; access *= 2)
		CHECK_ERR(mm_aspace_for_each_span(as, mm_gpa_range(gpa, bytes),
		                                  (enum mm_perm)access, nobody_comes, NULL),
		          want);
	CHECK_ERR(mm_aspace_fill(as, gpa, 1, bytes), want);
	/* What reads or writes a buffer would do so were it not refused. */
	if (!small && valid(gpa.raw, bytes) && inside)
		return;
	CHECK_ERR(mm_aspace_read(as, gpa, buf, bytes), want);
	CHECK_ERR(mm_aspace_write(as, gpa, buf, bytes), want);
	CHECK_ERR(mm_aspace_fetch(as, gpa, buf, bytes), want);
	CHECK_ERR(mm_aspace_compare(as, gpa, buf, bytes, &order), want);
	if (small && (bytes & (bytes - 1)) != 0)
		want = MM_INVALID;
	if (small) {
		CHECK_ERR(mm_aspace_load(as, gpa, (unsigned)bytes, &value), want);
		CHECK_ERR(mm_aspace_store(as, gpa, (unsigned)bytes, 1), want);
	}
}

/* --- ranges --- */

static bool no_leaf(void *ctx, const struct mm_npt_leaf *leaf)
{
	(void)ctx;
	check_failed(__FILE__, __LINE__, "leaf at 0x%llx", (unsigned long long)leaf->gpa.raw);
}

static void check_ranges(struct model *m, uint64_t start, uint64_t size, uint64_t end)
{
	struct mm_aspace *as = &m->guest->as;
	struct mm_gpa_range range = {mm_gpa_at(start), size};
	const struct mm_aspace_backing backing = {0};
	uint64_t bitmap[1];
	enum mm_error want = MM_OUT_OF_RANGE;

	if (!valid(start, size))
		want = MM_INVALID;
	else if (start % MM_PAGE_SIZE || size % MM_PAGE_SIZE)
		want = MM_MISALIGNED;
	else if (start + (size - 1) < end)
		return; /* there is nothing wrong with it */
	CHECK_ERR(mm_aspace_map_alloc(as, range, MM_RW, backing), want);
	CHECK_ERR(mm_aspace_map_linear(as, range, mm_hpa_at(0), MM_RW, MM_NORMAL, 2), want);
	CHECK_ERR(mm_aspace_map_device(as, range), want);
	CHECK_ERR(mm_aspace_replace_alloc(as, range, MM_RW, backing), want);
	CHECK_ERR(mm_aspace_replace_linear(as, range, mm_hpa_at(0), MM_RW, MM_NORMAL, 2), want);
	CHECK_ERR(mm_aspace_replace_device(as, range), want);
	CHECK_ERR(mm_aspace_unmap(as, range), want);
	CHECK_ERR(mm_aspace_protect(as, range, MM_R), want);
	CHECK_ERR(mm_aspace_remap(as, range, mm_hpa_at(0)), want);
	CHECK_ERR(mm_aspace_for_each_leaf(as, range, no_leaf, NULL), want);
	CHECK_ERR(mm_aspace_harvest(as, range, no_leaf, NULL), want);
	CHECK_ERR(mm_aspace_dirty_collect(as, range, bitmap), want);
}

static void check_host_memory(struct model *m, uint64_t host)
{
	struct mm_aspace *as = &m->guest->as;
	struct mm_gpa_range range = model_range(m, 0, 1);
	uint64_t end = UINT64_C(1) << m->guest->geo->config.hpa_bits;
	enum mm_error want = host % MM_PAGE_SIZE ? MM_MISALIGNED : MM_OUT_OF_RANGE;

	if (host % MM_PAGE_SIZE == 0 && host < end && range.size <= end - host)
		return;
	CHECK_ERR(mm_aspace_map_linear(as, range, mm_hpa_at(host), MM_RW, MM_NORMAL, 2), want);
	CHECK_ERR(mm_aspace_replace_linear(as, range, mm_hpa_at(host), MM_RW, MM_NORMAL, 2), want);
	CHECK_ERR(mm_aspace_remap(as, range, mm_hpa_at(host)), want);
}

static void check_sets(struct model *m, uint64_t number)
{
	struct mm_aspace *as = &m->guest->as;
	struct mm_gpa_range range = model_range(m, 0, 1);
	enum mm_perm perm = (enum mm_perm)(unsigned)number;

	if ((unsigned)perm < MM_PERM_SETS)
		return;
	CHECK_ERR(mm_aspace_map_alloc(as, range, perm, (struct mm_aspace_backing){0}), MM_INVALID);
	CHECK_ERR(mm_aspace_map_linear(as, range, mm_hpa_at(0), perm, MM_NORMAL, 0), MM_INVALID);
	CHECK_ERR(mm_aspace_replace_alloc(as, range, perm, (struct mm_aspace_backing){0}),
	          MM_INVALID);
	CHECK_ERR(mm_aspace_protect(as, range, perm), MM_INVALID);
}

static void check_find_free(struct model *m, mm_gpa_t hint, uint64_t size, uint64_t end)
{
	mm_gpa_t out = mm_gpa_at(0);
	uint64_t align = size & -size;
	enum mm_error err = mm_aspace_find_free(&m->guest->as, hint, size, align, &out);

	if (size == 0 || size % MM_PAGE_SIZE) {
		CHECK_ERR(err, MM_INVALID);
	} else if (err == MM_OK) {
		CHECK(out.raw >= hint.raw && out.raw < end && size <= end - out.raw);
		CHECK(out.raw % align == 0);
		for (unsigned i = 0; i < m->pages; i++)
			CHECK(m->page[i].backend == 0 ||
			      !mm_gpa_range_contains(mm_gpa_range(out, size), model_gpa(m, i)));
	} else {
		CHECK_ERR(err, MM_NO_MEMORY);
	}
}

void apply_limits(struct model *m, const struct model_op *op)
{
	struct rng rng = rng_seeded(1 + op->value + ((uint64_t)op->page << 8) +
	                            ((uint64_t)op->host << 24) + ((uint64_t)op->n << 40));
	uint64_t end = UINT64_C(1) << mm_npt_gpa_bits(&m->guest->geo->config);
	uint64_t before = guest_fingerprint(m->guest);

	for (unsigned i = 0; i < 4; i++) {
		uint64_t start = pick_number(&rng, end);
		uint64_t size = pick_number(&rng, end);

		if (!is_ours(m, start, 1))
			check_fault(m, mm_gpa_at(start), end);
		check_accesses(m, mm_gpa_at(start), 1 + size % 8, end);
		check_accesses(m, mm_gpa_at(start), size, end);
		check_ranges(m, start, size, end);
		check_ranges(m, mm_align_down(start, MM_PAGE_SIZE),
		             mm_align_down(size, MM_PAGE_SIZE), end);
		check_host_memory(m, start);
		check_sets(m, size);
		check_find_free(m, mm_gpa_at(start), size, end);
	}
	CHECK_EQ(guest_fingerprint(m->guest), before);
}
