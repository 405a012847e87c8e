/*
 * The emulated devices of the guest ABI: a UART that guests print to, and a block of registers
 * that says what it was asked. Both lock themselves; vCPUs may use them at once.
 */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

#include "mm/device.h"
#include "spinlock.h"

#define UART_LINE 120

/* A 16550's data register and line status; what is written comes out in the log, by lines. */
struct uart {
	struct device device;
	const char *owner; /* the VM's name, for the log */
	struct spinlock lock;
	char line[UART_LINE + 1];
	unsigned length;
	uint64_t bytes; /* written so far */
};

/* Registers of 8 bytes, at the offsets that guests/abi.h gives them: GUEST_TEST_*. */
#define TEST_REGISTERS 5

struct test_device {
	struct device device;
	struct spinlock lock; /* of writes */
	_Atomic uint64_t registers[TEST_REGISTERS];
};

void uart_init(struct uart *uart, const char *owner);
/* Logs what has not been ended by a newline. */
void uart_flush(struct uart *uart);
void test_device_init(struct test_device *test);

#endif
