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

/* The low `width` bytes of a word. */
static uint64_t low_bytes(unsigned width)
{
	return ~UINT64_C(0) >> (64 - 8 * width);
}

/* What a register shows. Each is one word, written whole: no lock is needed to read it. */
static bool register_value(struct test_device *test, uint64_t offset, uint64_t *value)
{
	switch (align_down(offset, 8)) {
	case GUEST_TEST_ID:
		*value = UINT64_C(0x8877665544332211);
		return true;
	case GUEST_TEST_NEG:
		*value = UINT64_C(0xfffefdfcfbfaf9f8);
		return true;
	case GUEST_TEST_SCRATCH:
		*value = atomic_load_explicit(&test->scratch, memory_order_relaxed);
		return true;
	case GUEST_TEST_WRITES:
		*value = atomic_load_explicit(&test->writes, memory_order_relaxed);
		return true;
	case GUEST_TEST_LAST:
		*value = atomic_load_explicit(&test->last, memory_order_relaxed);
		return true;
	default:
		return false;
	}
}

static enum mm_error test_read(struct device *dev, uint64_t offset, unsigned width, uint64_t *value)
{
	struct test_device *test = container_of(dev, struct test_device, device);
	uint64_t whole;

	if (!is_aligned(offset, width) || !register_value(test, offset, &whole))
		return MM_UNSUPPORTED;
	*value = whole >> (8 * (offset % 8)) & low_bytes(width);
	return MM_OK;
}

/* Every write is counted; those to registers that cannot be written change nothing else. */
static enum mm_error test_write(struct device *dev, uint64_t offset, unsigned width, uint64_t value)
{
	struct test_device *test = container_of(dev, struct test_device, device);
	unsigned shift = 8 * (unsigned)(offset % 8);
	uint64_t mask;

	if (!is_aligned(offset, width))
		return MM_UNSUPPORTED;
	mask = low_bytes(width) << shift;
	spin_lock(&test->lock);
	if (align_down(offset, 8) == GUEST_TEST_SCRATCH)
		test->scratch = (test->scratch & ~mask) | (value << shift & mask);
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

	*test = (struct test_device){.device = {.name = NULL}};
	device_init(&test->device, &config, &test_ops);
}
