/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Addresses and address ranges.
 *
 * A hypervisor has four kinds of address, and must not mix them up. Each is a struct of one member
 * here, so that a wrong argument does not compile:
 *
 *	mm_gva_t --guest's stage 1--> mm_gpa_t --nested page table--> mm_hpa_t <--HAL--> mm_hva_t
 *
 * Only the HAL crosses hpa/hva; only a walk of a nested page table crosses gpa to hpa.
 *
 * A range is a start and a size in bytes, half open: [start, start + size). Its last byte is
 * start + size - 1, so a range may end at 2^64 exactly, and nothing here computes start + size.
 * A range whose last byte would lie beyond 2^64 - 1 is malformed. Functions that get a range from a
 * caller's data check it by *_range_valid().
 */
#ifndef MM_ADDR_H
#define MM_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/compiler.h"

MM_BEGIN_DECLS

/** The granule of every format here, and what the HAL calls a frame: as a power of two, in bytes.
 */
#define MM_PAGE_SHIFT 12U
#define MM_PAGE_SIZE  (UINT64_C(1) << MM_PAGE_SHIFT) /**< bytes of a page */

/** Leaf sizes by level: level 0 maps 4 KiB, and each level up 512 times as much. */
#define MM_LEVEL_SHIFT(level) (MM_PAGE_SHIFT + 9U * (unsigned)(level))
#define MM_LEVEL_SIZE(level)  (UINT64_C(1) << MM_LEVEL_SHIFT(level)) /**< bytes */

/** [any] The last multiple of `unit` that is not above the value. `unit` is a power of two, here
 * and below. */
static inline uint64_t mm_align_down(uint64_t value, uint64_t unit)
{
	return value & ~(unit - 1);
}

/** [any] The first multiple of `unit` that is not below the value. Wraps to 0 beyond the last
 * multiple; mm_gpa_align_up() and its like report that. */
static inline uint64_t mm_align_up(uint64_t value, uint64_t unit)
{
	return mm_align_down(value + (unit - 1), unit);
}

/** [any] Is the value a multiple of `unit`? */
static inline bool mm_is_aligned(uint64_t value, uint64_t unit)
{
	return (value & (unit - 1)) == 0;
}

/**
 * Defines one kind of address, KIND_t, its range, struct KIND_range, and their functions. The
 * four kinds share every line, and no function takes two kinds.
 */
#define MM_DEFINE_ADDRESS_KIND(kind)                                                               \
	/* An address in bytes. A struct, so that kinds do not mix. */                             \
	typedef struct {                                                                           \
		uint64_t raw; /* its number */                                                     \
	} kind##_t;                                                                                \
                                                                                                   \
	/* A range of addresses: [start, start + size). */                                         \
	struct kind##_range {                                                                      \
		kind##_t start; /* its first byte */                                               \
		uint64_t size;  /* bytes */                                                        \
	};                                                                                         \
                                                                                                   \
	/* [any] The address with this number. */                                                  \
	static inline kind##_t kind##_at(uint64_t raw)                                             \
	{                                                                                          \
		kind##_t addr = {raw};                                                             \
		return addr;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] Wraps modulo 2^64: for offsets already known to lie inside a valid range. */      \
	static inline kind##_t kind##_plus(kind##_t addr, uint64_t bytes)                          \
	{                                                                                          \
		addr.raw += bytes;                                                                 \
		return addr;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] False, and *sum untouched, if addr + bytes is not below 2^64. */                  \
	static inline MM_MUST_CHECK bool kind##_add(kind##_t addr, uint64_t bytes, kind##_t *sum)  \
	{                                                                                          \
		if (bytes > UINT64_MAX - addr.raw)                                                 \
			return false;                                                              \
		sum->raw = addr.raw + bytes;                                                       \
		return true;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] Bytes from `from` up to `to`; the caller ensures that from <= to. */              \
	static inline uint64_t kind##_diff(kind##_t to, kind##_t from)                             \
	{                                                                                          \
		return to.raw - from.raw;                                                          \
	}                                                                                          \
                                                                                                   \
	/* [any] The last multiple of unit, a power of two, that is not above addr. */             \
	static inline kind##_t kind##_align_down(kind##_t addr, uint64_t unit)                     \
	{                                                                                          \
		addr.raw = mm_align_down(addr.raw, unit);                                          \
		return addr;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] False if the next multiple of unit is 2^64. */                                    \
	static inline MM_MUST_CHECK bool kind##_align_up(kind##_t addr, uint64_t unit,             \
	                                                 kind##_t *up)                             \
	{                                                                                          \
		if (addr.raw > mm_align_down(UINT64_MAX, unit))                                    \
			return false;                                                              \
		up->raw = mm_align_up(addr.raw, unit);                                             \
		return true;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] Is addr a multiple of unit, a power of two? */                                    \
	static inline bool kind##_is_aligned(kind##_t addr, uint64_t unit)                         \
	{                                                                                          \
		return mm_is_aligned(addr.raw, unit);                                              \
	}                                                                                          \
                                                                                                   \
	/* [any] The range of `size` bytes from start. Not checked. */                             \
	static inline struct kind##_range kind##_range(kind##_t start, uint64_t size)              \
	{                                                                                          \
		struct kind##_range r = {start, size};                                             \
		return r;                                                                          \
	}                                                                                          \
                                                                                                   \
	/* [any] Not empty, and its last byte is at most 2^64 - 1. */                              \
	static inline bool kind##_range_valid(struct kind##_range r)                               \
	{                                                                                          \
		return r.size != 0 && r.size - 1 <= UINT64_MAX - r.start.raw;                      \
	}                                                                                          \
                                                                                                   \
	/* [any] The last byte of a valid range. */                                                \
	static inline kind##_t kind##_range_last(struct kind##_range r)                            \
	{                                                                                          \
		r.start.raw += r.size - 1;                                                         \
		return r.start;                                                                    \
	}                                                                                          \
                                                                                                   \
	/* [any] Does the address lie in the range? */                                             \
	static inline bool kind##_range_contains(struct kind##_range r, kind##_t addr)             \
	{                                                                                          \
		return addr.raw >= r.start.raw && addr.raw - r.start.raw < r.size;                 \
	}                                                                                          \
                                                                                                   \
	/* [any] Does all of `inner` lie in `outer`? Both are valid. */                            \
	static inline bool kind##_range_covers(struct kind##_range outer,                          \
	                                       struct kind##_range inner)                          \
	{                                                                                          \
		uint64_t offset = inner.start.raw - outer.start.raw;                               \
		return inner.start.raw >= outer.start.raw && offset < outer.size &&                \
		       inner.size <= outer.size - offset;                                          \
	}                                                                                          \
                                                                                                   \
	/* [any] Have two valid ranges a byte in common? */                                        \
	static inline bool kind##_range_overlaps(struct kind##_range a, struct kind##_range b)     \
	{                                                                                          \
		return kind##_range_contains(a, b.start) || kind##_range_contains(b, a.start);     \
	}                                                                                          \
                                                                                                   \
	/* [any] The bytes that two valid ranges share: size 0 if none. */                         \
	static inline struct kind##_range kind##_range_intersect(struct kind##_range a,            \
	                                                         struct kind##_range b)            \
	{                                                                                          \
		uint64_t start = a.start.raw > b.start.raw ? a.start.raw : b.start.raw;            \
		uint64_t last_a = a.start.raw + (a.size - 1);                                      \
		uint64_t last_b = b.start.raw + (b.size - 1);                                      \
		uint64_t last = last_a < last_b ? last_a : last_b;                                 \
		struct kind##_range r = {{start}, last < start ? 0 : last - start + 1};            \
		return r;                                                                          \
	}                                                                                          \
                                                                                                   \
	/* [any] Cuts a valid range at an address inside it, beyond its start: *low ends where     \
	 * *high begins. False, and nothing written, if `at` does not cut it in two. */            \
	static inline MM_MUST_CHECK bool kind##_range_split(struct kind##_range r, kind##_t at,    \
	                                                    struct kind##_range *low,              \
	                                                    struct kind##_range *high)             \
	{                                                                                          \
		if (at.raw <= r.start.raw || at.raw - r.start.raw >= r.size)                       \
			return false;                                                              \
		low->start = r.start;                                                              \
		low->size = at.raw - r.start.raw;                                                  \
		high->start = at;                                                                  \
		high->size = r.size - low->size;                                                   \
		return true;                                                                       \
	}                                                                                          \
                                                                                                   \
	/* [any] Do both ends lie on a multiple of unit? */                                        \
	static inline bool kind##_range_is_aligned(struct kind##_range r, uint64_t unit)           \
	{                                                                                          \
		return mm_is_aligned(r.start.raw | r.size, unit);                                  \
	}                                                                                          \
	struct kind##_range /* the macro's caller ends it with a semicolon */

/* A range and the function that makes one have one name, which -Wshadow of g++ warns about. */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
MM_DEFINE_ADDRESS_KIND(mm_gva); /* guest virtual: what the guest's instructions use */
MM_DEFINE_ADDRESS_KIND(mm_gpa); /* guest physical; Arm calls it IPA */
MM_DEFINE_ADDRESS_KIND(mm_hva); /* host virtual: what the hypervisor's instructions use */
MM_DEFINE_ADDRESS_KIND(mm_hpa); /* host physical: what the memory bus sees */
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

#define MM_ADDR_TEXT 48 /**< bytes, enough for any text of an address or a range */

/** [any] Text for logs: "GPA:0x40001000". At most `size` bytes of the caller's buffer are written,
 * the NUL included; the answer is the length that the whole text has, without the NUL. */
size_t mm_addr_format(char *buf, size_t size, const char *kind, uint64_t addr);
/** [any] The same for a range of so many bytes, with its last byte: "GPA:0x40000000..0x4fffffff",
 * or "GPA:0x40000000.." if it is empty. */
size_t mm_addr_format_range(char *buf, size_t size, const char *kind, uint64_t start,
                            uint64_t bytes);

/** Defines KIND_format() and KIND_range_format(): mm_addr_format() for one kind. */
#define MM_DEFINE_ADDRESS_TEXT(kind, name)                                                         \
	/* [any] As mm_addr_format(). */                                                           \
	static inline size_t kind##_format(char *buf, size_t size, kind##_t addr)                  \
	{                                                                                          \
		return mm_addr_format(buf, size, name, addr.raw);                                  \
	}                                                                                          \
	/* [any] As mm_addr_format_range(). */                                                     \
	static inline size_t kind##_range_format(char *buf, size_t size, struct kind##_range r)    \
	{                                                                                          \
		return mm_addr_format_range(buf, size, name, r.start.raw, r.size);                 \
	}                                                                                          \
	struct kind##_range /* the macro's caller ends it with a semicolon */

MM_DEFINE_ADDRESS_TEXT(mm_gva, "GVA");
MM_DEFINE_ADDRESS_TEXT(mm_gpa, "GPA");
MM_DEFINE_ADDRESS_TEXT(mm_hva, "HVA");
MM_DEFINE_ADDRESS_TEXT(mm_hpa, "HPA");

MM_END_DECLS

#endif
