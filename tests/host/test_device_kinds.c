/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: kinds, widths, typed addresses and their text, interrupt lines, groups. */
#include "check.h"

#include "mm/compiler.h"
#include "mm/device.h"

#define TOP UINT64_MAX

static enum mm_error no_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                             uint64_t *value)
{
	(void)dev, (void)offset, (void)width, (void)value;
	return MM_UNSUPPORTED;
}

static enum mm_error no_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                              uint64_t value)
{
	(void)dev, (void)offset, (void)width, (void)value;
	return MM_UNSUPPORTED;
}

static const struct mm_device_ops ops = {no_read, no_write};

/* --- kinds --- */

/* The numbers and identifiers of axvm-types, EmulatedDeviceType. */
static const struct {
	uint64_t number;
	const char *theirs;
	const char *name;
	enum mm_device_type type;
} kinds[] = {
	{0x00, "Dummy", "dummy", MM_DEVICE_TYPE_DUMMY},
	{0x01, "InterruptController", "interrupt-controller", MM_DEVICE_TYPE_INTERRUPT_CONTROLLER},
	{0x02, "Console", "console", MM_DEVICE_TYPE_CONSOLE},
	{0x03, "FwCfg", "fw-cfg", MM_DEVICE_TYPE_FW_CFG},
	{0x0a, "IVCChannel", "ivc-channel", MM_DEVICE_TYPE_IVC_CHANNEL},
	{0x20, "GPPTRedistributor", "gppt-redistributor", MM_DEVICE_TYPE_GPPT_REDISTRIBUTOR},
	{0x21, "GPPTDistributor", "gppt-distributor", MM_DEVICE_TYPE_GPPT_DISTRIBUTOR},
	{0x22, "GPPTITS", "gppt-its", MM_DEVICE_TYPE_GPPT_ITS},
	{0x23, "X86IoApic", "x86-io-apic", MM_DEVICE_TYPE_X86_IO_APIC},
	{0x24, "X86Pit", "x86-pit", MM_DEVICE_TYPE_X86_PIT},
	{0x25, "LoongArchPchPic", "loongarch-pch-pic", MM_DEVICE_TYPE_LOONGARCH_PCH_PIC},
	{0x30, "PPPTGlobal", "pppt-global", MM_DEVICE_TYPE_PPPT_GLOBAL},
	{0xe1, "VirtioBlk", "virtio-blk", MM_DEVICE_TYPE_VIRTIO_BLK},
	{0xe2, "VirtioNet", "virtio-net", MM_DEVICE_TYPE_VIRTIO_NET},
	{0xe3, "VirtioConsole", "virtio-console", MM_DEVICE_TYPE_VIRTIO_CONSOLE},
	{0x100, "test", "test", MM_DEVICE_TYPE_TEST},
	{0x101, "TIMER", "timer", MM_DEVICE_TYPE_TIMER},
	{0x102, "Pass_Through", "passthrough", MM_DEVICE_TYPE_PASSTHROUGH},
};

static void unknown_kinds_are_refused(void **state)
{
	static const char *const names[] = {"",         "-",      "unknown",   "virtio",
	                                    "consoles", "consol", "console\n", "virtio.blk"};
	static const uint64_t numbers[] = {4,
	                                   9,
	                                   0x0b,
	                                   0x1f,
	                                   0x26,
	                                   0xe0,
	                                   0xe4,
	                                   0xff,
	                                   0x103,
	                                   UINT32_MAX,
	                                   TOP,
	                                   UINT64_C(1) << 32,
	                                   UINT64_C(1) << 32 | 2};
	enum mm_device_type type = MM_DEVICE_TYPE_TIMER;
	(void)state;
	CHECK_ERR(mm_device_type_from_name(NULL, &type), MM_INVALID);
	for (size_t i = 0; i < MM_ARRAY_SIZE(names); i++) {
		check_context("\"%s\"", names[i]);
		CHECK_ERR(mm_device_type_from_name(names[i], &type), MM_INVALID);
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(numbers); i++) {
		check_context("0x%llx", (unsigned long long)numbers[i]);
		CHECK_ERR(mm_device_type_from_number(numbers[i], &type), MM_INVALID);
	}
	CHECK_EQ(type, MM_DEVICE_TYPE_TIMER);
	CHECK_TEXT(mm_device_type_name((enum mm_device_type)4), "unknown");
	CHECK_TEXT(mm_device_type_name((enum mm_device_type)(-1)), "unknown");
}

static void kinds_have_names_and_numbers(void **state)
{
	size_t known = 0;
	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(kinds); i++) {
		enum mm_device_type type = (enum mm_device_type)(-1);

		check_context("%s", kinds[i].theirs);
		CHECK_EQ(kinds[i].type, kinds[i].number);
		CHECK_OK(mm_device_type_from_number(kinds[i].number, &type));
		CHECK_EQ(type, kinds[i].type);
		CHECK_TEXT(mm_device_type_name(type), kinds[i].name);
		CHECK_OK(mm_device_type_from_name(kinds[i].name, &type));
		CHECK_EQ(type, kinds[i].type);
		type = (enum mm_device_type)(-1);
		CHECK_OK(mm_device_type_from_name(kinds[i].theirs, &type));
		CHECK_EQ(type, kinds[i].type);
	}
	for (uint64_t number = 0; number < 0x1000; number++) {
		enum mm_device_type type;

		known += mm_device_type_from_number(number, &type) == MM_OK;
	}
	CHECK_EQ(known, MM_ARRAY_SIZE(kinds));
}

/* --- widths and addresses --- */

static void widths_are_checked(void **state)
{
	static const uint64_t bad[] = {
		0, 3, 5, 6, 7, 9, 16, 257, UINT32_MAX, UINT64_C(1) << 32 | 8, 64, 72, TOP};
	enum mm_width width = MM_WIDTH_2;
	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(bad); i++) {
		CHECK_ERR(mm_width_from_bytes(bad[i], &width), MM_INVALID);
		CHECK(!mm_width_valid((enum mm_width)bad[i]) || bad[i] > UINT32_MAX);
	}
	CHECK_EQ(width, MM_WIDTH_2);
	CHECK_EQ(mm_width_mask((enum mm_width)3), 0);
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		CHECK_OK(mm_width_from_bytes(bytes, &width));
		CHECK_EQ(width, bytes);
		CHECK_EQ(mm_width_mask(width), bytes == 8 ? TOP : (UINT64_C(1) << 8 * bytes) - 1);
	}
}

static void numbers_beyond_the_last_are_refused(void **state)
{
	mm_port_t port = mm_port_at(7);
	mm_sysreg_t reg = mm_sysreg_at(7);
	struct mm_sysreg_range all;
	(void)state;
	CHECK_ERR(mm_port_from_number(0x10000, &port), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_port_from_number(TOP, &port), MM_OUT_OF_RANGE);
	CHECK_ERR(mm_sysreg_from_number(UINT64_C(1) << 32, &reg), MM_OUT_OF_RANGE);
	CHECK(!mm_port_add(mm_port_at(0xffff), 1, &port));
	CHECK(!mm_sysreg_add(mm_sysreg_at(1), TOP, &reg));
	CHECK_EQ(port.raw, 7);
	CHECK_EQ(reg.raw, 7);
	CHECK_OK(mm_port_from_number(0xffff, &port));
	CHECK_OK(mm_sysreg_from_number(UINT32_MAX, &reg));
	CHECK_OK(mm_sysreg_range_inclusive(mm_sysreg_at(0), reg, &all));
	CHECK_EQ(all.count, UINT64_C(1) << 32);
	CHECK(mm_sysreg_range_valid(all));
	CHECK_EQ(mm_sysreg_range_last(all).raw, UINT32_MAX);
	CHECK(!mm_port_range_valid(mm_port_range(port, 2)));
	CHECK(!mm_port_range_valid(mm_port_range(port, 0)));
	CHECK(mm_device_range_valid(mm_device_range_sysregs(all)));
	CHECK(!mm_device_range_valid(mm_device_range_ports(mm_port_range(port, 2))));
}

static void addresses_as_text(void **state)
{
	char text[MM_ADDR_TEXT];
	(void)state;
	(void)mm_port_format(text, sizeof(text), mm_port_at(0x3f8));
	CHECK_TEXT(text, "PORT:0x3f8");
	(void)mm_sysreg_format(text, sizeof(text), mm_sysreg_at(0xc0000080));
	CHECK_TEXT(text, "SYSREG:0xc0000080");
	(void)mm_device_range_format(text, sizeof(text),
	                             (struct mm_device_range)MM_DEVICE_AT_PORTS(0x3f8, 8));
	CHECK_TEXT(text, "PORT:0x3f8..0x3ff");
	(void)mm_device_range_format(text, sizeof(text),
	                             (struct mm_device_range)MM_DEVICE_AT_SYSREGS(0x10, 1));
	CHECK_TEXT(text, "SYSREG:0x10..0x10");
	(void)mm_device_range_format(text, sizeof(text),
	                             (struct mm_device_range)MM_DEVICE_AT_MMIO(TOP - 7, 8));
	CHECK_TEXT(text, "GPA:0xfffffffffffffff8..0xffffffffffffffff");
	CHECK_EQ(mm_device_range_format(text, 9,
	                                (struct mm_device_range)MM_DEVICE_AT_MMIO(0x1000, 0x1000)),
	         18);
	CHECK_TEXT(text, "GPA:0x10");
	(void)mm_device_range_format(text, sizeof(text),
	                             (struct mm_device_range){(enum mm_device_space)7, 1, 1});
	CHECK_TEXT(text, "???:0x1..0x1");
	CHECK_TEXT(mm_device_space_name(MM_DEVICE_MMIO), "mmio");
	CHECK_TEXT(mm_device_space_name(MM_DEVICE_PORT), "port");
	CHECK_TEXT(mm_device_space_name(MM_DEVICE_SYSREG), "sysreg");
	CHECK_TEXT(mm_device_space_name((enum mm_device_space)(-1)), "???");
}

/* --- lines and groups --- */

#define LINES 70

struct bench {
	struct mm_device_bus bus;
	struct mm_device *slots[3];
	uint64_t bitmap[MM_DEVICE_LINE_WORDS(LINES)];
	struct mm_device devices[4];
};

static void put(struct mm_device *dev, uint64_t base, const mm_irq_t irqs[], size_t count)
{
	const struct mm_device_config config = {
		.range = MM_DEVICE_AT_MMIO(base, 16), .irqs = irqs, .irq_count = count};

	mm_device_init(dev, &config, &ops);
}

static void begin(struct bench *t)
{
	mm_device_bus_init(&t->bus, t->slots, MM_ARRAY_SIZE(t->slots));
	CHECK_OK(mm_device_bus_set_lines(&t->bus, t->bitmap, LINES));
}

static void lines_that_do_not_exist_are_refused(void **state)
{
	static const mm_irq_t beyond[] = {{3}, {LINES}}, top[] = {{UINT32_MAX}}, zero[] = {{0}};
	struct bench t;
	(void)state;
	begin(&t);
	put(&t.devices[0], 0x1000, beyond, 2);
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[0]), MM_OUT_OF_RANGE);
	put(&t.devices[0], 0x1000, top, 1);
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[0]), MM_OUT_OF_RANGE);
	put(&t.devices[0], 0x1000, NULL, 1);
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[0]), MM_INVALID);
	/* Line 3 was claimed and released again. */
	CHECK_EQ(t.bitmap[0] | t.bitmap[1], 0);
	CHECK_EQ(t.bus.count, 0);
	CHECK_OK(mm_device_bus_set_lines(&t.bus, NULL, 0));
	put(&t.devices[0], 0x1000, zero, 1);
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[0]), MM_OUT_OF_RANGE);
	t.devices[0].irq_count = 0;
	t.devices[0].arg_count = 1;
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[0]), MM_INVALID);
}

static void a_line_has_one_device(void **state)
{
	static const mm_irq_t a[] = {{0}, {64}}, b[] = {{5}, {64}}, twice[] = {{9}, {9}};
	struct bench t;
	(void)state;
	begin(&t);
	put(&t.devices[0], 0x1000, a, 2);
	put(&t.devices[1], 0x2000, b, 2);
	put(&t.devices[2], 0x3000, twice, 2);
	CHECK_OK(mm_device_bus_add(&t.bus, &t.devices[0]));
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[1]), MM_EXISTS);
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[2]), MM_EXISTS);
	CHECK_EQ(t.bitmap[0], 1);
	CHECK_EQ(t.bitmap[1], 1);
	CHECK_ERR(mm_device_bus_claim_line(&t.bus, mm_irq_at(64)), MM_EXISTS);
	CHECK_ERR(mm_device_bus_release_line(&t.bus, mm_irq_at(64)), MM_DENIED);
	CHECK_ERR(mm_device_bus_release_line(&t.bus, mm_irq_at(5)), MM_NOT_MAPPED);
	CHECK_ERR(mm_device_bus_release_line(&t.bus, mm_irq_at(LINES)), MM_OUT_OF_RANGE);
	CHECK(mm_device_bus_line_owner(&t.bus, mm_irq_at(64)) == &t.devices[0]);
	CHECK(mm_device_bus_line_owner(&t.bus, mm_irq_at(5)) == NULL);
	CHECK_ERR(mm_device_bus_set_lines(&t.bus, t.bitmap, LINES), MM_BUSY);
	CHECK_OK(mm_device_bus_remove(&t.bus, &t.devices[0]));
	CHECK_OK(mm_device_bus_claim_line(&t.bus, mm_irq_at(5)));
	CHECK_ERR(mm_device_bus_add(&t.bus, &t.devices[1]), MM_EXISTS);
	CHECK_OK(mm_device_bus_release_line(&t.bus, mm_irq_at(5)));
	CHECK_OK(mm_device_bus_add(&t.bus, &t.devices[1]));
	CHECK(mm_device_bus_line_owner(&t.bus, mm_irq_at(64)) == &t.devices[1]);
}

static void a_group_is_added_whole_or_not(void **state)
{
	static const mm_irq_t line[] = {{7}};
	struct bench t;
	struct mm_device *all[] = {&t.devices[0], &t.devices[1], &t.devices[2], &t.devices[3]};
	struct mm_device *twice[] = {&t.devices[1], &t.devices[0], &t.devices[1]};
	(void)state;
	begin(&t);
	put(&t.devices[0], 0x3000, line, 1);
	put(&t.devices[1], 0x1000, NULL, 0);
	put(&t.devices[2], 0x2000, line, 1);
	put(&t.devices[3], 0x4000, NULL, 0);
	CHECK_ERR(mm_device_bus_add_group(&t.bus, all, 3), MM_EXISTS); /* the line */
	CHECK_ERR(mm_device_bus_add_group(&t.bus, twice, 3), MM_EXISTS);
	t.devices[2].irq_count = 0;
	CHECK_ERR(mm_device_bus_add_group(&t.bus, all, 4), MM_NO_MEMORY);
	CHECK_EQ(t.bus.count, 0);
	CHECK_EQ(t.bitmap[0], 0);
	CHECK_OK(mm_device_bus_add_group(&t.bus, all, 0));
	CHECK_OK(mm_device_bus_add_group(&t.bus, all, 3));
	CHECK_ERR(mm_device_bus_remove_group(&t.bus, twice, 3), MM_NOT_MAPPED);
	CHECK_ERR(mm_device_bus_remove_group(&t.bus, all, 4), MM_NOT_MAPPED);
	CHECK_EQ(t.bus.count, 3);
	CHECK_EQ(t.bitmap[0], 1 << 7);
	CHECK_OK(mm_device_bus_remove_group(&t.bus, all, 3));
	CHECK_EQ(t.bus.count, 0);
	CHECK_EQ(t.bitmap[0], 0);
}

static void devices_in_order(void **state)
{
	struct bench t;
	struct mm_device *all[] = {&t.devices[0], &t.devices[1], &t.devices[2]};
	struct mm_device *dev;
	(void)state;
	begin(&t);
	CHECK(mm_device_bus_next(&t.bus, NULL) == NULL);
	put(&t.devices[0], 0x3000, NULL, 0);
	put(&t.devices[1], 0x1000, NULL, 0);
	put(&t.devices[2], TOP - 15, NULL, 0);
	CHECK_OK(mm_device_bus_add_group(&t.bus, all, 3));
	CHECK(mm_device_bus_next(&t.bus, NULL) == &t.devices[1]);
	CHECK(mm_device_bus_next(&t.bus, &t.devices[1]) == &t.devices[0]);
	CHECK(mm_device_bus_next(&t.bus, &t.devices[0]) == &t.devices[2]);
	CHECK(mm_device_bus_next(&t.bus, &t.devices[2]) == NULL);
	/* Each is removed as it is reached. */
	dev = mm_device_bus_next(&t.bus, NULL);
	for (unsigned left = 3; left != 0; left--) {
		CHECK_EQ(t.bus.count, left);
		CHECK_OK(mm_device_bus_remove(&t.bus, dev));
		dev = mm_device_bus_next(&t.bus, dev);
	}
	CHECK(dev == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(kinds_have_names_and_numbers),
		cmocka_unit_test(widths_are_checked),
		cmocka_unit_test(numbers_beyond_the_last_are_refused),
		cmocka_unit_test(addresses_as_text),
		cmocka_unit_test(lines_that_do_not_exist_are_refused),
		cmocka_unit_test(a_line_has_one_device),
		cmocka_unit_test(a_group_is_added_whole_or_not),
		cmocka_unit_test(devices_in_order),
	};
	return cmocka_run_group_tests_name("device kinds", tests, NULL, NULL);
}
