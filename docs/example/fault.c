/*
 * The library in one screen: an address space on a HAL of malloc'd frames, 1 GiB mapped lazily
 * for the price of an entry in a list, and one nested fault handled.
 *
 *	make lib
 *	export PKG_CONFIG_PATH=$PWD/build/lib/host/lib/pkgconfig
 *	cc docs/example/fault.c $(pkg-config --cflags --libs faultline-mm) -o fault && ./fault
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <mm/aspace.h>

/* Frames: here, aligned memory of this process, so hpa = hva and direct_offset stays 0. */
static size_t frames_alloc(void *ctx, unsigned order, size_t n, hpa_t out[])
{
	size_t bytes = (size_t)MM_PAGE_SIZE << order, got = 0;
	void *block;

	(void)ctx;
	while (got < n && (block = aligned_alloc(bytes, bytes)) != NULL)
		out[got++] = hpa_at((uintptr_t)block);
	return got;
}

static void frames_free(void *ctx, unsigned order, size_t n, const hpa_t in[])
{
	(void)ctx, (void)order;
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)in[i].raw);
}

static void tlb_flush(void *ctx, const struct mm_flush *request)
{
	(void)ctx, (void)request; /* no hardware walks these tables */
}

int main(void)
{
	static struct aspace as;
	const struct aspace_config config = {
		.format = &npt_ept,
		.npt = {.levels = 4, .root_bits = 9, .hpa_bits = 48, .max_leaf = 2},
		.hal = {.alloc = frames_alloc, .free = frames_free, .flush = tlb_flush},
		.limits = {{0}, UINT64_C(1) << 39},
		.quota = UINT64_MAX,
	};
	const struct gpa_range ram = {gpa_at(0x40000000), UINT64_C(1) << 30};
	struct aspace_translation where;
	struct aspace_stats stats;
	uint64_t value = 0;

	if (aspace_init(&as, &config) != MM_OK ||
	    aspace_map_alloc(&as, ram, MM_RW, (struct aspace_backing){.populate = false}) != MM_OK)
		return 1;

	/* A guest writes to 0x40001234, and the hardware exits: */
	enum mm_fault fault = aspace_fault(&as, gpa_at(0x40001234), MM_W);

	if (aspace_store(&as, gpa_at(0x40001238), 8, 42) != MM_OK ||
	    aspace_load(&as, gpa_at(0x40001238), 8, &value) != MM_OK ||
	    aspace_translate(&as, gpa_at(0x40001234), &where) != MM_OK)
		return 1;
	aspace_get_stats(&as, &stats);
	printf("fault=%s page=%" PRIu64 " value=%" PRIu64 " frames=%" PRIu64 " tables=%" PRIu64
	       "\n",
	       mm_fault_name(fault), where.page_size, value, stats.frames, stats.tables);
	aspace_destroy(&as);
	return 0;
}
