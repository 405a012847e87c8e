/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of this board, from the device tree or, if there is none, from a table. Written by
 * arm_board_find(), constant afterwards.
 */
#ifndef MACHINE_AARCH64_BOARD_H
#define MACHINE_AARCH64_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/addr.h"

#define BOARD_DEVICES 8

enum board_uart {
	UART_NONE,
	UART_PL011,
	UART_CADENCE,
	UART_IMX,
};

enum board_irq {
	IRQ_NONE,
	IRQ_GICV2,
	IRQ_GICV3,
	IRQ_BCM2836, /* Raspberry Pi 2 and 3 */
};

/* The instruction that calls PSCI. */
enum board_psci {
	PSCI_NONE,
	PSCI_SMC,
	PSCI_HVC,
};

struct board {
	const char *name;
	enum board_uart uart;
	mm_hpa_t uart_base;
	enum board_irq irq;
	mm_hpa_t irq_distributor;
	struct mm_hpa_range irq_cpu; /* GICv2: the CPU interface; GICv3: the redistributors */
	enum board_psci psci;
	mm_hpa_t spin_table; /* without PSCI: where each CPU polls for its start address, 8 bytes
	                     each; 0: no spin table */
	struct mm_hpa_range devices[BOARD_DEVICES]; /* all of the above, for the MMU */
	unsigned device_count;
};

extern struct board board;

/* --- device registers, by physical address, which is the virtual address, too --- */

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
