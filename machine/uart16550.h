/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transmitter of a 16550 UART, by polling: PC16550D data sheet (National Semiconductor), 8.
 * The machine layer says how a register is accessed: by port or by memory, at which address.
 */
#ifndef MACHINE_UART16550_H
#define MACHINE_UART16550_H

#include <stdint.h>

#include "machine.h"
#include "mm/bits.h"

/* Register numbers. */
#define UART_THR 0 /* transmitter holding register */
#define UART_IER 1 /* interrupt enable register */
#define UART_FCR 2 /* FIFO control register */
#define UART_LCR 3 /* line control register */
#define UART_MCR 4 /* modem control register */
#define UART_LSR 5 /* line status register */

#define UART_FCR_ENABLE_AND_CLEAR 0x07 /* both FIFOs */
#define UART_LCR_8N1              0x03 /* DLAB (bit 7) is clear */
#define UART_MCR_DTR_RTS          0x03
#define UART_LSR_THRE             BIT(5) /* the holding register is empty */
#define UART_LSR_TEMT             BIT(6) /* the shift register is empty, too */

/* Reads of the line status register before a wait ends without success. Much longer than one
 * character at 9600 baud. A port that does not exist reads as all ones, and does not wait. */
#define UART_POLLS 10000000

struct uart16550 {
	uint32_t (*read)(unsigned reg);
	void (*write)(unsigned reg, uint8_t value);
};

static inline void uart16550_wait(const struct uart16550 *uart, uint64_t status)
{
	for (int i = 0; i < UART_POLLS && (uart->read(UART_LSR) & status) != status; i++)
		machine_relax();
}

static inline void uart16550_put(const struct uart16550 *uart, char c)
{
	uart16550_wait(uart, UART_LSR_THRE);
	uart->write(UART_THR, (uint8_t)c);
}

/* Waits until the last bit has left the shift register. */
static inline void uart16550_drain(const struct uart16550 *uart)
{
	uart16550_wait(uart, UART_LSR_TEMT);
}

#endif
