/*
 * Forgetting translations of one address space, everywhere. Arm ARM D8.13: TLB maintenance acts
 * on the VMID in VTTBR_EL2, so that of the request is loaded for as long as it takes; the inner
 * shareable forms reach every CPU, and DSB ISH waits for all of them.
 *
 * Invalidating by IPA drops what stage 2 cached. Entries that combine both stages are not found
 * by IPA: TLBI VMALLE1IS must follow, after the first has completed (D8.13.5).
 */
#include "el2/el2.h"

/* Beyond so many entries one instruction for everything is cheaper. */
#define MOST_SINGLE 64

/* D8.13.6: the range forms, with FEAT_TLBIRANGE. */
#define RANGE_BASE  GENMASK(36, 0)
#define RANGE_NUM   GENMASK(43, 39)
#define RANGE_SCALE GENMASK(45, 44)
#define RANGE_TG_4K FIELD_PREP(GENMASK(47, 46), 1)
#define RANGE_UNIT  5U /* bits of NUM; a step of SCALE is as many */

/* With 52-bit addresses bits 51:48 of the root, which is 64-byte aligned at least, stand in 5:2. */
uint64_t el2_vttbr(hpa_t root, uint32_t tag)
{
	return (root.raw & GENMASK(47, 0)) | FIELD_PREP(GENMASK(5, 2), root.raw >> 48) |
	       FIELD_PREP(VTTBR_VMID, tag);
}

/* One entry, at any level; or, if no table was unlinked, of last-level entries alone. */
static void drop_page(uint64_t page, bool tables)
{
	if (tables)
		__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(page) : "memory");
	else
		__asm__ volatile("tlbi ipas2le1is, %0" : : "r"(page) : "memory");
}

/* RIPAS2E1IS and RIPAS2LE1IS, which the assembler's base architecture does not name. */
static void drop_pages(uint64_t page, uint64_t num, uint64_t scale, bool tables)
{
	uint64_t operand = FIELD_PREP(RANGE_BASE, page) | FIELD_PREP(RANGE_NUM, num) |
	                   FIELD_PREP(RANGE_SCALE, scale) | RANGE_TG_4K;

	if (tables)
		__asm__ volatile("sys #4, c8, c0, #2, %0" : : "r"(operand) : "memory");
	else
		__asm__ volatile("sys #4, c8, c0, #6, %0" : : "r"(operand) : "memory");
}

/* Entries of 2^shift pages each, one by one. */
static void drop_singly(uint64_t page, uint64_t pages, unsigned shift, bool tables)
{
	uint64_t end = page + pages;

	for (page &= ~(BIT(shift) - 1); page < end; page += BIT(shift))
		drop_page(page, tables);
}

/* (NUM + 1) * 2^(5 * SCALE + 1) pages at a time, smallest scale first; an odd one by itself. */
static void drop_by_ranges(uint64_t page, uint64_t pages, bool tables)
{
	if (pages % 2 != 0) {
		drop_page(page++, tables);
		pages--;
	}
	for (unsigned scale = 0; pages != 0; scale++) {
		unsigned shift = RANGE_UNIT * scale + 1;
		uint64_t units = (pages >> shift) % BIT(RANGE_UNIT);

		if (units == 0)
			continue;
		drop_pages(page, units - 1, scale, tables);
		page += units << shift;
		pages -= units << shift;
	}
}

/*
 * The range forms count in pages while VTCR_EL2.DS is 0, and in 64 KiB otherwise: that of whoever
 * is loaded. Four scales of five bits and one make 2^21 pages.
 */
static bool ranges_work(uint64_t page, uint64_t pages)
{
	return el2_machine.range_tlbi && (read_vtcr_el2() & VTCR_DS) == 0 &&
	       pages < BIT(4 * RANGE_UNIT + 1) && FIELD_FITS(RANGE_BASE, page + pages);
}

/* False if everything has to go. */
static bool drop_range(const struct mm_flush *request)
{
	uint64_t page = request->range.start.raw >> MM_PAGE_SHIFT;
	uint64_t pages = request->range.size >> MM_PAGE_SHIFT;
	unsigned shift = MM_LEVEL_SHIFT(request->leaf_level) - MM_PAGE_SHIFT;

	if ((pages >> shift) <= MOST_SINGLE)
		drop_singly(page, pages, shift, request->tables);
	else if (ranges_work(page, pages))
		drop_by_ranges(page, pages, request->tables);
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
	if (!request->all && drop_range(request)) {
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
