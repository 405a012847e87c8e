/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: COM1, a 16550 at its traditional I/O port. Firmware has set the speed. The frame
 * format is set here, because emulators obey it and some firmware leaves 7 data bits.
 */
#include "machine.h"
#include "machine/uart16550.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/init.h"

#define COM1 0x3f8

static uint32_t read_register(unsigned reg)
{
	return in8((uint16_t)(COM1 + reg));
}

static void write_register(unsigned reg, uint8_t value)
{
	out8((uint16_t)(COM1 + reg), value);
}

static const struct uart16550 uart = {read_register, write_register};

void console_init(void)
{
	write_register(UART_IER, 0);
	write_register(UART_LCR, UART_LCR_8N1);
	write_register(UART_FCR, UART_FCR_ENABLE_AND_CLEAR);
	write_register(UART_MCR, UART_MCR_DTR_RTS);
}

void machine_console_put(char c)
{
	uart16550_put(&uart, c);
}

void machine_console_drain(void)
{
	uart16550_drain(&uart);
}
