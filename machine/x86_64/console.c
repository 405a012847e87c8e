/*
 * COM1, a 16550 at its traditional port, polled. Firmware has chosen the speed; what we set is
 * the frame, because emulators honour it and some firmware leaves 7 bits behind.
 */
#include "machine/x86_64/console.h"

#include "machine.h"
#include "machine/x86_64/cpu.h"

#define COM1 0x3f8

/* Register offsets. */
#define UART_THR 0 /* transmit holding */
#define UART_IER 1 /* interrupt enable */
#define UART_FCR 2 /* FIFO control */
#define UART_LCR 3 /* line control */
#define UART_MCR 4 /* modem control */
#define UART_LSR 5 /* line status */

#define FCR_ENABLE_AND_CLEAR 0x07
#define LCR_8N1              0x03 /* the divisor latch bit is clear too */
#define MCR_DTR_RTS          0x03
#define LSR_THR_EMPTY        0x20 /* room for a byte */
#define LSR_IDLE             0x40 /* the shift register is empty as well */

/* A port that floats reads all ones, and one that never drains is broken: either way the run
 * must end. Far above a byte's time at 9600 baud on any machine. */
#define PATIENCE 10000000

static void wait_for(uint8_t bits)
{
	for (int i = 0; i < PATIENCE && (in8(COM1 + UART_LSR) & bits) != bits; i++)
		cpu_pause();
}

void console_init(void)
{
	out8(COM1 + UART_IER, 0);
	out8(COM1 + UART_LCR, LCR_8N1);
	out8(COM1 + UART_FCR, FCR_ENABLE_AND_CLEAR);
	out8(COM1 + UART_MCR, MCR_DTR_RTS);
}

void machine_console_put(char c)
{
	wait_for(LSR_THR_EMPTY);
	out8(COM1 + UART_THR, (uint8_t)c);
}

void machine_console_drain(void)
{
	wait_for(LSR_IDLE);
}
