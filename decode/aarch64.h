/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores of A64, decoded from their encoding: for accesses to emulated devices that the
 * syndrome does not describe. Pure functions; tests/host compares them with the assembler.
 */
#ifndef DECODE_AARCH64_H
#define DECODE_AARCH64_H

#include <stdbool.h>
#include <stdint.h>

/* Why a device access is refused. */
enum a64_refusal {
	A64_ACCEPTED,
	A64_NOT_ACCESS,    /* no load or store, or one without data: PRFM, DC ZVA, tags */
	A64_ATOMIC,        /* exclusives, compare-and-swap, LSE: a device has no monitor */
	A64_VECTOR,        /* SIMD and floating point */
	A64_UNPREDICTABLE, /* write-back to a transferred register, a pair with one register twice
	                    */
	A64_UNALLOCATED,
	A64_REFUSALS,
};

enum a64_offset {
	A64_OFFSET_IMMEDIATE, /* base + imm */
	A64_OFFSET_REGISTER,  /* base + (Rm, extended) << shift */
	A64_OFFSET_PC,        /* PC + imm, no base */
};

enum a64_writeback {
	A64_KEEP,
	A64_PRE,  /* the base becomes the address */
	A64_POST, /* the address is the base; then the base becomes base + imm */
};

struct a64_access {
	uint8_t width; /* bytes per register */
	bool write;
	bool sign_extend;
	uint8_t reg_width; /* 4 or 8 bytes, to which the value is extended */
	uint8_t rt;        /* 31 is the zero register */
	bool pair;
	uint8_t rt2; /* if pair: at the address + width */
	enum a64_offset offset;
	uint8_t rn; /* 31 is the stack pointer */
	int64_t imm;
	uint8_t rm;     /* 31 is the zero register */
	uint8_t extend; /* the instruction's option field: 2 UXTW, 3 LSL, 6 SXTW, 7 SXTX */
	uint8_t shift;
	enum a64_writeback writeback;
};

/* Writes *out if it returns A64_ACCEPTED. */
enum a64_refusal a64_decode(uint32_t insn, struct a64_access *out);

/* "an exclusive or atomic access", never NULL. */
const char *a64_refusal_name(enum a64_refusal refusal);

/* The address of the access. `base` is the value of Rn, SP or PC; `index` that of Rm. */
uint64_t a64_address(const struct a64_access *access, uint64_t base, uint64_t index);

#endif
