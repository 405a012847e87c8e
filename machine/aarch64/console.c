/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: PL011, Cadence and i.MX UARTs, by polling. Firmware has set the speed. The
 * transmitter is enabled here, if it is not yet.
 */
#include <stddef.h>

#include "machine.h"
#include "machine/aarch64/board.h"
#include "mm/bits.h"

/* Arm DDI 0183, PL011: 3.2. */
#define PL011_DR        0x00
#define PL011_FR        0x18
#define PL011_FR_BUSY   BIT(3)
#define PL011_FR_TXFF   BIT(5)
#define PL011_CR        0x30
#define PL011_CR_UARTEN BIT(0)
#define PL011_CR_TXE    BIT(8)

/* Xilinx UG1087, UART0: the Cadence UART. */
#define CADENCE_CR         0x00
#define CADENCE_CR_TX_EN   BIT(4)
#define CADENCE_CR_TX_DIS  BIT(5)
#define CADENCE_SR         0x2c
#define CADENCE_SR_EMPTY   BIT(3)
#define CADENCE_SR_FULL    BIT(4)
#define CADENCE_SR_TACTIVE BIT(11)
#define CADENCE_FIFO       0x30

/* NXP i.MX 8M Plus Applications Processor Reference Manual, 16.2.14: the i.MX UART. */
#define IMX_UTXD        0x40
#define IMX_UCR1        0x80
#define IMX_UCR1_UARTEN BIT(0)
#define IMX_UCR2        0x84
#define IMX_UCR2_SRST   BIT(0) /* 0 resets the UART */
#define IMX_UCR2_TXEN   BIT(2)
#define IMX_UTS         0xb4
#define IMX_UTS_TXFULL  BIT(4)
#define IMX_UTS_TXEMPTY BIT(6)

/* A kind of UART, as register offsets and bits: bits to set and to clear in its control register;
 * status bits for "full" and for "all sent"; the data register; bits to set in a second control
 * register, if it has one. */
struct uart {
	uint32_t control, control_set, control_clear;
	uint32_t status, full;
	uint32_t drained_set, drained_clear;
	uint32_t data;
	uint32_t enable, enable_set;
};

static const struct uart uarts[] = {
	[UART_PL011] = {PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE, 0, PL011_FR, PL011_FR_TXFF, 0,
                        PL011_FR_BUSY, PL011_DR, 0, 0},
	[UART_CADENCE] = {CADENCE_CR, CADENCE_CR_TX_EN, CADENCE_CR_TX_DIS, CADENCE_SR,
                          CADENCE_SR_FULL, CADENCE_SR_EMPTY, CADENCE_SR_TACTIVE, CADENCE_FIFO, 0,
                          0},
	[UART_IMX] = {IMX_UCR2, IMX_UCR2_SRST | IMX_UCR2_TXEN, 0, IMX_UTS, IMX_UTS_TXFULL,
                      IMX_UTS_TXEMPTY, 0, IMX_UTXD, IMX_UCR1, IMX_UCR1_UARTEN},
};

static void set_control(uint64_t address, uint32_t set, uint32_t clear)
{
	uint32_t control = mmio_read32(address);

	if ((control & set) != set || (control & clear) != 0)
		mmio_write32(address, (control & ~clear) | set);
}

static void put(const struct uart *uart, uint64_t base, char c)
{
	if (uart->enable_set != 0)
		set_control(base + uart->enable, uart->enable_set, 0);
	set_control(base + uart->control, uart->control_set, uart->control_clear);
	while ((mmio_read32(base + uart->status) & uart->full) != 0)
		;
	mmio_write32(base + uart->data, (uint8_t)c);
}

void machine_console_put(char c)
{
	if (board.uart == UART_NONE)
		return;
	if (c == '\n')
		put(&uarts[board.uart], board.uart_base.raw, '\r');
	put(&uarts[board.uart], board.uart_base.raw, c);
}

void machine_console_drain(void)
{
	const struct uart *uart = &uarts[board.uart];
	uint32_t status;

	if (board.uart == UART_NONE)
		return;
	do {
		status = mmio_read32(board.uart_base.raw + uart->status);
	} while ((status & uart->drained_set) != uart->drained_set ||
	         (status & uart->drained_clear) != 0);
}
