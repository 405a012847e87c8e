/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * What an access to an emulated device names: the address and the width.
 *
 * A device answers at guest-physical addresses (mm_gpa_t of addr.h), at I/O ports, or at system
 * registers. Ports and registers are structs of one member, as the addresses are, so that a wrong
 * argument does not compile. A port has 16 bits and a register number has 32: the number of a
 * guest, a file or an exit is checked once, by mm_port_from_number() or mm_sysreg_from_number().
 *
 * All of these are pure functions, [any] by aspace.h's terms: they may run concurrently with
 * everything, allocate nothing, and keep no argument.
 */
#ifndef MM_DEVICE_ADDR_H
#define MM_DEVICE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"
#include "mm/error.h"

MM_BEGIN_DECLS

/** The width of an access. The value is the number of bytes. */
enum mm_width {
	MM_WIDTH_1 = 1, /**< a byte */
	MM_WIDTH_2 = 2, /**< 16 bits */
	MM_WIDTH_4 = 4, /**< 32 bits */
	MM_WIDTH_8 = 8, /**< 64 bits */
};

/** [any] Is this one of the four? A number that was cast to the type may be none. */
static inline bool mm_width_valid(enum mm_width width)
{
	return (unsigned)width <= 8 && (0x116U >> (unsigned)width & 1) != 0;
}

/** [any] The width of so many bytes. MM_INVALID, and *out untouched: no access has that width. */
static inline MM_MUST_CHECK enum mm_error mm_width_from_bytes(uint64_t bytes, enum mm_width *out)
{
	if (bytes > 8 || !mm_width_valid((enum mm_width)bytes))
		return MM_INVALID;
	*out = (enum mm_width)bytes;
	return MM_OK;
}

/** [any] The low bits of a value that an access of this width transfers; 0 if there is no such
 * width. */
static inline uint64_t mm_width_mask(enum mm_width width)
{
	return mm_width_valid(width) ? ~UINT64_C(0) >> (64 - 8 * (unsigned)width) : 0;
}

/**
 * Defines one kind of number, NUMBER_t, its range, struct NUMBER_range, and their functions. A
 * range is a first number and a count, and may end with the last number of the kind.
 */
#define MM_DEFINE_NUMBER_KIND(number, type, last_number, name)                                     \
	/* A number. A struct, so that kinds do not mix. */                                        \
	typedef struct {                                                                           \
		type raw; /* the number itself */                                                  \
	} number##_t;                                                                              \
                                                                                                   \
	/* A range of numbers: count of them from the first one. */                                \
	struct number##_range {                                                                    \
		number##_t first; /* its lowest number */                                          \
		uint64_t count;   /* not 0 */                                                      \
	};                                                                                         \
                                                                                                   \
	/* [any] The number, which has the type already. */                                        \
	static inline number##_t number##_at(type raw)                                             \
	{                                                                                          \
		number##_t made = {raw};                                                           \
		return made;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] MM_OUT_OF_RANGE, and *out untouched: the kind has no such number. */              \
	static inline MM_MUST_CHECK enum mm_error number##_from_number(uint64_t raw,               \
	                                                               number##_t *out)            \
	{                                                                                          \
		if (raw > (last_number))                                                           \
			return MM_OUT_OF_RANGE;                                                    \
		out->raw = (type)raw;                                                              \
		return MM_OK;                                                                      \
	}                                                                                          \
                                                                                                   \
	/* [any] False, and *sum untouched, if the kind has no such number. */                     \
	static inline MM_MUST_CHECK bool number##_add(number##_t base, uint64_t count,             \
	                                              number##_t *sum)                             \
	{                                                                                          \
		if (count > (last_number)-base.raw)                                                \
			return false;                                                              \
		sum->raw = (type)(base.raw + count);                                               \
		return true;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] A range. See number##_range_valid(). */                                           \
	static inline struct number##_range number##_range(number##_t first, uint64_t count)       \
	{                                                                                          \
		struct number##_range r = {first, count};                                          \
		return r;                                                                          \
	}                                                                                          \
                                                                                                   \
	/* [any] Both ends included. MM_INVALID, and *out untouched: `last` is below `first`. */   \
	static inline MM_MUST_CHECK enum mm_error number##_range_inclusive(                        \
		number##_t first, number##_t last, struct number##_range *out)                     \
	{                                                                                          \
		if (last.raw < first.raw)                                                          \
			return MM_INVALID;                                                         \
		out->first = first;                                                                \
		out->count = (uint64_t)last.raw - first.raw + 1;                                   \
		return MM_OK;                                                                      \
	}                                                                                          \
                                                                                                   \
	/* [any] Not empty, and its last number exists. */                                         \
	static inline bool number##_range_valid(struct number##_range r)                           \
	{                                                                                          \
		return r.count != 0 && r.count - 1 <= (last_number)-r.first.raw;                   \
	}                                                                                          \
                                                                                                   \
	/* [any] The last number of a valid range. */                                              \
	static inline number##_t number##_range_last(struct number##_range r)                      \
	{                                                                                          \
		r.first.raw = (type)(r.first.raw + (r.count - 1));                                 \
		return r.first;                                                                    \
	}                                                                                          \
                                                                                                   \
	/* [any] Is the number in the range? */                                                    \
	static inline bool number##_range_contains(struct number##_range r, number##_t one)        \
	{                                                                                          \
		return one.raw >= r.first.raw && (uint64_t)one.raw - r.first.raw < r.count;        \
	}                                                                                          \
                                                                                                   \
	/* [any] Have two valid ranges a number in common? */                                      \
	static inline bool number##_range_overlaps(struct number##_range a,                        \
	                                           struct number##_range b)                        \
	{                                                                                          \
		return number##_range_contains(a, b.first) || number##_range_contains(b, a.first); \
	}                                                                                          \
                                                                                                   \
	/* [any] As text: see mm_addr_format(). */                                                 \
	static inline size_t number##_format(char *buf, size_t size, number##_t one)               \
	{                                                                                          \
		return mm_addr_format(buf, size, name, one.raw);                                   \
	}                                                                                          \
                                                                                                   \
	/* [any] As text: see mm_addr_format_range(). */                                           \
	static inline size_t number##_range_format(char *buf, size_t size,                         \
	                                           struct number##_range r)                        \
	{                                                                                          \
		return mm_addr_format_range(buf, size, name, r.first.raw, r.count);                \
	}                                                                                          \
	struct number##_range /* the macro's caller ends it with a semicolon */

/* A range and the function that makes one have one name, which -Wshadow of g++ warns about. */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
/** An x86 I/O port. As text: "PORT:0x3f8", "PORT:0x3f8..0x3ff". */
MM_DEFINE_NUMBER_KIND(mm_port, uint16_t, UINT64_C(0xffff), "PORT");
/** A system register: an MSR number, a CSR number, or the packed op0..op2 of Arm. As text:
 * "SYSREG:0x40000080". */
MM_DEFINE_NUMBER_KIND(mm_sysreg, uint32_t, UINT64_C(0xffffffff), "SYSREG");
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/** An input of the VM's interrupt controller. */
typedef struct {
	uint32_t raw; /**< its number, from 0 */
} mm_irq_t;

/** [any] The line with this number. */
static inline mm_irq_t mm_irq_at(uint32_t raw)
{
	mm_irq_t irq = {raw};
	return irq;
}

MM_END_DECLS

#endif
