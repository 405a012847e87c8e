/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated devices and the bus that finds them.
 *
 * A device answers reads and writes in one range of one address kind: guest-physical (MMIO) of 64
 * bits, in accesses of 1, 2, 4 or 8 bytes; I/O port of 16 bits, in 1, 2 or 4 bytes; or system
 * register (CSR, MSR, MRS/MSR encodings) of 32 bits, one at a time: width 1. The bus
 * keeps devices sorted by base address, finds one by binary search, refuses overlapping ranges,
 * and refuses an access that does not lie wholly inside one device.
 *
 * MM_CONTAINER_OF finds the device's own state from its struct device. device_is() checks the type
 * before.
 *
 * Registration must not run concurrently with accesses. Accesses may run concurrently: a device
 * locks state that two vCPUs can access.
 */
#ifndef MM_DEVICE_H
#define MM_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"

MM_BEGIN_DECLS

enum device_space {
	DEVICE_MMIO,   /* guest-physical addresses */
	DEVICE_PORT,   /* x86 I/O ports */
	DEVICE_SYSREG, /* MSR numbers, CSR numbers, packed op0..op2 */
};

enum device_type {
	DEVICE_TYPE_NONE,
	DEVICE_TYPE_CONSOLE,
	DEVICE_TYPE_TEST, /* Faultline's register block for the mmio guest */
	DEVICE_TYPE_INTERRUPT_CONTROLLER,
	DEVICE_TYPE_TIMER,
	DEVICE_TYPE_VIRTIO,
	DEVICE_TYPE_PASSTHROUGH,
	DEVICE_TYPE_COUNT,
};

/* Half open: [base, base + length). device_range_inclusive() makes one from first and last. */
struct device_range {
	enum device_space space;
	uint64_t base;
	uint64_t length; /* bytes, ports or registers; not 0; the last one exists in its space */
};

struct device;

/* `offset` counts from the device's base, and offset + width lies inside its length. `width` is one
 * that the space has. A handler that returns an error (MM_UNSUPPORTED, MM_DENIED) has no effect. */
struct device_ops {
	enum mm_error (*read)(struct device *dev, uint64_t offset, unsigned width, uint64_t *value);
	enum mm_error (*write)(struct device *dev, uint64_t offset, unsigned width, uint64_t value);
};

/* The configuration of a device. */
struct device_config {
	const char *name;
	enum device_type type;
	struct device_range range;
	uint32_t irq;
	uint64_t args[4]; /* per type */
};

/* The bus does not use `irq` and `args`: they are for the handlers of the device, and for the code
 * that injects its interrupts. */
struct device {
	const char *name;
	enum device_type type;
	struct device_range range;
	uint32_t irq;
	uint64_t args[4];
	const struct device_ops *ops;
};

/* The caller provides the slots, one for each device that it will add. */
struct device_bus {
	struct device **slots; /* sorted by space, then base */
	size_t capacity;
	size_t count;
	/* The device of the last access. It is tried first. */
	MM_ATOMIC(struct device *) latest;
};

const char *device_type_name(enum device_type type);

bool device_range_valid(struct device_range range);
/* MM_INVALID: there is no such range, or its length does not fit in 64 bits. */
enum mm_error device_range_inclusive(enum device_space space, uint64_t first, uint64_t last,
                                     struct device_range *out) MM_MUST_CHECK;

void device_init(struct device *dev, const struct device_config *config,
                 const struct device_ops *ops);

/* Is this device of that type, with those handlers? Then MM_CONTAINER_OF is safe. */
static inline bool device_is(const struct device *dev, enum device_type type,
                             const struct device_ops *ops)
{
	return dev->type == type && dev->ops == ops;
}

void device_bus_init(struct device_bus *bus, struct device **slots, size_t capacity);

/* MM_INVALID: malformed range or no handlers. MM_EXISTS: overlaps one. MM_NO_MEMORY: no slot. */
enum mm_error device_bus_add(struct device_bus *bus, struct device *dev) MM_MUST_CHECK;
enum mm_error device_bus_remove(struct device_bus *bus, struct device *dev) MM_MUST_CHECK;

/* The device whose range contains addr, or NULL. Any space and address may be asked for. */
struct device *device_bus_find(const struct device_bus *bus, enum device_space space,
                               uint64_t addr);

/*
 * MM_INVALID: the space has no such width, or ends before the access does. MM_NOT_MAPPED: no
 * device at addr. MM_OUT_OF_RANGE: begins in one and ends outside it. Else what the handler
 * returns; *value is written only on MM_OK.
 */
enum mm_error device_bus_read(struct device_bus *bus, enum device_space space, uint64_t addr,
                              unsigned width, uint64_t *value) MM_MUST_CHECK;
enum mm_error device_bus_write(struct device_bus *bus, enum device_space space, uint64_t addr,
                               unsigned width, uint64_t value) MM_MUST_CHECK;

MM_END_DECLS

#endif
