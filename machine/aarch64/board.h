/*
 * What this board is made of: from the device tree, or from a table where there is none. Set by
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
	IRQ_BCM2836, /* the Raspberry Pi's own */
};

/* How the firmware is called, if it is there at all. */
enum board_psci {
	PSCI_NONE,
	PSCI_SMC,
	PSCI_HVC,
};

struct board {
	const char *name;
	enum board_uart uart;
	hpa_t uart_base;
	enum board_irq irq;
	hpa_t irq_distributor;
	struct hpa_range irq_cpu; /* GICv2: the CPU interface; GICv3: the redistributors */
	enum board_psci psci;
	hpa_t spin_table; /* CPUs without PSCI wait for an address here, 8 bytes each; 0: they do
	                     not */
	struct hpa_range devices[BOARD_DEVICES]; /* all of the above, for the MMU */
	unsigned device_count;
};

extern struct board board;

#endif
