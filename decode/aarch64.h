/*
 * The loads and stores of A64, from the instruction word to what they do: for the accesses to
 * emulated devices that the syndrome register does not describe. Pure; compiles on any host.
 */
#ifndef DECODE_AARCH64_H
#define DECODE_AARCH64_H

#include <stdbool.h>
#include <stdint.h>

/* Why a word is not done as a device access. */
enum a64_refusal {
	A64_ACCEPTED,
	A64_NOT_ACCESS,    /* no load or store, or one that moves no data: PRFM, DC ZVA, tags */
	A64_ATOMIC,        /* exclusives, compare-and-swap, LSE: devices have no monitor */
	A64_VECTOR,        /* SIMD and floating point */
	A64_UNPREDICTABLE, /* write-back to a transferred register, a pair into one */
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
	A64_PRE,  /* base becomes the address */
	A64_POST, /* the address is the base; then base becomes base + imm */
};

struct a64_access {
	uint8_t width; /* bytes per register */
	bool write;
	bool sign_extend;
	uint8_t reg_width; /* 4 or 8: how much of the destination the value is extended to */
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

/* *out is written if the answer is A64_ACCEPTED. */
enum a64_refusal a64_decode(uint32_t insn, struct a64_access *out);

/* "an exclusive or atomic access", never NULL. */
const char *a64_refusal_name(enum a64_refusal refusal);

/* Where the access begins. `base` is Rn, SP or PC, as offset says; `index` is Rm. */
uint64_t a64_address(const struct a64_access *access, uint64_t base, uint64_t index);

#endif
