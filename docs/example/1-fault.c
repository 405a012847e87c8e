/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 1: an address space and a fault. The program makes an address space on a pool of frames and
 * maps 1 GiB lazily, which takes no frame. It handles one nested fault. Then it unmaps a part of a
 * large page, so that the page's block is freed in pieces.
 *
 *	make lib
 *	export PKG_CONFIG_PATH=$PWD/build/lib/host/lib/pkgconfig
 *	cc docs/example/1-fault.c $(pkg-config --cflags --libs faultline-mm) -o fault && ./fault
 */
#include "pool.h"

/* 1 GiB of memory at guest-physical 0x40000000, and a guest that writes to 0x40001234. */
static bool lazy(struct mm_aspace *as)
{
	const struct mm_gpa_range ram = {mm_gpa_at(0x40000000), UINT64_C(1) << 30};
	struct mm_aspace_translation where;
	uint64_t value = 0;

	if (mm_aspace_map_alloc(as, ram, MM_RW, (struct mm_aspace_backing){.populate = false}) !=
	    MM_OK)
		return false;

	/* The hardware finds no entry and exits: */
	enum mm_fault fault = mm_aspace_fault(as, mm_gpa_at(0x40001234), MM_W);

	if (mm_aspace_store(as, mm_gpa_at(0x40001238), 8, 42) != MM_OK ||
	    mm_aspace_load(as, mm_gpa_at(0x40001238), 8, &value) != MM_OK ||
	    mm_aspace_translate(as, mm_gpa_at(0x40001234), &where) != MM_OK)
		return false;
	printf("fault=%s page=%" PRIu64 " value=%" PRIu64 " ", mm_fault_name(fault),
	       where.page_size, value);
	return true;
}

/* One 2 MiB page, populated at once. Its block is freed in two parts: one page now, and the other
 * 511 pages when the address space ends. */
static bool large(struct mm_aspace *as)
{
	const struct mm_gpa_range block = {mm_gpa_at(0), UINT64_C(2) << 20};
	const struct mm_gpa_range page = {mm_gpa_at(0x5000), MM_PAGE_SIZE};
	const struct mm_aspace_backing now = {.populate = true, .max_leaf = 1};

	return mm_aspace_map_alloc(as, block, MM_RWX, now) == MM_OK &&
	       mm_aspace_unmap(as, page) == MM_OK;
}

int main(void)
{
	static struct mm_aspace as;
	static struct pool pool;
	bool done;

	if (!pool_open(&pool, &as, UINT64_C(1) << 39))
		return 1;
	done = lazy(&as) && large(&as);
	return pool_close(&pool, &as) && done ? 0 : 1;
}
