/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Emulated devices and the bus that finds them.
 *
 * A device answers reads and writes in one range of one address kind: guest-physical (MMIO) of 64
 * bits, in accesses of 1, 2, 4 or 8 bytes; I/O port of 16 bits, in 1, 2 or 4 bytes; or system
 * register (CSR, MSR, MRS/MSR encodings) of 32 bits, one at a time: width 1. The bus
 * keeps devices sorted by base address, finds one by binary search, refuses overlapping ranges,
 * and refuses an access that does not lie wholly inside one device.
 *
 * MM_CONTAINER_OF finds the device's own state from its struct mm_device. mm_device_is() checks the
 * type before.
 *
 * Concurrency: no other call on the same bus may run during an [exclusive] call: registration and
 * removal. [shared] calls may run concurrently with each other: a device locks state that two vCPUs
 * can access. There is no lock here: the caller ensures it.
 */
#ifndef MM_DEVICE_H
#define MM_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/** The kinds of address that a device may have. */
enum mm_device_space {
	MM_DEVICE_MMIO,   /**< guest-physical addresses */
	MM_DEVICE_PORT,   /**< x86 I/O ports */
	MM_DEVICE_SYSREG, /**< MSR numbers, CSR numbers, packed op0..op2 */
};

/** The kinds of device. */
enum mm_device_type {
	MM_DEVICE_TYPE_NONE,
	MM_DEVICE_TYPE_CONSOLE,
	MM_DEVICE_TYPE_TEST, /**< Faultline's register block for the mmio guest */
	MM_DEVICE_TYPE_INTERRUPT_CONTROLLER,
	MM_DEVICE_TYPE_TIMER,
	MM_DEVICE_TYPE_VIRTIO,
	MM_DEVICE_TYPE_PASSTHROUGH,
	MM_DEVICE_TYPE_COUNT,
};

/** A range of one space. Half open: [base, base + length). mm_device_range_inclusive() makes one
 * from first and last. */
struct mm_device_range {
	enum mm_device_space space; /**< which kind of address */
	uint64_t base;              /**< the first address, port or register */
	uint64_t length; /**< bytes, ports or registers; not 0; the last one exists in its space */
};

struct mm_device;

/** `offset` counts from the device's base, and offset + width lies inside its length. `width` is
 * one that the space has. A handler that returns an error (MM_UNSUPPORTED, MM_DENIED) has no
 * effect. */
struct mm_device_ops {
	/** Reads `width` bytes into *value. */
	enum mm_error (*read)(struct mm_device *dev, uint64_t offset, unsigned width,
	                      uint64_t *value);
	/** Writes the low `width` bytes of value. */
	enum mm_error (*write)(struct mm_device *dev, uint64_t offset, unsigned width,
	                       uint64_t value);
};

/** The configuration of a device. */
struct mm_device_config {
	const char *name;             /**< for logs; stays the caller's */
	enum mm_device_type type;     /**< the kind; for mm_device_is() */
	struct mm_device_range range; /**< its addresses */
	uint32_t irq;                 /**< number of its interrupt line */
	uint64_t args[4];             /**< per type */
};

/** The bus does not use `irq` and `args`: they are for the handlers of the device, and for the code
 * that injects its interrupts. */
struct mm_device {
	const char *name;                /**< for logs */
	enum mm_device_type type;        /**< the kind; for mm_device_is() */
	struct mm_device_range range;    /**< its addresses */
	uint32_t irq;                    /**< number of its interrupt line */
	uint64_t args[4];                /**< per type */
	const struct mm_device_ops *ops; /**< its handlers */
};

/** The caller provides the slots, one for each device that it will add. */
struct mm_device_bus {
	struct mm_device **slots; /**< sorted by space, then base */
	size_t capacity;          /**< slots */
	size_t count;             /**< slots in use */
	/** The device of the last access. It is tried first. */
	MM_ATOMIC(struct mm_device *) latest;
};

/** [any] "console", "unknown", never NULL: for logs. A constant string. */
const char *mm_device_type_name(enum mm_device_type type);

/** [any] Is the range not empty, and does its last address exist in its space? */
bool mm_device_range_valid(struct mm_device_range range);
/** [any] Makes a range of its first and last address. MM_INVALID: there is no such range, or its
 * length does not fit in 64 bits. */
enum mm_error mm_device_range_inclusive(enum mm_device_space space, uint64_t first, uint64_t last,
                                        struct mm_device_range *out) MM_MUST_CHECK;

/** [exclusive] Makes a device in memory of the caller. The configuration is copied; its name and
 * the handlers stay the caller's, and outlive the device. Cannot fail. */
void mm_device_init(struct mm_device *dev, const struct mm_device_config *config,
                    const struct mm_device_ops *ops);

/** [any] Is this device of that type, with those handlers? Then MM_CONTAINER_OF is safe. */
static inline bool mm_device_is(const struct mm_device *dev, enum mm_device_type type,
                                const struct mm_device_ops *ops)
{
	return dev->type == type && dev->ops == ops;
}

/** [exclusive] Makes a bus without devices. `slots` stays the caller's, and outlives the bus. */
void mm_device_bus_init(struct mm_device_bus *bus, struct mm_device **slots, size_t capacity);

/** [exclusive] Adds a device, which stays the caller's until it is removed. MM_INVALID: malformed
 * range or no handlers. MM_EXISTS: overlaps one. MM_NO_MEMORY: no slot. */
enum mm_error mm_device_bus_add(struct mm_device_bus *bus, struct mm_device *dev) MM_MUST_CHECK;
/** [exclusive] Removes a device. MM_NOT_MAPPED: it is not on the bus. */
enum mm_error mm_device_bus_remove(struct mm_device_bus *bus, struct mm_device *dev) MM_MUST_CHECK;

/** [shared] The device whose range contains addr, or NULL. Any space and address may be asked for.
 */
struct mm_device *mm_device_bus_find(const struct mm_device_bus *bus, enum mm_device_space space,
                                     uint64_t addr);

/**
 * [shared] Passes a read of `width` bytes (for system registers: 1) to the device at addr.
 * MM_INVALID: the space has no such width, or ends before the access does. MM_NOT_MAPPED: no
 * device at addr. MM_OUT_OF_RANGE: begins in one and ends outside it. Else what the handler
 * returns; *value is written only on MM_OK.
 */
enum mm_error mm_device_bus_read(struct mm_device_bus *bus, enum mm_device_space space,
                                 uint64_t addr, unsigned width, uint64_t *value) MM_MUST_CHECK;
/** [shared] Passes a write to the device at addr. Units and errors as mm_device_bus_read(). */
enum mm_error mm_device_bus_write(struct mm_device_bus *bus, enum mm_device_space space,
                                  uint64_t addr, unsigned width, uint64_t value) MM_MUST_CHECK;

MM_END_DECLS

#endif
