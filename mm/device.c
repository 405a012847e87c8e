/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated devices: their ranges, and the bus that passes an access to its device.
 */
#include "mm/device.h"

#include "mm/atomic.h"
#include "mm/bits.h"

/* --- names and ranges --- */

const char *mm_device_type_name(enum mm_device_type type)
{
	static const char *const names[MM_DEVICE_TYPE_COUNT] = {
		[MM_DEVICE_TYPE_NONE] = "none",
		[MM_DEVICE_TYPE_CONSOLE] = "console",
		[MM_DEVICE_TYPE_TEST] = "test",
		[MM_DEVICE_TYPE_INTERRUPT_CONTROLLER] = "interrupt-controller",
		[MM_DEVICE_TYPE_TIMER] = "timer",
		[MM_DEVICE_TYPE_VIRTIO] = "virtio",
		[MM_DEVICE_TYPE_PASSTHROUGH] = "passthrough",
	};
	return (unsigned)type < MM_DEVICE_TYPE_COUNT ? names[type] : "unknown";
}

/* The addresses and access widths of a space. */
struct space_shape {
	uint64_t last;   /* address */
	uint64_t widths; /* of accesses: bit n is set if n is one */
};

#define WIDTHS_TO_4 (BIT(1) | BIT(2) | BIT(4))

static const struct space_shape shapes[] = {
	[MM_DEVICE_MMIO] = {UINT64_MAX, WIDTHS_TO_4 | BIT(8)},
	[MM_DEVICE_PORT] = {UINT16_MAX, WIDTHS_TO_4},
	[MM_DEVICE_SYSREG] = {UINT32_MAX, BIT(1)},
};

/* NULL: there is no such space. */
static const struct space_shape *shape_of(enum mm_device_space space)
{
	return (unsigned)space < MM_ARRAY_SIZE(shapes) ? &shapes[space] : NULL;
}

static bool has_width(const struct space_shape *shape, unsigned width)
{
	return width < 64 && (shape->widths >> width & 1) != 0;
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

void mm_device_init(struct mm_device *dev, const struct mm_device_config *config,
                    const struct mm_device_ops *ops)
{
	*dev = (struct mm_device){
		.name = config->name,
		.type = config->type,
		.range = config->range,
		.irq = config->irq,
		.ops = ops,
	};
	for (size_t i = 0; i < MM_ARRAY_SIZE(dev->args); i++)
		dev->args[i] = config->args[i];
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
	if (!mm_device_range_valid(dev->range) || !dev->ops || !dev->ops->read || !dev->ops->write)
		return MM_INVALID;
	size_t slot = devices_below(bus, dev->range.space, dev->range.base);
	if (slot < bus->count) {
		const struct mm_device_range next = bus->slots[slot]->range;
		if (next.space == dev->range.space && next.base <= range_last(dev->range))
			return MM_EXISTS;
	}
	if (bus->count == bus->capacity)
		return MM_NO_MEMORY;
	for (size_t i = bus->count; i > slot; i--)
		bus->slots[i] = bus->slots[i - 1];
	bus->slots[slot] = dev;
	bus->count++;
	return MM_OK;
}

enum mm_error mm_device_bus_remove(struct mm_device_bus *bus, struct mm_device *dev)
{
	size_t slot = devices_below(bus, dev->range.space, dev->range.base);
	if (slot == bus->count || bus->slots[slot] != dev)
		return MM_NOT_MAPPED;
	bus->count--;
	atomic_store_explicit(&bus->latest, NULL, memory_order_relaxed);
	for (size_t i = slot; i < bus->count; i++)
		bus->slots[i] = bus->slots[i + 1];
	return MM_OK;
}

struct mm_device *mm_device_bus_find(const struct mm_device_bus *bus, enum mm_device_space space,
                                     uint64_t addr)
{
	size_t slot = devices_below(bus, space, addr);
	if (slot == bus->count)
		return NULL;
	struct mm_device *dev = bus->slots[slot];
	return dev->range.space == space && dev->range.base <= addr ? dev : NULL;
}

/* Does the space have an access of this width? */
static bool is_access(enum mm_device_space space, uint64_t addr, unsigned width)
{
	const struct space_shape *shape = shape_of(space);

	return shape && has_width(shape, width) && addr <= shape->last &&
	       width - 1 <= shape->last - addr;
}

/* Does the whole access lie in this device? The device is on a bus, so its range lies in its space,
 * and the access need not be compared with the end of the space. */
static bool takes(const struct mm_device *dev, enum mm_device_space space, uint64_t addr,
                  unsigned width)
{
	uint64_t offset = addr - dev->range.base;

	return dev->range.space == space && offset < dev->range.length &&
	       width <= dev->range.length - offset && has_width(&shapes[space], width);
}

/* The device that contains the whole access. The next access tries it first. */
static MM_NOINLINE enum mm_error find_target(struct mm_device_bus *bus, enum mm_device_space space,
                                             uint64_t addr, unsigned width, struct mm_device **out)
{
	if (!is_access(space, addr, width))
		return MM_INVALID;
	struct mm_device *dev = mm_device_bus_find(bus, space, addr);
	if (!dev)
		return MM_NOT_MAPPED;
	if (range_last(dev->range) - addr < width - 1)
		return MM_OUT_OF_RANGE;
	atomic_store_explicit(&bus->latest, dev, memory_order_relaxed);
	*out = dev;
	return MM_OK;
}

static MM_ALWAYS_INLINE enum mm_error target_of(struct mm_device_bus *bus,
                                                enum mm_device_space space, uint64_t addr,
                                                unsigned width, struct mm_device **out)
{
	struct mm_device *dev = atomic_load_explicit(&bus->latest, memory_order_relaxed);

	if (MM_UNLIKELY(dev == NULL) || MM_UNLIKELY(!takes(dev, space, addr, width)))
		return find_target(bus, space, addr, width, out);
	*out = dev;
	return MM_OK;
}

enum mm_error mm_device_bus_read(struct mm_device_bus *bus, enum mm_device_space space,
                                 uint64_t addr, unsigned width, uint64_t *value)
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

enum mm_error mm_device_bus_write(struct mm_device_bus *bus, enum mm_device_space space,
                                  uint64_t addr, unsigned width, uint64_t value)
{
	struct mm_device *dev;
	enum mm_error err = target_of(bus, space, addr, width, &dev);
	if (MM_UNLIKELY(err != MM_OK))
		return err;
	return dev->ops->write(dev, addr - dev->range.base, width, value);
}
