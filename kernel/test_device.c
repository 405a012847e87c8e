/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test device. Each byte of its registers has a different value, so that a read with a wrong
 * width, offset or extension is detected. Registers have 8 bytes; any naturally aligned part of one
 * may be accessed.
 */
#include "guests/abi.h"
#include "kernel/devices.h"
#include "mm/addr.h"
#include "mm/bits.h"
#include "mm/compiler.h"

#define LAST_WIDTH  GENMASK(7, 0)
#define LAST_OFFSET GENMASK(31, 16)

/* The low `width` bytes of a word. */
static uint64_t low_bytes(unsigned width)
{
	return ~UINT64_C(0) >> (64 - 8 * width);
}

static enum mm_error test_read(struct mm_device *dev, uint64_t offset, unsigned width,
                               uint64_t *value)
{
	const struct test_device *test = MM_CONTAINER_OF(dev, struct test_device, device);
	uint64_t whole;

	if (!mm_is_aligned(offset, width) || offset / 8 >= TEST_REGISTERS)
		return MM_UNSUPPORTED;
	/* A register is one word and is written by one store, so a read needs no lock. */
	whole = atomic_load_explicit(&test->registers[offset / 8], memory_order_relaxed);
	*value = whole >> (8 * (offset % 8)) & low_bytes(width);
	return MM_OK;
}

/* Every write is counted. A write to a read-only register changes nothing else. */
static enum mm_error test_write(struct mm_device *dev, uint64_t offset, unsigned width,
                                uint64_t value)
{
	struct test_device *test = MM_CONTAINER_OF(dev, struct test_device, device);
	_Atomic uint64_t *r = test->registers;
	unsigned shift = 8 * (unsigned)(offset % 8);
	uint64_t mask;

	if (!mm_is_aligned(offset, width))
		return MM_UNSUPPORTED;
	mask = low_bytes(width) << shift;
	spin_lock(&test->lock);
	if (mm_align_down(offset, 8) == GUEST_TEST_SCRATCH)
		r[GUEST_TEST_SCRATCH / 8] =
			(r[GUEST_TEST_SCRATCH / 8] & ~mask) | (value << shift & mask);
	r[GUEST_TEST_WRITES / 8]++;
	r[GUEST_TEST_LAST / 8] = FIELD_PREP(LAST_WIDTH, width) | FIELD_PREP(LAST_OFFSET, offset);
	spin_unlock(&test->lock);
	return MM_OK;
}

static const struct mm_device_ops test_ops = {test_read, test_write};

static void test_start(struct mm_device *dev, const char *owner)
{
	struct test_device *test = MM_CONTAINER_OF(dev, struct test_device, device);

	(void)owner;
	test->registers[GUEST_TEST_ID / 8] = UINT64_C(0x8877665544332211);
	test->registers[GUEST_TEST_NEG / 8] = UINT64_C(0xfffefdfcfbfaf9f8);
}

const struct device_class test_class = {
	.config =
		{
			.name = "test",
			.type = MM_DEVICE_TYPE_TEST,
			.range = {MM_DEVICE_MMIO, GUEST_TEST_BASE, MM_PAGE_SIZE},
		},
	.ops = &test_ops,
	.bytes = sizeof(struct test_device),
	.start = test_start,
};
