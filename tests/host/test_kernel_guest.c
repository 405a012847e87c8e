/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands between a guest and the hypervisor's core: image checks and emulated devices. */
#include "check.h"

#include <string.h>

#include "kernel/devices.h"
#include "kernel/loader.h"
#include "kernel_stubs.h"
#include "mm/compiler.h"

/* --- images --- */

static const struct guest_header good = {
	.magic = GUEST_MAGIC,
	.arch = GUEST_RISCV64,
	.abi = GUEST_ABI,
	.image_bytes = 0x1000,
	.memory_bytes = 0x3000,
	.entry = sizeof(struct guest_header),
};

static const char *check_image(const struct guest_header *header, size_t bytes, uint64_t ram)
{
	uint8_t file[0x1000] = {0};
	struct guest_image image = {"test", file, bytes};
	struct guest_header out;
	const char *wrong;

	memcpy(file, header, sizeof(*header));
	wrong = guest_image_check(&image, GUEST_RISCV64, ram, &out);
	return wrong != NULL ? wrong : "good";
}

static void images_that_fit(void **state)
{
	(void)state;
	CHECK_TEXT(check_image(&good, 0x1000, 0), "good");
	CHECK_TEXT(check_image(&good, 0x1000, 0x3000), "good");
}

static void images_that_do_not(void **state)
{
	struct guest_header h;

	(void)state;
	CHECK_TEXT(check_image(&good, 0, 0), "image truncated: shorter than its header");
	CHECK_TEXT(check_image(&good, sizeof(h) - 1, 0),
	           "image truncated: shorter than its header");
	CHECK_TEXT(check_image(&good, 0xfff, 0), "image truncated: shorter than its header says");
	CHECK_TEXT(check_image(&good, 0x1000, 0x2fff), "image larger than the guest's memory");

#define WITH(member, value) (h = good, h.member = (value), check_image(&h, 0x1000, 0))
	CHECK_TEXT(WITH(magic, 0), "no guest image: wrong magic");
	CHECK_TEXT(WITH(abi, GUEST_ABI + 1), "image built for another guest ABI");
	CHECK_TEXT(WITH(arch, GUEST_X86_64), "image built for another architecture");
	CHECK_TEXT(WITH(image_bytes, UINT64_MAX), "image truncated: shorter than its header says");
	CHECK_TEXT(WITH(image_bytes, 8), "image sizes make no sense");
	CHECK_TEXT(WITH(memory_bytes, 0xfff), "image sizes make no sense");
	CHECK_TEXT(WITH(memory_bytes, UINT64_MAX), "image larger than guest memory can be");
	CHECK_TEXT(WITH(memory_bytes, GUEST_ARENA_BASE - GUEST_RAM_BASE), "good");
	CHECK_TEXT(WITH(memory_bytes, GUEST_ARENA_BASE - GUEST_RAM_BASE + 1),
	           "image larger than guest memory can be");
	CHECK_TEXT(WITH(entry, 0), "entry outside the image");
	CHECK_TEXT(WITH(entry, 0x1000), "entry outside the image");
	CHECK_TEXT(WITH(entry, UINT64_MAX), "entry outside the image");
}

static void architectures_have_names(void **state)
{
	(void)state;
	CHECK_EQ(guest_arch_of("riscv64"), GUEST_RISCV64);
	CHECK_EQ(guest_arch_of("aarch64"), GUEST_AARCH64);
	CHECK_EQ(guest_arch_of("x86_64"), GUEST_X86_64);
	CHECK_EQ(guest_arch_of("vax"), 0);
}

/* --- devices --- */

static uint64_t read_device(struct mm_device *dev, uint64_t offset, enum mm_width width)
{
	uint64_t value = 0xdead;

	CHECK_OK(dev->ops->read(dev, offset, width, &value));
	return value;
}

static void write_uart(struct uart *uart, const char *text)
{
	for (; *text != '\0'; text++)
		CHECK_OK(
			uart->device.ops->write(&uart->device, GUEST_UART_DATA, 1, (uint8_t)*text));
}

static void uart_collects_lines(void **state)
{
	struct uart uart = {0};

	(void)state;
	device_class_init(&uart_class, &uart.device, "me");
	CHECK_EQ(read_device(&uart.device, GUEST_UART_LSR, 1), 0x60);
	stubs_clear();
	write_uart(&uart, "half");
	CHECK_EQ(stubs_lines, 0);
	write_uart(&uart, " a line\nthe rest");
	CHECK_TEXT(stubs_log, "guest vm=me: half a line");
	uart_class.stop(&uart.device);
	CHECK_TEXT(stubs_log, "guest vm=me: the rest");
	CHECK_EQ(stubs_lines, 2);
	uart_class.stop(&uart.device);
	CHECK_EQ(stubs_lines, 2);
	CHECK_EQ(uart.bytes, 20);
}

static void uart_breaks_long_lines(void **state)
{
	struct uart uart = {0};

	(void)state;
	device_class_init(&uart_class, &uart.device, "me");
	stubs_clear();
	for (unsigned i = 0; i < 10 * UART_LINE; i++)
		write_uart(&uart, "x");
	CHECK_EQ(stubs_lines, 9); /* the tenth is full, and waits for what comes */
	CHECK_EQ(strlen(stubs_log), strlen("guest vm=me: ") + UART_LINE);
}

static void uart_is_byte_wide(void **state)
{
	struct uart uart = {0};
	uint64_t value;

	(void)state;
	device_class_init(&uart_class, &uart.device, "me");
	for (unsigned width = 2; width <= 8; width *= 2) {
		CHECK_ERR(uart.device.ops->read(&uart.device, 0, width, &value), MM_UNSUPPORTED);
		CHECK_ERR(uart.device.ops->write(&uart.device, 0, width, 0), MM_UNSUPPORTED);
	}
}

static void test_device_reads_by_parts(void **state)
{
	struct test_device test = {0};

	(void)state;
	device_class_init(&test_class, &test.device, "me");
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(read_device(&test.device, GUEST_TEST_ID + i, 1), 0x11 * (i + 1));
	CHECK_EQ(read_device(&test.device, GUEST_TEST_ID + 2, 2), 0x4433);
	CHECK_EQ(read_device(&test.device, GUEST_TEST_ID + 4, 4), 0x88776655);
	CHECK_EQ(read_device(&test.device, GUEST_TEST_NEG, 8), UINT64_C(0xfffefdfcfbfaf9f8));
}

static void test_device_remembers_writes(void **state)
{
	struct test_device test = {0};
	struct mm_device *dev = &test.device;

	(void)state;
	device_class_init(&test_class, &test.device, "me");
	CHECK_OK(dev->ops->write(dev, GUEST_TEST_SCRATCH, 8, UINT64_C(0x0123456789abcdef)));
	CHECK_OK(dev->ops->write(dev, GUEST_TEST_SCRATCH + 2, 2, UINT64_C(0xffff1234)));
	CHECK_EQ(read_device(dev, GUEST_TEST_SCRATCH, 8), UINT64_C(0x012345671234cdef));
	CHECK_EQ(read_device(dev, GUEST_TEST_WRITES, 8), 2);
	CHECK_EQ(read_device(dev, GUEST_TEST_LAST, 8), (GUEST_TEST_SCRATCH + 2) << 16 | 2);
	CHECK_OK(dev->ops->write(dev, GUEST_TEST_ID, 4, 0));
	CHECK_EQ(read_device(dev, GUEST_TEST_ID, 4), 0x44332211);
	CHECK_EQ(read_device(dev, GUEST_TEST_WRITES, 1), 3);
}

static void test_device_refuses(void **state)
{
	struct test_device test = {0};
	struct mm_device *dev = &test.device;
	uint64_t value;

	(void)state;
	device_class_init(&test_class, &test.device, "me");
	CHECK_ERR(dev->ops->read(dev, 1, 2, &value), MM_UNSUPPORTED);
	CHECK_ERR(dev->ops->read(dev, 4, 8, &value), MM_UNSUPPORTED);
	CHECK_ERR(dev->ops->write(dev, GUEST_TEST_SCRATCH + 6, 4, 0), MM_UNSUPPORTED);
	CHECK_ERR(dev->ops->read(dev, 0x800, 8, &value), MM_UNSUPPORTED);
	CHECK_EQ(read_device(dev, GUEST_TEST_WRITES, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_that_fit),
		cmocka_unit_test(images_that_do_not),
		cmocka_unit_test(architectures_have_names),
		cmocka_unit_test(uart_collects_lines),
		cmocka_unit_test(uart_breaks_long_lines),
		cmocka_unit_test(uart_is_byte_wide),
		cmocka_unit_test(test_device_reads_by_parts),
		cmocka_unit_test(test_device_remembers_writes),
		cmocka_unit_test(test_device_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
