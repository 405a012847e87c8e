/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small program that uses the library: it handles one nested fault, writes and reads guest
 * memory, translates the address, unmaps the page, and destroys the address space. It prints one
 * line, and ends with status 0 if everything was as expected.
 *
 * It needs malloc(), free(), putchar() and the four functions of the library. So it runs with a C
 * library, and with tests/lib/bare.c on machines without one.
 */
#include <mm/aspace.h>
#include <mm/version.h>

void *malloc(size_t bytes);
void free(void *at);
int putchar(int c);
int main(void);

/* Frames come one by one, each with the address that malloc() gave before it. */
struct frame {
	unsigned char bytes[MM_PAGE_SIZE];
};

static unsigned in_use;

static void **owner_of(uintptr_t frame)
{
	return (void **)(frame + sizeof(struct frame));
}

static size_t frames_alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
{
	size_t got = 0;

	(void)ctx;
	while (order == 0 && got < n) {
		void *memory = malloc(2 * sizeof(struct frame) + sizeof(void *));
		uintptr_t frame = (uintptr_t)memory;

		if (!memory)
			break;
		frame = (frame + sizeof(struct frame) - 1) & ~(uintptr_t)(sizeof(struct frame) - 1);
		*owner_of(frame) = memory;
		out[got++] = mm_hpa_at(frame);
		in_use++;
	}
	return got;
}

static void frames_free(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
{
	(void)ctx, (void)order;
	for (size_t i = 0; i < n; i++) {
		free(*owner_of((uintptr_t)in[i].raw));
		in_use--;
	}
}

static void tlb_flush(void *ctx, const struct mm_flush *request)
{
	unsigned *flushes = (unsigned *)ctx;

	(void)request;
	(*flushes)++;
}

static void print(const char *text)
{
	while (*text)
		putchar((unsigned char)*text++);
}

static void print_number(uint64_t value)
{
	if (value >= 10)
		print_number(value / 10);
	putchar((int)('0' + value % 10));
}

static struct mm_aspace as;

static bool run(void)
{
	const struct mm_gpa_range ram = {mm_gpa_at(0x40000000), UINT64_C(1) << 30};
	const struct mm_gpa_range page = {mm_gpa_at(0x40001000), MM_PAGE_SIZE};
	const struct mm_aspace_backing lazily = {false, 0};
	struct mm_aspace_translation where;
	uint64_t value = 0;

	if (mm_aspace_map_alloc(&as, ram, MM_RW, lazily) != MM_OK ||
	    mm_aspace_fault(&as, mm_gpa_at(0x40001234), MM_W) != MM_FAULT_MAPPED ||
	    mm_aspace_store(&as, mm_gpa_at(0x40001238), 8, 42) != MM_OK ||
	    mm_aspace_translate(&as, mm_gpa_at(0x40001238), &where) != MM_OK)
		return false;
	if (*(const uint64_t *)(uintptr_t)where.hpa.raw != 42 ||
	    mm_aspace_load(&as, mm_gpa_at(0x40001238), 8, &value) != MM_OK ||
	    mm_aspace_unmap(&as, page) != MM_OK ||
	    mm_aspace_translate(&as, mm_gpa_at(0x40001238), &where) != MM_NOT_MAPPED)
		return false;
	print("value=");
	print_number(value);
	return true;
}

int main(void)
{
	unsigned flushes = 0;
	struct mm_aspace_config config = {0};
	bool done;

	config.format = &mm_npt_ept;
	config.npt.levels = 4;
	config.npt.root_bits = 9;
	config.npt.hpa_bits = 48;
	config.hal.ctx = &flushes;
	config.hal.alloc = frames_alloc;
	config.hal.free = frames_free;
	config.hal.flush = tlb_flush;
	config.limits.size = UINT64_C(1) << 39;
	config.quota = UINT64_MAX;
	if (mm_aspace_init(&as, &config) != MM_OK)
		return 1;
	done = run();
	mm_aspace_destroy(&as);
	print(" leaked=");
	print_number(in_use);
	print(mm_version() == MM_VERSION ? " version=same\n" : " version=other\n");
	return done && in_use == 0 && flushes > 0 ? 0 : 1;
}
