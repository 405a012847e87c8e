/*
 * The test device: registers whose every byte tells its place, so that a wrong width, offset or
 * extension shows. Registers are 8 bytes; any naturally aligned part of one may be accessed.
 */
#include "guest_abi.h"
#include "kernel/devices.h"
#include "mm/addr.h"
#include "mm/bits.h"
#include "mm/compiler.h"

#define LAST_WIDTH  GENMASK(7, 0)
#define LAST_OFFSET GENMASK(31, 16)

/* The bits of a register that an access of this width at this offset touches. */
static uint64_t part_mask(uint64_t offset, unsigned width)
{
	return (~UINT64_C(0) >> (64 - 8 * width)) << (offset % 8 * 8);
}

static uint64_t part_of(uint64_t whole, uint64_t offset, uint64_t width)
{
	uint64_t above = 64 - 8 * width;

	return whole >> (offset % 8 * 8) << above >> above;
}

static noinline enum mm_error read_locked(struct test_device *test, const uint64_t *reg,
                                          uint64_t offset, unsigned width, uint64_t *value)
{
	uint64_t whole;

	spin_lock(&test->lock);
	whole = *reg;
	spin_unlock(&test->lock);
	*value = part_of(whole, offset, width);
	return MM_OK;
}

static enum mm_error test_read(struct device *dev, uint64_t offset, unsigned width, uint64_t *value)
{
	struct test_device *test = container_of(dev, struct test_device, device);

	if (!is_aligned(offset, width))
		return MM_UNSUPPORTED;
	switch (align_down(offset, 8)) {
	case GUEST_TEST_ID:
		*value = part_of(UINT64_C(0x8877665544332211), offset, width);
		return MM_OK;
	case GUEST_TEST_NEG:
		*value = part_of(UINT64_C(0xfffefdfcfbfaf9f8), offset, width);
		return MM_OK;
	case GUEST_TEST_SCRATCH:
		return read_locked(test, &test->scratch, offset, width, value);
	case GUEST_TEST_WRITES:
		return read_locked(test, &test->writes, offset, width, value);
	case GUEST_TEST_LAST:
		return read_locked(test, &test->last, offset, width, value);
	default:
		return MM_UNSUPPORTED;
	}
}

/* Every write is counted; those to registers that cannot be written change nothing else. */
static enum mm_error test_write(struct device *dev, uint64_t offset, unsigned width, uint64_t value)
{
	struct test_device *test = container_of(dev, struct test_device, device);
	uint64_t mask;

	if (!is_aligned(offset, width))
		return MM_UNSUPPORTED;
	mask = part_mask(offset, width);
	spin_lock(&test->lock);
	if (align_down(offset, 8) == GUEST_TEST_SCRATCH)
		test->scratch = (test->scratch & ~mask) | FIELD_PREP(mask, value);
	test->writes++;
	test->last = FIELD_PREP(LAST_WIDTH, width) | FIELD_PREP(LAST_OFFSET, offset);
	spin_unlock(&test->lock);
	return MM_OK;
}

static const struct device_ops test_ops = {test_read, test_write};

void test_device_init(struct test_device *test)
{
	static const struct device_config config = {
		.name = "test",
		.type = DEVICE_TYPE_TEST,
		.range = {DEVICE_MMIO, GUEST_TEST_BASE, PAGE_SIZE},
	};

	*test = (struct test_device){.scratch = 0};
	device_init(&test->device, &config, &test_ops);
}
