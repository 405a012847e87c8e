/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated devices: their ranges, and the bus that passes an access to its device.
 */
#include "mm/device.h"

#include "mm/atomic.h"
#include "mm/bits.h"
#include "mm/device_lines.h"

/* --- ranges --- */

/* The addresses and access widths of a space. */
struct space_shape {
	const char *name;
	const char *prefix; /* of an address, as text */
	uint64_t last;      /* address */
	uint64_t widths;    /* of accesses: bit n is set if n is one */
};

#define WIDTHS_TO_4 (BIT(1) | BIT(2) | BIT(4))

static const struct space_shape shapes[] = {
	[MM_DEVICE_MMIO] = {"mmio", "GPA", UINT64_MAX, WIDTHS_TO_4 | BIT(8)},
	[MM_DEVICE_PORT] = {"port", "PORT", UINT16_MAX, WIDTHS_TO_4},
	[MM_DEVICE_SYSREG] = {"sysreg", "SYSREG", UINT32_MAX, BIT(8)},
};

/* NULL: there is no such space. */
static const struct space_shape *shape_of(enum mm_device_space space)
{
	return (unsigned)space < MM_ARRAY_SIZE(shapes) ? &shapes[space] : NULL;
}

static bool has_width(const struct space_shape *shape, enum mm_width width)
{
	return (unsigned)width < 64 && (shape->widths >> (unsigned)width & 1) != 0;
}

bool mm_device_range_valid(struct mm_device_range range)
{
	const struct space_shape *shape = shape_of(range.space);

	return shape && range.length != 0 && range.base <= shape->last &&
	       range.length - 1 <= shape->last - range.base;
}

enum mm_error mm_device_range_inclusive(enum mm_device_space space, uint64_t first, uint64_t last,
                                        struct mm_device_range *out)
{
	/* The length of all 2^64 addresses does not fit in 64 bits. */
	if (last < first || last - first == UINT64_MAX)
		return MM_INVALID;

	struct mm_device_range range = {space, first, last - first + 1};

	if (!mm_device_range_valid(range))
		return MM_INVALID;
	*out = range;
	return MM_OK;
}

static uint64_t range_last(struct mm_device_range range)
{
	return range.base + (range.length - 1);
}

size_t mm_device_range_format(char *buf, size_t size, struct mm_device_range range)
{
	const struct space_shape *shape = shape_of(range.space);

	return mm_addr_format_range(buf, size, shape ? shape->prefix : "???", range.base,
	                            range.length);
}

const char *mm_device_space_name(enum mm_device_space space)
{
	const struct space_shape *shape = shape_of(space);

	return shape ? shape->name : "???";
}

/* --- one device --- */

void mm_device_init(struct mm_device *dev, const struct mm_device_config *config,
                    const struct mm_device_ops *ops)
{
	*dev = (struct mm_device){
		.name = config->name,
		.type = config->type,
		.range = config->range,
		.ops = ops,
		.irqs = config->irqs,
		.irq_count = config->irq_count,
		.args = config->args,
		.arg_count = config->arg_count,
	};
}

enum mm_error mm_device_arg(const struct mm_device *dev, size_t index, uint64_t *value)
{
	if (index >= dev->arg_count)
		return MM_OUT_OF_RANGE;
	*value = dev->args[index];
	return MM_OK;
}

static bool is_complete(const struct mm_device *dev)
{
	return mm_device_range_valid(dev->range) && dev->ops && dev->ops->read && dev->ops->write &&
	       (dev->irqs || dev->irq_count == 0) && (dev->args || dev->arg_count == 0);
}

/* --- the bus --- */

void mm_device_bus_init(struct mm_device_bus *bus, struct mm_device **slots, size_t capacity)
{
	*bus = (struct mm_device_bus){.slots = slots, .capacity = capacity};
}

/* Does the device lie wholly below this address in the bus's order, by space and then address? */
static bool lies_below(const struct mm_device *dev, enum mm_device_space space, uint64_t addr)
{
	if (dev->range.space != space)
		return dev->range.space < space;
	return range_last(dev->range) < addr;
}

/* The number of devices wholly below the address: the index of the one that holds it, if any. */
static size_t devices_below(const struct mm_device_bus *bus, enum mm_device_space space,
                            uint64_t addr)
{
	size_t low = 0;
	size_t high = bus->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (lies_below(bus->slots[middle], space, addr))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum mm_error mm_device_bus_add(struct mm_device_bus *bus, struct mm_device *dev)
{
	if (!is_complete(dev))
		return MM_INVALID;
	size_t slot = devices_below(bus, dev->range.space, dev->range.base);
	if (slot < bus->count) {
		const struct mm_device_range next = bus->slots[slot]->range;
		if (next.space == dev->range.space && next.base <= range_last(dev->range))
			return MM_EXISTS;
	}
	if (bus->count == bus->capacity)
		return MM_NO_MEMORY;
	enum mm_error err = mm_device_lines_claim(bus, dev);
	if (err != MM_OK)
		return err;
	for (size_t i = bus->count; i > slot; i--)
		bus->slots[i] = bus->slots[i - 1];
	bus->slots[slot] = dev;
	bus->count++;
	return MM_OK;
}

/* Is it on the bus? Then *slot is its place. */
static bool is_added(const struct mm_device_bus *bus, const struct mm_device *dev, size_t *slot)
{
	*slot = devices_below(bus, dev->range.space, dev->range.base);
	return *slot < bus->count && bus->slots[*slot] == dev;
}

enum mm_error mm_device_bus_remove(struct mm_device_bus *bus, struct mm_device *dev)
{
	size_t slot;
	if (!is_added(bus, dev, &slot))
		return MM_NOT_MAPPED;
	mm_device_lines_release(bus, dev, dev->irq_count);
	bus->count--;
	atomic_store_explicit(&bus->latest, NULL, memory_order_relaxed);
	for (size_t i = slot; i < bus->count; i++)
		bus->slots[i] = bus->slots[i + 1];
	return MM_OK;
}

/* Nothing runs beside a change of the bus, so the first ones may be added and removed again. */
enum mm_error mm_device_bus_add_group(struct mm_device_bus *bus, struct mm_device *const devs[],
                                      size_t count)
{
	for (size_t done = 0; done < count; done++) {
		enum mm_error err = mm_device_bus_add(bus, devs[done]);
		if (err == MM_OK)
			continue;
		while (done > 0)
			(void)!mm_device_bus_remove(bus, devs[--done]);
		return err;
	}
	return MM_OK;
}

/* What was on the bus can be added again: its slot, its range and its lines are free. */
enum mm_error mm_device_bus_remove_group(struct mm_device_bus *bus, struct mm_device *const devs[],
                                         size_t count)
{
	for (size_t done = 0; done < count; done++) {
		enum mm_error err = mm_device_bus_remove(bus, devs[done]);
		if (err == MM_OK)
			continue;
		while (done > 0)
			(void)!mm_device_bus_add(bus, devs[--done]);
		return err;
	}
	return MM_OK;
}

struct mm_device *mm_device_bus_next(const struct mm_device_bus *bus, const struct mm_device *after)
{
	size_t slot = 0;
	if (after && is_added(bus, after, &slot))
		slot++;
	return slot < bus->count ? bus->slots[slot] : NULL;
}

/* --- which device --- */

static struct mm_device *find(const struct mm_device_bus *bus, enum mm_device_space space,
                              uint64_t addr)
{
	size_t slot = devices_below(bus, space, addr);
	if (slot == bus->count)
		return NULL;
	struct mm_device *dev = bus->slots[slot];
	return dev->range.space == space && dev->range.base <= addr ? dev : NULL;
}

struct mm_device *mm_device_bus_find_mmio(const struct mm_device_bus *bus, mm_gpa_t gpa)
{
	return find(bus, MM_DEVICE_MMIO, gpa.raw);
}

struct mm_device *mm_device_bus_find_port(const struct mm_device_bus *bus, mm_port_t port)
{
	return find(bus, MM_DEVICE_PORT, port.raw);
}

struct mm_device *mm_device_bus_find_sysreg(const struct mm_device_bus *bus, mm_sysreg_t reg)
{
	return find(bus, MM_DEVICE_SYSREG, reg.raw);
}

/* The addresses that an access covers: a register is one. */
static MM_ALWAYS_INLINE uint64_t covered(enum mm_device_space space, enum mm_width width)
{
	return space == MM_DEVICE_SYSREG ? 1 : (uint64_t)width;
}

/* Does the whole access lie in this device? The device is on a bus, so its range lies in its space,
 * and the access need not be compared with the end of the space. */
static MM_ALWAYS_INLINE bool takes(const struct mm_device *dev, enum mm_device_space space,
                                   uint64_t addr, enum mm_width width)
{
	uint64_t offset = addr - dev->range.base;

	return dev->range.space == space && offset < dev->range.length &&
	       covered(space, width) <= dev->range.length - offset &&
	       has_width(&shapes[space], width);
}

/* The device that contains the whole access. The next access tries it first. */
static MM_NOINLINE enum mm_error find_target(struct mm_device_bus *bus, enum mm_device_space space,
                                             uint64_t addr, enum mm_width width,
                                             struct mm_device **out)
{
	const struct space_shape *shape = &shapes[space];
	uint64_t more = covered(space, width) - 1;

	if (!has_width(shape, width) || more > shape->last - addr)
		return MM_INVALID;
	struct mm_device *dev = find(bus, space, addr);
	if (!dev)
		return MM_NOT_MAPPED;
	if (range_last(dev->range) - addr < more)
		return MM_OUT_OF_RANGE;
	atomic_store_explicit(&bus->latest, dev, memory_order_relaxed);
	*out = dev;
	return MM_OK;
}

static MM_ALWAYS_INLINE enum mm_error target_of(struct mm_device_bus *bus,
                                                enum mm_device_space space, uint64_t addr,
                                                enum mm_width width, struct mm_device **out)
{
	struct mm_device *dev = atomic_load_explicit(&bus->latest, memory_order_relaxed);

	if (MM_UNLIKELY(dev == NULL) || MM_UNLIKELY(!takes(dev, space, addr, width)))
		return find_target(bus, space, addr, width, out);
	*out = dev;
	return MM_OK;
}

/* --- accesses --- */

static MM_ALWAYS_INLINE enum mm_error read_at(struct mm_device_bus *bus, enum mm_device_space space,
                                              uint64_t addr, enum mm_width width, uint64_t *value)
{
	struct mm_device *dev;
	uint64_t read = 0;
	enum mm_error err = target_of(bus, space, addr, width, &dev);
	if (MM_LIKELY(err == MM_OK))
		err = dev->ops->read(dev, addr - dev->range.base, width, &read);
	if (MM_LIKELY(err == MM_OK))
		*value = read;
	return err;
}

static MM_ALWAYS_INLINE enum mm_error write_at(struct mm_device_bus *bus,
                                               enum mm_device_space space, uint64_t addr,
                                               enum mm_width width, uint64_t value)
{
	struct mm_device *dev;
	enum mm_error err = target_of(bus, space, addr, width, &dev);
	if (MM_UNLIKELY(err != MM_OK))
		return err;
	return dev->ops->write(dev, addr - dev->range.base, width, value);
}

enum mm_error mm_device_bus_read_mmio(struct mm_device_bus *bus, mm_gpa_t gpa, enum mm_width width,
                                      uint64_t *value)
{
	return read_at(bus, MM_DEVICE_MMIO, gpa.raw, width, value);
}

enum mm_error mm_device_bus_write_mmio(struct mm_device_bus *bus, mm_gpa_t gpa, enum mm_width width,
                                       uint64_t value)
{
	return write_at(bus, MM_DEVICE_MMIO, gpa.raw, width, value);
}

enum mm_error mm_device_bus_read_port(struct mm_device_bus *bus, mm_port_t port,
                                      enum mm_width width, uint64_t *value)
{
	return read_at(bus, MM_DEVICE_PORT, port.raw, width, value);
}

enum mm_error mm_device_bus_write_port(struct mm_device_bus *bus, mm_port_t port,
                                       enum mm_width width, uint64_t value)
{
	return write_at(bus, MM_DEVICE_PORT, port.raw, width, value);
}

enum mm_error mm_device_bus_read_sysreg(struct mm_device_bus *bus, mm_sysreg_t reg, uint64_t *value)
{
	return read_at(bus, MM_DEVICE_SYSREG, reg.raw, MM_WIDTH_8, value);
}

enum mm_error mm_device_bus_write_sysreg(struct mm_device_bus *bus, mm_sysreg_t reg, uint64_t value)
{
	return write_at(bus, MM_DEVICE_SYSREG, reg.raw, MM_WIDTH_8, value);
}
