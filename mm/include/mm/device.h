/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Emulated devices and the bus that finds them.
 *
 * A device answers reads and writes in one range of one address kind: guest-physical (MMIO) of 64
 * bits, in accesses of 1, 2, 4 or 8 bytes; I/O port of 16 bits, in 1, 2 or 4 bytes; or system
 * register of 32 bits, one whole register at a time. What has several ranges is several devices,
 * and mm_device_bus_add_group() adds them together. The bus keeps devices sorted by base address,
 * finds one by binary search, refuses overlapping ranges, and refuses an access that does not lie
 * wholly inside one device. It gives each interrupt line to one device.
 *
 * MM_CONTAINER_OF finds the device's own state from its struct mm_device. mm_device_is() checks the
 * type before.
 *
 * Concurrency: no other call on the same bus may run during an [exclusive] call, which changes the
 * bus. [shared] calls, accesses and queries, may run concurrently with each other: a device locks
 * state that two vCPUs can access. There is no lock here: the caller ensures it. [any]: pure.
 *
 * Ownership: the bus refers to its slots, its bitmap and its devices; a device refers to its name
 * and to its two arrays. Nothing is copied or freed. The caller keeps them, unchanged, until the
 * device is removed or the bus is no longer used.
 *
 * A call that returns an error has changed nothing.
 */
#ifndef MM_DEVICE_H
#define MM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/device_addr.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/* --- spaces and ranges --- */

/** The kinds of address that a device may have. */
enum mm_device_space {
	MM_DEVICE_MMIO,   /**< guest-physical addresses */
	MM_DEVICE_PORT,   /**< x86 I/O ports */
	MM_DEVICE_SYSREG, /**< MSR numbers, CSR numbers, packed op0..op2 */
};

/** [any] "mmio", "port", "sysreg"; "???" if there is no such space. */
const char *mm_device_space_name(enum mm_device_space space);

/** A range of any space, half open: [base, base + length). The functions below make one. */
struct mm_device_range {
	enum mm_device_space space; /**< which kind of address */
	uint64_t base;              /**< the first address, port or register */
	uint64_t length; /**< bytes, ports or registers; not 0; the last one exists in its space */
};

/** [any] The range of these guest-physical bytes. */
static inline struct mm_device_range mm_device_range_mmio(struct mm_gpa_range bytes)
{
	struct mm_device_range r = {MM_DEVICE_MMIO, bytes.start.raw, bytes.size};
	return r;
}

/** [any] The range of these ports. */
static inline struct mm_device_range mm_device_range_ports(struct mm_port_range ports)
{
	struct mm_device_range r = {MM_DEVICE_PORT, ports.first.raw, ports.count};
	return r;
}

/** [any] The range of these registers. */
static inline struct mm_device_range mm_device_range_sysregs(struct mm_sysreg_range registers)
{
	struct mm_device_range r = {MM_DEVICE_SYSREG, registers.first.raw, registers.count};
	return r;
}

/** [any] A range in memory as an initialiser of static data. mm_device_bus_add() checks it. */
#define MM_DEVICE_AT_MMIO(start, bytes)                                                            \
	{                                                                                          \
		MM_DEVICE_MMIO, (start), (bytes)                                                   \
	}
/** [any] The same of ports. */
#define MM_DEVICE_AT_PORTS(first, count)                                                           \
	{                                                                                          \
		MM_DEVICE_PORT, (first), (count)                                                   \
	}
/** [any] The same of system registers. */
#define MM_DEVICE_AT_SYSREGS(first, count)                                                         \
	{                                                                                          \
		MM_DEVICE_SYSREG, (first), (count)                                                 \
	}

/** [any] Is it a space, is the range not empty, and does its last address exist? */
bool mm_device_range_valid(struct mm_device_range range);
/**
 * [any] A range from unchecked numbers, both ends included. MM_INVALID: there is no such range, or
 * its length does not fit in 64 bits.
 */
enum mm_error mm_device_range_inclusive(enum mm_device_space space, uint64_t first, uint64_t last,
                                        struct mm_device_range *out) MM_MUST_CHECK;
/**
 * [any] Text for logs: "GPA:0x10000000..0x10000fff", "PORT:0x3f8..0x3ff", "SYSREG:0x10..0x11". At
 * most `size` bytes are written, the NUL included; MM_ADDR_TEXT bytes are enough. The answer is the
 * length that the whole text has.
 */
size_t mm_device_range_format(char *buf, size_t size, struct mm_device_range range);

/* --- kinds of devices --- */

/**
 * The numbers up to 0xff are those of ArceOS (axvm-types, EmulatedDeviceType), so that its
 * configuration files can be read. The numbers from 0x100 are the library's own.
 */
enum mm_device_type {
	MM_DEVICE_TYPE_DUMMY = 0x00,                /**< of no kind that is listed here */
	MM_DEVICE_TYPE_INTERRUPT_CONTROLLER = 0x01, /**< Arm: GICv2; x86: local APIC */
	MM_DEVICE_TYPE_CONSOLE = 0x02,              /**< a serial port */
	MM_DEVICE_TYPE_FW_CFG = 0x03,               /**< QEMU's firmware configuration */
	MM_DEVICE_TYPE_IVC_CHANNEL = 0x0a,          /**< memory that two VMs share */
	MM_DEVICE_TYPE_GPPT_REDISTRIBUTOR = 0x20,   /**< GIC, partly passed through */
	MM_DEVICE_TYPE_GPPT_DISTRIBUTOR = 0x21,     /**< the same */
	MM_DEVICE_TYPE_GPPT_ITS = 0x22,             /**< the same */
	MM_DEVICE_TYPE_X86_IO_APIC = 0x23,          /**< interrupt inputs */
	MM_DEVICE_TYPE_X86_PIT = 0x24,              /**< 8254 */
	MM_DEVICE_TYPE_LOONGARCH_PCH_PIC = 0x25,    /**< interrupt inputs */
	MM_DEVICE_TYPE_PPPT_GLOBAL = 0x30,          /**< RISC-V PLIC, partly passed through */
	MM_DEVICE_TYPE_VIRTIO_BLK = 0xe1,           /**< a disk */
	MM_DEVICE_TYPE_VIRTIO_NET = 0xe2,           /**< a network card */
	MM_DEVICE_TYPE_VIRTIO_CONSOLE = 0xe3,       /**< a terminal */
	MM_DEVICE_TYPE_TEST = 0x100,                /**< a register block for tests */
	MM_DEVICE_TYPE_TIMER = 0x101,               /**< any other timer */
	MM_DEVICE_TYPE_PASSTHROUGH = 0x102,         /**< a device of the host */
};

/** [any] "virtio-blk", never NULL; "unknown" if there is no such kind. */
const char *mm_device_type_name(enum mm_device_type type);
/**
 * [any] The kind of this name. Case does not matter, nor do '-', '_' and ' ': "VirtioBlk" is
 * "virtio-blk". MM_INVALID, and *out untouched: NULL, or no kind has the name.
 */
enum mm_error mm_device_type_from_name(const char *name, enum mm_device_type *out) MM_MUST_CHECK;
/** [any] The kind of this number. MM_INVALID, and *out untouched: no kind has it. */
enum mm_error mm_device_type_from_number(uint64_t number, enum mm_device_type *out) MM_MUST_CHECK;

/* --- devices --- */

struct mm_device;

/**
 * `offset` counts from the device's base, in bytes, ports or registers. The access lies inside the
 * device's length. `width` is one that the space has; a system register is accessed whole, with
 * MM_WIDTH_8. A handler that returns an error (MM_UNSUPPORTED, MM_DENIED) has no effect.
 */
struct mm_device_ops {
	/** Reads into *value, whose other bits are ignored. */
	enum mm_error (*read)(struct mm_device *dev, uint64_t offset, enum mm_width width,
	                      uint64_t *value);
	/** Writes the low bits of value. */
	enum mm_error (*write)(struct mm_device *dev, uint64_t offset, enum mm_width width,
	                       uint64_t value);
};

/** The configuration of a device. Both arrays are the caller's, and are kept by reference. */
struct mm_device_config {
	const char *name;             /**< for logs; stays the caller's */
	enum mm_device_type type;     /**< the kind; for mm_device_is() */
	struct mm_device_range range; /**< its addresses */
	const mm_irq_t *irqs;         /**< its interrupt lines; NULL if irq_count is 0 */
	size_t irq_count;             /**< lines */
	const uint64_t *args;         /**< what the kind defines; NULL if arg_count is 0 */
	size_t arg_count;             /**< arguments */
};

/** A device on a bus, or before. mm_device_init() fills it. */
struct mm_device {
	const char *name;                /**< for logs */
	enum mm_device_type type;        /**< the kind; for mm_device_is() */
	struct mm_device_range range;    /**< its addresses */
	const struct mm_device_ops *ops; /**< its handlers */
	const mm_irq_t *irqs;            /**< its interrupt lines */
	size_t irq_count;                /**< lines */
	const uint64_t *args;            /**< what the kind defines: mm_device_arg() */
	size_t arg_count;                /**< arguments */
};

/** [exclusive] Makes a device in memory of the caller. The configuration itself need not stay; its
 * name, its arrays and the handlers do. Cannot fail: mm_device_bus_add() checks the device. */
void mm_device_init(struct mm_device *dev, const struct mm_device_config *config,
                    const struct mm_device_ops *ops);

/** [any] Is this device of that type, with those handlers? Then MM_CONTAINER_OF is safe. */
static inline bool mm_device_is(const struct mm_device *dev, enum mm_device_type type,
                                const struct mm_device_ops *ops)
{
	return dev->type == type && dev->ops == ops;
}

/** [any] One argument. MM_OUT_OF_RANGE, and *value untouched: the list is shorter. */
enum mm_error mm_device_arg(const struct mm_device *dev, size_t index,
                            uint64_t *value) MM_MUST_CHECK;

/* --- the bus --- */

/** The caller provides the slots, one for each device that it will add. */
struct mm_device_bus {
	struct mm_device **slots; /**< sorted by space, then base */
	size_t capacity;          /**< slots */
	size_t count;             /**< slots in use */
	/** The device of the last access. It is tried first. */
	MM_ATOMIC(struct mm_device *) latest;
	uint64_t *lines;     /**< bit n % 64 of word n / 64: line n is claimed */
	uint64_t line_count; /**< lines 0 to line_count - 1 exist */
};

/** [exclusive] An empty bus, without interrupt lines. */
void mm_device_bus_init(struct mm_device_bus *bus, struct mm_device **slots, size_t capacity);

/** Words of the bitmap of so many interrupt lines. */
#define MM_DEVICE_LINE_WORDS(lines) (((lines) + 63) / 64)

/**
 * [exclusive] Gives an empty bus its interrupt lines, all unclaimed. `bitmap` has
 * MM_DEVICE_LINE_WORDS(lines) words and is cleared. MM_BUSY: there are devices on the bus.
 * MM_INVALID: no bitmap, or more than 2^32 lines.
 */
enum mm_error mm_device_bus_set_lines(struct mm_device_bus *bus, uint64_t *bitmap,
                                      uint64_t lines) MM_MUST_CHECK;

/**
 * [exclusive] Adds a device and claims its interrupt lines. MM_INVALID: malformed range, no
 * handlers, or an array without an address. MM_EXISTS: the range overlaps one, or a line is
 * claimed, or listed twice. MM_OUT_OF_RANGE: the bus has no such line. MM_NO_MEMORY: no slot.
 */
enum mm_error mm_device_bus_add(struct mm_device_bus *bus, struct mm_device *dev) MM_MUST_CHECK;
/** [exclusive] Removes a device and releases its lines. MM_NOT_MAPPED: it is not on the bus. */
enum mm_error mm_device_bus_remove(struct mm_device_bus *bus, struct mm_device *dev) MM_MUST_CHECK;

/** [exclusive] Adds all of these devices or none. The errors are those of mm_device_bus_add(). */
enum mm_error mm_device_bus_add_group(struct mm_device_bus *bus, struct mm_device *const devs[],
                                      size_t count) MM_MUST_CHECK;
/** [exclusive] Removes all of these devices or none. MM_NOT_MAPPED: one is not on the bus, or
 * listed twice. */
enum mm_error mm_device_bus_remove_group(struct mm_device_bus *bus, struct mm_device *const devs[],
                                         size_t count) MM_MUST_CHECK;

/**
 * [shared] The devices in the order of the bus, by space and then address: the first one if `after`
 * is NULL, NULL after the last. `after` may have been removed meanwhile.
 */
struct mm_device *mm_device_bus_next(const struct mm_device_bus *bus,
                                     const struct mm_device *after);

/**
 * [exclusive] Claims a line for something that is not a device on the bus. MM_OUT_OF_RANGE: the bus
 * has no such line. MM_EXISTS: it is claimed.
 */
enum mm_error mm_device_bus_claim_line(struct mm_device_bus *bus, mm_irq_t irq) MM_MUST_CHECK;
/**
 * [exclusive] Releases what mm_device_bus_claim_line() has claimed. MM_OUT_OF_RANGE: no such line.
 * MM_NOT_MAPPED: it is not claimed. MM_DENIED: it is a device's, which has to be removed.
 */
enum mm_error mm_device_bus_release_line(struct mm_device_bus *bus, mm_irq_t irq) MM_MUST_CHECK;
/** [shared] The device that has the line, or NULL. Looks at each device. */
struct mm_device *mm_device_bus_line_owner(const struct mm_device_bus *bus, mm_irq_t irq);

/** [shared] The device whose range contains the address, or NULL. */
struct mm_device *mm_device_bus_find_mmio(const struct mm_device_bus *bus, mm_gpa_t gpa);
/** [shared] The device that has the port, or NULL. */
struct mm_device *mm_device_bus_find_port(const struct mm_device_bus *bus, mm_port_t port);
/** [shared] The device that has the register, or NULL. */
struct mm_device *mm_device_bus_find_sysreg(const struct mm_device_bus *bus, mm_sysreg_t reg);

/**
 * [shared] A read of a guest, passed to the device there. The value is in the low bits of *value.
 *
 * MM_INVALID: the space has no such width, or ends before the access does. MM_NOT_MAPPED: no
 * device at the address. MM_OUT_OF_RANGE: begins in one and ends outside it. Else what the handler
 * returns; *value is written only on MM_OK.
 */
enum mm_error mm_device_bus_read_mmio(struct mm_device_bus *bus, mm_gpa_t gpa, enum mm_width width,
                                      uint64_t *value) MM_MUST_CHECK;
/** [shared] A write of the low bits of `value`. Errors as mm_device_bus_read_mmio(). */
enum mm_error mm_device_bus_write_mmio(struct mm_device_bus *bus, mm_gpa_t gpa, enum mm_width width,
                                       uint64_t value) MM_MUST_CHECK;
/** [shared] IN of 1, 2 or 4 bytes. Errors as mm_device_bus_read_mmio(). */
enum mm_error mm_device_bus_read_port(struct mm_device_bus *bus, mm_port_t port,
                                      enum mm_width width, uint64_t *value) MM_MUST_CHECK;
/** [shared] OUT of 1, 2 or 4 bytes. Errors as mm_device_bus_read_mmio(). */
enum mm_error mm_device_bus_write_port(struct mm_device_bus *bus, mm_port_t port,
                                       enum mm_width width, uint64_t value) MM_MUST_CHECK;
/** [shared] A whole register: MM_NOT_MAPPED, or what the handler returns. */
enum mm_error mm_device_bus_read_sysreg(struct mm_device_bus *bus, mm_sysreg_t reg,
                                        uint64_t *value) MM_MUST_CHECK;
/** [shared] A whole register: MM_NOT_MAPPED, or what the handler returns. */
enum mm_error mm_device_bus_write_sysreg(struct mm_device_bus *bus, mm_sysreg_t reg,
                                         uint64_t value) MM_MUST_CHECK;

MM_END_DECLS

#endif
