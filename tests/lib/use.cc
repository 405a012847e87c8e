/*
 * The library from C++: an address space on a pool of frames, mapped, faulted, written, read,
 * protected, put back to a snapshot, and destroyed; a device on a bus. Needs no C++ library.
 * Status 0 if all is well, else the number of the check that failed, which it prints.
 */
#include "mm/aspace.h"
#include "mm/block.h"
#include "mm/device.h"
#include "mm/dirty.h"
#include "mm/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace
{

constexpr unsigned POOL_FRAMES = 512;

/* Frames one by one: larger blocks are answered with none, and the library takes smaller ones. */
class Pool
{
      public:
	Pool() : memory(static_cast<unsigned char *>(aligned_alloc(MM_PAGE_SIZE, BYTES))), used(0)
	{
		memset(taken, 0, sizeof(taken));
		memset(memory, 0xa5, BYTES);
	}

	~Pool()
	{
		free(memory);
	}

	Pool(const Pool &) = delete;
	Pool &operator=(const Pool &) = delete;

	unsigned in_use() const
	{
		return used;
	}

	struct mm_hal hal()
	{
		struct mm_hal hooks = {};

		hooks.ctx = this;
		hooks.alloc = alloc;
		hooks.free = release;
		hooks.flush = flush;
		return hooks;
	}

      private:
	static constexpr size_t BYTES = POOL_FRAMES * MM_PAGE_SIZE;

	static size_t alloc(void *ctx, unsigned order, size_t n, mm_hpa_t out[])
	{
		Pool *pool = static_cast<Pool *>(ctx);
		size_t got = 0;

		for (unsigned i = 0; order == 0 && got < n && i < POOL_FRAMES; i++) {
			if (pool->taken[i])
				continue;
			pool->taken[i] = true;
			pool->used++;
			out[got++] = mm_hpa_at(reinterpret_cast<uintptr_t>(pool->memory) +
			                    i * MM_PAGE_SIZE);
		}
		return got;
	}

	static void release(void *ctx, unsigned order, size_t n, const mm_hpa_t in[])
	{
		Pool *pool = static_cast<Pool *>(ctx);

		for (size_t i = 0; i < n; i++) {
			uint64_t base = reinterpret_cast<uintptr_t>(pool->memory);
			uint64_t frame = mm_hpa_diff(in[i], mm_hpa_at(base)) / MM_PAGE_SIZE;

			for (uint64_t j = 0; j < UINT64_C(1) << order; j++) {
				pool->taken[frame + j] = false;
				pool->used--;
			}
		}
	}

	static void flush(void *, const struct mm_flush *)
	{
	}

	unsigned char *memory;
	unsigned used;
	bool taken[POOL_FRAMES];
};

/* A device that keeps one value. */
struct Latch {
	struct mm_device device;
	uint64_t value;
};

enum mm_error latch_read(struct mm_device *dev, uint64_t, enum mm_width, uint64_t *value)
{
	*value = MM_CONTAINER_OF(dev, Latch, device)->value;
	return MM_OK;
}

enum mm_error latch_write(struct mm_device *dev, uint64_t, enum mm_width, uint64_t value)
{
	MM_CONTAINER_OF(dev, Latch, device)->value = value;
	return MM_OK;
}

int failed(int line)
{
	printf("use.cc:%d: failed\n", line);
	return 1;
}

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return failed(__LINE__);                                                   \
	} while (0)

struct mm_aspace as; /* large: not for a stack */

int memory(Pool &pool)
{
	const struct mm_gpa_range ram = mm_gpa_range(mm_gpa_at(0x40000000), UINT64_C(1) << 30);
	const struct mm_gpa_range page = mm_gpa_range(mm_gpa_at(0x40001000), MM_PAGE_SIZE);
	struct mm_aspace_config config = {};
	struct mm_aspace_translation where;
	struct mm_aspace_backing backing = {};
	struct mm_snapshot snapshot;
	uint64_t value = 0, dirty[1] = {};

	config.format = &mm_npt_gstage;
	config.npt.levels = 3;
	config.npt.root_bits = 9;
	config.npt.hpa_bits = 56;
	config.hal = pool.hal();
	config.limits = mm_gpa_range(mm_gpa_at(0), UINT64_C(1) << 39);
	config.quota = UINT64_MAX;
	/* Sv39x4's root is 16 KiB and this pool has single frames: refused, and nothing is held. */
	config.npt.root_bits = 11;
	EXPECT(mm_aspace_init(&as, &config) == MM_NO_MEMORY && pool.in_use() == 0);

	config.format = &mm_npt_ept;
	config.npt.levels = 4;
	config.npt.root_bits = 9;
	config.npt.hpa_bits = 48;
	EXPECT(mm_aspace_init(&as, &config) == MM_OK);
	EXPECT(mm_aspace_map_alloc(&as, ram, MM_RW, backing) == MM_OK);
	EXPECT(mm_aspace_fault(&as, mm_gpa_at(0x40001234), MM_W) == MM_FAULT_MAPPED);
	EXPECT(mm_aspace_fault(&as, mm_gpa_at(0x40001234), MM_R) == MM_FAULT_SPURIOUS);
	EXPECT(mm_aspace_fault(&as, mm_gpa_at(0x40001234), MM_X) == MM_FAULT_PERMISSION);
	EXPECT(mm_aspace_store(&as, mm_gpa_at(0x40001238), 8, 42) == MM_OK);
	EXPECT(mm_aspace_load(&as, mm_gpa_at(0x40001238), 8, &value) == MM_OK && value == 42);
	EXPECT(mm_aspace_translate(&as, mm_gpa_at(0x40001238), &where) == MM_OK);
	EXPECT(where.perm == MM_RW && where.memtype == MM_NORMAL);
	EXPECT(*reinterpret_cast<uint64_t *>(static_cast<uintptr_t>(where.hpa.raw)) == 42);

	EXPECT(mm_aspace_snapshot_take(&as, &snapshot) == MM_OK);
	EXPECT(mm_aspace_store(&as, mm_gpa_at(0x40001238), 8, 43) == MM_OK);
	EXPECT(mm_aspace_snapshot_restore(&as, &snapshot) == MM_OK);
	EXPECT(mm_aspace_load(&as, mm_gpa_at(0x40001238), 8, &value) == MM_OK && value == 42);
	mm_aspace_snapshot_drop(&as, &snapshot);

	EXPECT(mm_aspace_dirty_start(&as, MM_DIRTY_WRITE_PROTECT, false) == MM_OK);
	EXPECT(mm_aspace_store(&as, mm_gpa_at(0x40001238), 8, 44) == MM_OK);
	EXPECT(mm_aspace_dirty_collect(&as, page, dirty) == MM_OK && dirty[0] == 1);
	mm_aspace_dirty_stop(&as);

	EXPECT(mm_aspace_protect(&as, page, MM_R) == MM_OK);
	EXPECT(mm_aspace_store(&as, mm_gpa_at(0x40001238), 8, 45) == MM_DENIED);
	EXPECT(mm_aspace_unmap(&as, page) == MM_OK);
	EXPECT(mm_aspace_load(&as, mm_gpa_at(0x40001238), 8, &value) == MM_NOT_MAPPED);
	EXPECT(mm_aspace_root(&as).raw != 0 && mm_aspace_tag(&as) == 0);
	mm_aspace_destroy(&as);
	EXPECT(pool.in_use() == 0);
	return 0;
}

int rest(Pool &pool)
{
	const struct mm_device_ops ops = {latch_read, latch_write};
	struct mm_device_config config = {};
	struct mm_device *slots[2];
	struct mm_device_bus bus;
	struct mm_hal hal = pool.hal();
	struct mm_block block = {};
	Latch latch = {};
	uint64_t value = 0;
	char text[64];

	config.name = "latch";
	config.type = MM_DEVICE_TYPE_TEST;
	config.range = mm_device_range_mmio(mm_gpa_range(mm_gpa_at(0x1000), 8));
	mm_device_init(&latch.device, &config, &ops);
	mm_device_bus_init(&bus, slots, 2);
	EXPECT(mm_device_bus_add(&bus, &latch.device) == MM_OK);
	EXPECT(mm_device_bus_write_mmio(&bus, mm_gpa_at(0x1000), MM_WIDTH_8, 7) == MM_OK);
	EXPECT(mm_device_bus_read_mmio(&bus, mm_gpa_at(0x1000), MM_WIDTH_8, &value) == MM_OK &&
	       value == 7);
	EXPECT(mm_device_bus_find_port(&bus, mm_port_at(0x3f8)) == nullptr);

	EXPECT(mm_block_alloc_zeroed(&hal, 0, &block) == MM_OK);
	EXPECT(*static_cast<unsigned char *>(mm_block_ptr(&hal, &block)) == 0);
	mm_block_free(&hal, &block);
	EXPECT(pool.in_use() == 0);

	EXPECT(mm_gpa_format(text, sizeof(text), mm_gpa_at(0x1000)) == 10);
	EXPECT(strcmp(text, "GPA:0x1000") == 0);
	EXPECT(strcmp(mm_error_name(MM_BUSY), "busy") == 0);
	return 0;
}

} // namespace

int main()
{
	Pool pool;

	return memory(pool) + rest(pool);
}
