/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated devices that every VM has. A device is one file, which defines a struct device_class
 * (uart.c is the shortest), and one line in device_list.inc.
 *
 * A device locks its own state, because several vCPUs may use it at once.
 */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

#include <stddef.h>

#include "mm/device.h"
#include "spinlock.h"

/* Bytes that a device has for its state in each VM. */
#define DEVICE_STATE 256

struct device_class {
	struct mm_device_config config;
	const struct mm_device_ops *ops;
	/* Size of its state, at most DEVICE_STATE. The state is a struct that begins with a
	 * struct mm_device. It is cleared when the VM is created. */
	size_t bytes;
	/* Called after mm_device_init(). `owner` is the VM's name and outlives the VM. NULL: none.
	 */
	void (*start)(struct mm_device *dev, const char *owner);
	/* Called when the VM is destroyed. NULL: none. */
	void (*stop)(struct mm_device *dev);
};

/* All device classes, and their number. */
extern const struct device_class *const device_classes[];
extern const size_t device_class_count;

/* Initialises a device in its cleared state. */
void device_class_init(const struct device_class *class, struct mm_device *dev, const char *owner);

/* --- the devices whose state the tests read --- */

#define UART_LINE 120

/* A 16550's data register and line status. What is written appears in the log, line by line. */
struct uart {
	struct mm_device device;
	const char *owner; /* the VM's name, for the log */
	struct spinlock lock;
	char line[UART_LINE + 1];
	unsigned length;
	uint64_t bytes; /* written so far */
};

/* Registers of 8 bytes, at the offsets that guests/abi.h gives them: GUEST_TEST_*. */
#define TEST_REGISTERS 5

struct test_device {
	struct mm_device device;
	struct spinlock lock; /* of writes */
	_Atomic uint64_t registers[TEST_REGISTERS];
};

/* On the bus of every VM. Only x86-64 has instructions that reach the two classes of the second
 * line. */
extern const struct device_class uart_class, test_class;
extern const struct device_class uart_ports_class, test_msrs_class;

#endif
