/* Device registers, by physical address (which is the virtual one here). */
#ifndef MACHINE_AARCH64_MMIO_H
#define MACHINE_AARCH64_MMIO_H

#include <stdint.h>

static inline uint32_t mmio_read32(uint64_t at)
{
	return *(volatile uint32_t *)(uintptr_t)at;
}

static inline void mmio_write32(uint64_t at, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)at = value;
}

static inline uint64_t mmio_read64(uint64_t at)
{
	return *(volatile uint64_t *)(uintptr_t)at;
}

#endif
