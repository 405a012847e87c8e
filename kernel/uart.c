/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulated UART: the two registers of a 16550 that a guest needs to print by polling. A line is
 * logged when it ends, or when the buffer is full.
 */
#include "guests/abi.h"
#include "kernel/devices.h"
#include "log.h"
#include "mm/addr.h"

/* The caller holds the lock, or the VM does not run. */
static void emit(struct uart *uart)
{
	uart->line[uart->length] = '\0';
	log_line(LOG_INFO, "guest vm=%s: %s", uart->owner, uart->line);
	uart->length = 0;
}

static void receive(struct uart *uart, char c)
{
	uart->bytes++;
	if (c == '\n') {
		emit(uart);
		return;
	}
	if (uart->length == UART_LINE)
		emit(uart);
	uart->line[uart->length++] = c;
}

/* The registers of a 16550 have one byte. Wider accesses are refused, not split. */
static enum mm_error uart_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                               uint64_t *value)
{
	(void)dev;
	if (width != MM_WIDTH_1)
		return MM_UNSUPPORTED;
	*value = offset == GUEST_UART_LSR ? 0x60 : 0;
	return MM_OK;
}

static enum mm_error uart_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                uint64_t value)
{
	struct uart *uart = MM_CONTAINER_OF(dev, struct uart, device);

	if (width != MM_WIDTH_1)
		return MM_UNSUPPORTED;
	if (offset == GUEST_UART_DATA) {
		spin_lock(&uart->lock);
		receive(uart, (char)value);
		spin_unlock(&uart->lock);
	}
	return MM_OK;
}

static const struct mm_device_ops uart_ops = {uart_read, uart_write};

static void uart_start(struct mm_device *dev, const char *owner)
{
	MM_CONTAINER_OF(dev, struct uart, device)->owner = owner;
}

/* Logs a last line that has no newline. */
static void uart_stop(struct mm_device *dev)
{
	struct uart *uart = MM_CONTAINER_OF(dev, struct uart, device);

	if (uart->length != 0)
		emit(uart);
}

const struct device_class uart_class = {
	.config =
		{
			.name = "uart",
			.type = MM_DEVICE_TYPE_CONSOLE,
			.range = MM_DEVICE_AT_MMIO(GUEST_UART_BASE, MM_PAGE_SIZE),
		},
	.ops = &uart_ops,
	.bytes = sizeof(struct uart),
	.start = uart_start,
	.stop = uart_stop,
};

/* A UART of its own: what a guest writes to the one is not mixed into lines of the other. */
const struct device_class uart_ports_class = {
	.config =
		{
			.name = "uart-ports",
			.type = MM_DEVICE_TYPE_CONSOLE,
			.range = MM_DEVICE_AT_PORTS(GUEST_UART_PORT, GUEST_UART_PORTS),
		},
	.ops = &uart_ops,
	.bytes = sizeof(struct uart),
	.start = uart_start,
	.stop = uart_stop,
};
