/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode/aarch64.c against the assembler: every form it does, every field's ends, and that it
 * refuses the rest, for the right reason. Then a sweep over encodings for what no list has:
 * whatever is accepted must make sense.
 */
#include <string.h>

#include "check.h"
#include "decode/aarch64.h"

/* insns/aarch64.c's .text: one encoding in each word. */
extern const uint8_t arm_insns_start[], arm_insns_end[];
__asm__(".section .rodata\n\t.balign 8\n"
        "arm_insns_start:\n\t.incbin \"build/host/insns/aarch64.bin\"\n"
        "arm_insns_end:\n\t.previous");

enum kind {
	ZERO,
	SIGN,
	STORE,
};

struct expected {
	const char *text;
	enum a64_refusal refusal;
	enum kind kind;
	struct a64_access fields; /* write and sign_extend come from kind */
};

#define KEEP A64_KEEP
#define PRE  A64_PRE
#define POST A64_POST

#define ROW(text, kind, ...) {text, A64_ACCEPTED, kind, {__VA_ARGS__}},
#define ONE(text, kind, w, rw, rt_, rn_, imm_, wb)                                                 \
	ROW(text, kind, .width = (w), .reg_width = (rw), .rt = (rt_), .rn = (rn_), .imm = (imm_),  \
	    .writeback = (wb))
#define INDEX(text, kind, w, rw, rt_, rn_, rm_, extend_, shift_)                                   \
	ROW(text, kind, .width = (w), .reg_width = (rw), .rt = (rt_), .rn = (rn_),                 \
	    .offset = A64_OFFSET_REGISTER, .rm = (rm_), .extend = (extend_), .shift = (shift_))
#define PAIR(text, kind, w, rw, rt_, rt2_, rn_, imm_, wb)                                          \
	ROW(text, kind, .width = (w), .reg_width = (rw), .rt = (rt_), .pair = true, .rt2 = (rt2_), \
	    .rn = (rn_), .imm = (imm_), .writeback = (wb))
#define LITERAL(text, kind, w, rw, rt_, imm_)                                                      \
	ROW(text, kind, .width = (w), .reg_width = (rw), .rt = (rt_), .offset = A64_OFFSET_PC,     \
	    .imm = (imm_))
#define REFUSED(text, why) {text, A64_##why, ZERO, {0}},

static const struct expected table[] = {
#include "insns/aarch64.h"
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static uint32_t encoding(size_t row)
{
	uint32_t insn;

	memcpy(&insn, arm_insns_start + row * sizeof(insn), sizeof(insn));
	return insn;
}

static void check_fields(const struct a64_access *got, const struct expected *row)
{
	const struct a64_access *want = &row->fields;

	CHECK_EQ(got->write, row->kind == STORE);
	CHECK_EQ(got->sign_extend, row->kind == SIGN);
	CHECK_EQ(got->width, want->width);
	CHECK_EQ(got->reg_width, want->reg_width);
	CHECK_EQ(got->rt, want->rt);
	CHECK_EQ(got->pair, want->pair);
	CHECK_EQ(got->rt2, want->rt2);
	CHECK_EQ(got->offset, want->offset);
	CHECK_EQ(got->rn, want->rn);
	CHECK_EQ(got->imm, want->imm);
	CHECK_EQ(got->rm, want->rm);
	CHECK_EQ(got->extend, want->extend);
	CHECK_EQ(got->shift, want->shift);
	CHECK_EQ(got->writeback, want->writeback);
}

static void test_table(void **state)
{
	(void)state;
	CHECK_EQ(arm_insns_end - arm_insns_start, ROWS * sizeof(uint32_t));
	for (size_t i = 0; i < ROWS; i++) {
		struct a64_access got = {0};

		check_context("insn=\"%s\" encoding=%#x", table[i].text, encoding(i));
		CHECK_TEXT(a64_refusal_name(a64_decode(encoding(i), &got)),
		           a64_refusal_name(table[i].refusal));
		if (table[i].refusal == A64_ACCEPTED)
			check_fields(&got, &table[i]);
	}
}

/* Refused: nothing is written. */
static void test_refusal_writes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct a64_access got, before;

		memset(&got, 0x5a, sizeof(got));
		before = got;
		if (a64_decode(encoding(i), &got) != A64_ACCEPTED)
			CHECK_EQ(memcmp(&got, &before, sizeof(got)), 0);
	}
}

static void check_sense(const struct a64_access *a)
{
	CHECK(a->width == 1 || a->width == 2 || a->width == 4 || a->width == 8);
	CHECK(a->reg_width == 4 || a->reg_width == 8);
	CHECK(a->width <= a->reg_width);
	CHECK(!(a->write && a->sign_extend));
	CHECK(!a->sign_extend || a->width < a->reg_width);
	CHECK(a->rt < 32 && a->rt2 < 32 && a->rn < 32 && a->rm < 32);
	CHECK(a->writeback == A64_KEEP || a->offset == A64_OFFSET_IMMEDIATE);
	CHECK(a->writeback == A64_KEEP || a->rn == 31 || (a->rn != a->rt));
	CHECK(!a->pair || a->write || a->rt != a->rt2);
	CHECK(!a->pair || a->width >= 4);
}

/* Each value of the top eleven bits and of bits 15:10, with others at random. */
static void test_sweep(void **state)
{
	struct rng rng = rng_seeded(1);
	uint64_t accepted = 0;

	(void)state;
	for (uint32_t top = 0; top < 1U << 11; top++) {
		for (uint32_t i = 0; i < 1U << 10; i++) {
			uint32_t rest = (uint32_t)rng_next(&rng) & 0x1fffff;
			uint32_t insn = top << 21 | (rest & ~0xfc00U) | (i & 0x3f) << 10;
			struct a64_access got;

			check_context("encoding=%#x", insn);
			if (a64_decode(insn, &got) != A64_ACCEPTED)
				continue;
			accepted++;
			check_sense(&got);
		}
	}
	CHECK(accepted > 100000);
}

static uint64_t address_of(const char *text, uint64_t base, uint64_t index)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct a64_access got;

		if (strcmp(table[i].text, text) != 0)
			continue;
		CHECK_EQ(a64_decode(encoding(i), &got), A64_ACCEPTED);
		return a64_address(&got, base, index);
	}
	check_failed(__FILE__, __LINE__, "no row \"%s\"", text);
}

static void test_address(void **state)
{
	uint64_t minus_2 = UINT64_C(0x5a5a5a5afffffffe);

	(void)state;
	CHECK_EQ(address_of("ldrb w30, [x29, #4095]", 0x1000, 0), 0x1fff);
	CHECK_EQ(address_of("ldurb w0, [x1, #-256]", 0x1000, 0), 0xf00);
	CHECK_EQ(address_of("ldr x30, [sp, #-16]!", 0x1000, 0), 0xff0);
	CHECK_EQ(address_of("ldr w0, [x1], #255", 0x1000, 0), 0x1000);
	CHECK_EQ(address_of("ldp x0, x1, [x2, #-512]", 0x1000, 0), 0xe00);
	CHECK_EQ(address_of("ldr x1, .-1048576", 0x100000, 0), 0);
	CHECK_EQ(address_of("ldrh w0, [x1, x2, lsl #1]", 0x1000, 0x11), 0x1022);
	CHECK_EQ(address_of("ldr x0, [x1, w2, uxtw #3]", 0x1000, minus_2), 0x800000ff0);
	CHECK_EQ(address_of("ldr w0, [x1, w2, sxtw #2]", 0x1000, minus_2), 0xff8);
	CHECK_EQ(address_of("ldr x0, [x1, x2, sxtx]", 0x1000, UINT64_MAX), 0xfff);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < A64_REFUSALS; i++)
		CHECK(strcmp(a64_refusal_name((enum a64_refusal)i), "?") != 0);
	CHECK_TEXT(a64_refusal_name(A64_REFUSALS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_refusal_writes_nothing),
		cmocka_unit_test(test_sweep), cmocka_unit_test(test_address),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("decode_aarch64", tests, NULL, NULL);
}
