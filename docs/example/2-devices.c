/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 2: devices. A guest's access to a device is a nested fault too, or an I/O port's exit. The
 * program puts three devices on a bus: a serial port at I/O ports, a clock in guest-physical
 *memory, and a register. It adds them as a group, and routes accesses to them as an exit handler
 *does.
 *
 *	cc docs/example/2-devices.c $(pkg-config --cflags --libs faultline-mm) -o devices
 */
#include "pool.h"

#include <mm/device.h>

#define CLOCK_BASE UINT64_C(0x10001000)
#define LINES      32

/* --- a serial port: what is written to port 0 of it is printed --- */

static enum mm_error serial_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                 uint64_t *value)
{
	(void)dev, (void)width;
	*value = offset == 5 ? 0x60 : 0; /* the line status: ready */
	return MM_OK;
}

static enum mm_error serial_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                  uint64_t value)
{
	(void)dev;
	if (width != MM_WIDTH_1)
		return MM_UNSUPPORTED;
	if (offset == 0)
		putchar((int)value);
	return MM_OK;
}

static const struct mm_device_ops serial_ops = {serial_read, serial_write};

/* --- a clock: it has a state of its own, around its struct mm_device --- */

struct clock {
	struct mm_device device;
	uint64_t ticks;
};

static enum mm_error clock_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                uint64_t *value)
{
	struct clock *clock = MM_CONTAINER_OF(dev, struct clock, device);
	uint64_t step;

	/* The first argument of its configuration is the step. */
	if (offset != 0 || mm_device_arg(dev, 0, &step) != MM_OK)
		return MM_UNSUPPORTED;
	clock->ticks += step;
	*value = clock->ticks & mm_width_mask(width);
	return MM_OK;
}

static enum mm_error clock_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                 uint64_t value)
{
	(void)offset, (void)width;
	MM_CONTAINER_OF(dev, struct clock, device)->ticks = value;
	return MM_OK;
}

static const struct mm_device_ops clock_ops = {clock_read, clock_write};

/* --- exits --- */

/* A nested fault. A real hypervisor decodes the instruction to find the width. */
static bool on_fault(struct mm_aspace *as, struct mm_device_bus *bus, mm_gpa_t gpa,
                     enum mm_width width, uint64_t *value)
{
	enum mm_fault fault = mm_aspace_fault(as, gpa, MM_R);

	if (fault != MM_FAULT_IS_DEVICE)
		return fault == MM_FAULT_MAPPED;
	return mm_device_bus_read_mmio(bus, gpa, width, value) == MM_OK;
}

/* Numbers from a guest or a file are checked where they become a type. */
static bool on_out(struct mm_device_bus *bus, uint64_t number, uint64_t bytes, uint64_t value)
{
	mm_port_t port;
	enum mm_width width;

	return mm_port_from_number(number, &port) == MM_OK &&
	       mm_width_from_bytes(bytes, &width) == MM_OK &&
	       mm_device_bus_write_port(bus, port, width, value) == MM_OK;
}

static void list(const struct mm_device_bus *bus)
{
	char text[MM_ADDR_TEXT];

	for (struct mm_device *dev = mm_device_bus_next(bus, NULL); dev;
	     dev = mm_device_bus_next(bus, dev)) {
		(void)mm_device_range_format(text, sizeof(text), dev->range);
		printf("%s: %s at %s\n", dev->name, mm_device_type_name(dev->type), text);
	}
}

static bool run(struct mm_aspace *as)
{
	static const uint64_t step[] = {5};
	static const mm_irq_t four[] = {{4}}, eight[] = {{8}};
	const struct mm_device_config serial_config = {
		.name = "com1",
		.type = MM_DEVICE_TYPE_CONSOLE,
		.range = MM_DEVICE_AT_PORTS(0x3f8, 8),
		.irqs = four,
		.irq_count = 1,
	};
	const struct mm_device_config clock_config = {
		.name = "clock",
		.type = MM_DEVICE_TYPE_TIMER,
		.range = MM_DEVICE_AT_MMIO(CLOCK_BASE, MM_PAGE_SIZE),
		.irqs = eight,
		.irq_count = 1,
		.args = step,
		.arg_count = 1,
	};
	struct mm_device_config msr_config = clock_config;
	struct mm_device serial, *slots[3];
	struct clock clock = {.ticks = 0}, msr = {.ticks = 100};
	struct mm_device *const group[] = {&serial, &clock.device, &msr.device};
	struct mm_device_bus bus;
	uint64_t lines[MM_DEVICE_LINE_WORDS(LINES)], value = 0;

	msr_config.name = "clock-msr";
	msr_config.range = (struct mm_device_range)MM_DEVICE_AT_SYSREGS(0x40000090, 1);
	mm_device_init(&serial, &serial_config, &serial_ops);
	mm_device_init(&clock.device, &clock_config, &clock_ops);
	mm_device_init(&msr.device, &msr_config, &clock_ops);
	mm_device_bus_init(&bus, slots, 3);

	/* Both clocks want line 8: none of the three is added. The second try is good. */
	if (mm_device_bus_set_lines(&bus, lines, LINES) != MM_OK ||
	    mm_device_bus_add_group(&bus, group, 3) != MM_EXISTS || bus.count != 0)
		return false;
	msr.device.irq_count = 0;
	if (mm_device_bus_add_group(&bus, group, 3) != MM_OK ||
	    mm_aspace_map_device(as, mm_gpa_range(mm_gpa_at(CLOCK_BASE), MM_PAGE_SIZE)) != MM_OK)
		return false;
	list(&bus);

	for (const char *c = "hello\n"; *c != '\0'; c++) {
		if (!on_out(&bus, 0x3f8, 1, (uint8_t)*c))
			return false;
	}
	/* A port or a width that does not exist, and a port without a device. */
	if (on_out(&bus, 0x103f8, 1, 'x') || on_out(&bus, 0x3f8, 3, 'x') ||
	    on_out(&bus, 0x60, 1, 'x') || on_out(&bus, 0x3ff, 2, 'x'))
		return false;
	if (!on_fault(as, &bus, mm_gpa_at(CLOCK_BASE), MM_WIDTH_4, &value))
		return false;
	printf("clock=%" PRIu64, value);
	if (mm_device_bus_read_sysreg(&bus, mm_sysreg_at(0x40000090), &value) != MM_OK)
		return false;
	printf(" msr=%" PRIu64 " ", value);
	return true;
}

int main(void)
{
	static struct mm_aspace as;
	static struct pool pool;
	bool done;

	if (!pool_open(&pool, &as, UINT64_C(1) << 32))
		return 1;
	done = run(&as);
	return pool_close(&pool, &as) && done ? 0 : 1;
}
