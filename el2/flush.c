/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidates translations of one address space on all CPUs. Arm ARM D8.13: TLB maintenance acts
 * on the VMID in VTTBR_EL2, so the VMID of the request is there meanwhile. The inner shareable
 * forms are broadcast to every CPU, and DSB ISH waits for their completion.
 *
 * Invalidation by IPA acts on stage 2 entries only. TLBI VMALLE1IS must follow, for entries that
 * combine both stages, after the first has completed (D8.13.5).
 */
#include "el2/el2.h"

/* For more entries, one instruction that invalidates all is faster. */
#define MOST_SINGLE 64

/* D8.13.6: the range forms, with FEAT_TLBIRANGE. */
#define RANGE_BASE  GENMASK(36, 0)
#define RANGE_NUM   GENMASK(43, 39)
#define RANGE_SCALE GENMASK(45, 44)
#define RANGE_TG_4K FIELD_PREP(GENMASK(47, 46), 1)
#define RANGE_UNIT  5U /* bits of NUM, and bits that a step of SCALE shifts */

/* A root of 52 bits is aligned to 64 bytes or more, and its bits 51:48 are in BADDR bits 5:2. */
uint64_t el2_vttbr(hpa_t root, uint32_t tag)
{
	return (root.raw & GENMASK(47, 0)) | FIELD_PREP(GENMASK(5, 2), root.raw >> 48) |
	       FIELD_PREP(VTTBR_VMID, tag);
}

/* One page: entries of all levels, or of the last level only if no table was unlinked. */
static void invalidate_page(uint64_t page, bool tables)
{
	if (tables)
		__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(page) : "memory");
	else
		__asm__ volatile("tlbi ipas2le1is, %0" : : "r"(page) : "memory");
}

/* RIPAS2E1IS and RIPAS2LE1IS, which the assembler does not know for Armv8.0. */
static void invalidate_pages(uint64_t page, uint64_t num, uint64_t scale, bool tables)
{
	uint64_t operand = FIELD_PREP(RANGE_BASE, page) | FIELD_PREP(RANGE_NUM, num) |
	                   FIELD_PREP(RANGE_SCALE, scale) | RANGE_TG_4K;

	if (tables)
		__asm__ volatile("sys #4, c8, c0, #2, %0" : : "r"(operand) : "memory");
	else
		__asm__ volatile("sys #4, c8, c0, #6, %0" : : "r"(operand) : "memory");
}

/* One instruction for each entry of 2^shift pages. */
static void invalidate_singly(uint64_t page, uint64_t pages, unsigned shift, bool tables)
{
	uint64_t end = page + pages;

	for (page &= ~(BIT(shift) - 1); page < end; page += BIT(shift))
		invalidate_page(page, tables);
}

/* Each instruction takes (NUM + 1) * 2^(5 * SCALE + 1) pages, the smallest scale first. An odd
 * page is invalidated alone. */
static void invalidate_by_ranges(uint64_t page, uint64_t pages, bool tables)
{
	if (pages % 2 != 0) {
		invalidate_page(page++, tables);
		pages--;
	}
	for (unsigned scale = 0; pages != 0; scale++) {
		unsigned shift = RANGE_UNIT * scale + 1;
		uint64_t units = (pages >> shift) % BIT(RANGE_UNIT);

		if (units == 0)
			continue;
		invalidate_pages(page, units - 1, scale, tables);
		page += units << shift;
		pages -= units << shift;
	}
}

/*
 * The range forms count in pages if VTCR_EL2.DS is 0, and in 64 KiB otherwise; VTCR_EL2 is that of
 * the vCPU that is loaded. Four scales of five bits, and one bit, make 2^21 pages.
 */
static bool ranges_work(uint64_t page, uint64_t pages)
{
	return el2_caps.range_tlbi && (read_vtcr_el2() & VTCR_DS) == 0 &&
	       pages < BIT(4 * RANGE_UNIT + 1) && FIELD_FITS(RANGE_BASE, page + pages);
}

/* False: invalidate all entries of the VMID. */
static bool invalidate_range(const struct mm_flush *request)
{
	uint64_t page = request->range.start.raw >> MM_PAGE_SHIFT;
	uint64_t pages = request->range.size >> MM_PAGE_SHIFT;
	unsigned shift = MM_LEVEL_SHIFT(request->leaf_level) - MM_PAGE_SHIFT;

	if ((pages >> shift) <= MOST_SINGLE)
		invalidate_singly(page, pages, shift, request->tables);
	else if (ranges_work(page, pages))
		invalidate_by_ranges(page, pages, request->tables);
	else
		return false;
	return true;
}

void el2_flush(void *ctx, const struct mm_flush *request)
{
	uint64_t vttbr = el2_vttbr(request->root, request->tag);
	uint64_t loaded = read_vttbr_el2();

	(void)ctx;
	dsb_ishst();
	if (loaded != vttbr) {
		write_vttbr_el2(vttbr);
		isb();
	}
	if (!request->all && invalidate_range(request)) {
		dsb_ish();
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	} else {
		__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	}
	dsb_ish();
	if (loaded != vttbr)
		write_vttbr_el2(loaded);
	isb();
}
