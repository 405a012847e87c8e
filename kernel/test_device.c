/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test device. Each byte of its registers has a different value, so that a read with a wrong
 * width, offset or extension is detected. Registers have 8 bytes; any naturally aligned part of one
 * may be accessed. x86-64 guests have a second test device, whose registers are MSRs.
 */
#include "guests/abi.h"
#include "kernel/devices.h"
#include "mm/addr.h"
#include "mm/bits.h"
#include "mm/compiler.h"

#define LAST_WIDTH  GENMASK(7, 0)
#define LAST_OFFSET GENMASK(31, 16)

/* mm_width_mask() of a width that the bus has checked already. */
static uint64_t low_bytes(enum mm_width width)
{
	return ~UINT64_C(0) >> (64 - 8 * (unsigned)width);
}

static enum mm_error test_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                               uint64_t *value)
{
	const struct test_device *test = MM_CONTAINER_OF(dev, struct test_device, device);
	uint64_t whole;

	if (!mm_is_aligned(offset, (uint64_t)width) || offset / 8 >= TEST_REGISTERS)
		return MM_UNSUPPORTED;
	/* A register is one word and is written by one store, so a read needs no lock. */
	whole = atomic_load_explicit(&test->registers[offset / 8], memory_order_relaxed);
	*value = whole >> (8 * (offset % 8)) & low_bytes(width);
	return MM_OK;
}

/* Every write is counted. A write to a read-only register changes nothing else. */
static enum mm_error test_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                uint64_t value)
{
	struct test_device *test = MM_CONTAINER_OF(dev, struct test_device, device);
	_Atomic uint64_t *r = test->registers;
	unsigned shift = 8 * (unsigned)(offset % 8);
	uint64_t mask;

	if (!mm_is_aligned(offset, (uint64_t)width))
		return MM_UNSUPPORTED;
	mask = low_bytes(width) << shift;
	spin_lock(&test->lock);
	if (mm_align_down(offset, 8) == GUEST_TEST_SCRATCH)
		r[GUEST_TEST_SCRATCH / 8] =
			(r[GUEST_TEST_SCRATCH / 8] & ~mask) | (value << shift & mask);
	r[GUEST_TEST_WRITES / 8]++;
	r[GUEST_TEST_LAST / 8] =
		FIELD_PREP(LAST_WIDTH, (unsigned)width) | FIELD_PREP(LAST_OFFSET, offset);
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
			.range = MM_DEVICE_AT_MMIO(GUEST_TEST_BASE, MM_PAGE_SIZE),
		},
	.ops = &test_ops,
	.bytes = sizeof(struct test_device),
	.start = test_start,
};

/* --- the same registers as MSRs --- */

static enum mm_error msr_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                              uint64_t *value)
{
	return test_read(dev, 8 * offset, width, value);
}

static enum mm_error msr_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                               uint64_t value)
{
	return test_write(dev, 8 * offset, width, value);
}

static const struct mm_device_ops msr_ops = {msr_read, msr_write};

const struct device_class test_msrs_class = {
	.config =
		{
			.name = "test-msrs",
			.type = MM_DEVICE_TYPE_TEST,
			.range = MM_DEVICE_AT_SYSREGS(GUEST_TEST_MSR, TEST_REGISTERS),
		},
	.ops = &msr_ops,
	.bytes = sizeof(struct test_device),
	.start = test_start,
};
