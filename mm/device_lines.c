/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt lines of a bus: a bitmap that the caller provides. A line has one owner at most, a
 * device or a caller.
 */
#include "mm/device_lines.h"

#include "mm/bits.h"

#define LINES_MAX (UINT64_C(1) << 32)

static uint64_t *word_of(const struct mm_device_bus *bus, mm_irq_t irq)
{
	return &bus->lines[irq.raw / 64];
}

enum mm_error mm_device_bus_set_lines(struct mm_device_bus *bus, uint64_t *bitmap, uint64_t lines)
{
	if (lines > LINES_MAX || (!bitmap && lines != 0))
		return MM_INVALID;
	if (bus->count != 0)
		return MM_BUSY;
	bus->lines = bitmap;
	bus->line_count = lines;
	for (uint64_t i = 0; i < MM_DEVICE_LINE_WORDS(lines); i++)
		bitmap[i] = 0;
	return MM_OK;
}

enum mm_error mm_device_bus_claim_line(struct mm_device_bus *bus, mm_irq_t irq)
{
	if (irq.raw >= bus->line_count)
		return MM_OUT_OF_RANGE;
	if ((*word_of(bus, irq) & BIT(irq.raw % 64)) != 0)
		return MM_EXISTS;
	*word_of(bus, irq) |= BIT(irq.raw % 64);
	return MM_OK;
}

enum mm_error mm_device_bus_release_line(struct mm_device_bus *bus, mm_irq_t irq)
{
	if (irq.raw >= bus->line_count)
		return MM_OUT_OF_RANGE;
	if ((*word_of(bus, irq) & BIT(irq.raw % 64)) == 0)
		return MM_NOT_MAPPED;
	if (mm_device_bus_line_owner(bus, irq))
		return MM_DENIED;
	*word_of(bus, irq) &= ~BIT(irq.raw % 64);
	return MM_OK;
}

struct mm_device *mm_device_bus_line_owner(const struct mm_device_bus *bus, mm_irq_t irq)
{
	for (size_t i = 0; i < bus->count; i++) {
		struct mm_device *dev = bus->slots[i];

		for (size_t n = 0; n < dev->irq_count; n++) {
			if (dev->irqs[n].raw == irq.raw)
				return dev;
		}
	}
	return NULL;
}

enum mm_error mm_device_lines_claim(struct mm_device_bus *bus, const struct mm_device *dev)
{
	for (size_t i = 0; i < dev->irq_count; i++) {
		enum mm_error err = mm_device_bus_claim_line(bus, dev->irqs[i]);

		if (err == MM_OK)
			continue;
		mm_device_lines_release(bus, dev, i);
		return err;
	}
	return MM_OK;
}

void mm_device_lines_release(struct mm_device_bus *bus, const struct mm_device *dev, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*word_of(bus, dev->irqs[i]) &= ~BIT(dev->irqs[i].raw % 64);
}
