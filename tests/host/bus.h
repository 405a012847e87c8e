/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses and searches of a bus by numbers of any space, for tests that try all three. A number
 * that the space does not have is MM_INVALID (and NULL), as is a register's width other than 8.
 */
#ifndef BUS_H
#define BUS_H

#include "mm/device.h"

static inline enum mm_error bus_read(struct mm_device_bus *bus, enum mm_device_space space,
                                     uint64_t addr, unsigned width, uint64_t *value)
{
	enum mm_width as = (enum mm_width)width;
	mm_port_t port;
	mm_sysreg_t reg;

	if (space == MM_DEVICE_MMIO)
		return mm_device_bus_read_mmio(bus, mm_gpa_at(addr), as, value);
	if (space == MM_DEVICE_PORT && mm_port_from_number(addr, &port) == MM_OK)
		return mm_device_bus_read_port(bus, port, as, value);
	if (space == MM_DEVICE_SYSREG && mm_sysreg_from_number(addr, &reg) == MM_OK && width == 8)
		return mm_device_bus_read_sysreg(bus, reg, value);
	return MM_INVALID;
}

static inline enum mm_error bus_write(struct mm_device_bus *bus, enum mm_device_space space,
                                      uint64_t addr, unsigned width, uint64_t value)
{
	enum mm_width as = (enum mm_width)width;
	mm_port_t port;
	mm_sysreg_t reg;

	if (space == MM_DEVICE_MMIO)
		return mm_device_bus_write_mmio(bus, mm_gpa_at(addr), as, value);
	if (space == MM_DEVICE_PORT && mm_port_from_number(addr, &port) == MM_OK)
		return mm_device_bus_write_port(bus, port, as, value);
	if (space == MM_DEVICE_SYSREG && mm_sysreg_from_number(addr, &reg) == MM_OK && width == 8)
		return mm_device_bus_write_sysreg(bus, reg, value);
	return MM_INVALID;
}

static inline struct mm_device *bus_find(const struct mm_device_bus *bus,
                                         enum mm_device_space space, uint64_t addr)
{
	mm_port_t port;
	mm_sysreg_t reg;

	if (space == MM_DEVICE_MMIO)
		return mm_device_bus_find_mmio(bus, mm_gpa_at(addr));
	if (space == MM_DEVICE_PORT && mm_port_from_number(addr, &port) == MM_OK)
		return mm_device_bus_find_port(bus, port);
	if (space == MM_DEVICE_SYSREG && mm_sysreg_from_number(addr, &reg) == MM_OK)
		return mm_device_bus_find_sysreg(bus, reg);
	return NULL;
}

#endif
