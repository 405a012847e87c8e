/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode/x86_64.c against the assembler: every form it does, every shape of memory operand,
 * and that it refuses the rest; cut short at every byte; and a sweep of random bytes for what no
 * list has.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "decode/x86_64.h"
#include "x86/guest_regs.h"

/* insns/x86_64.c's .text: a length and up to 15 bytes in each 16. */
extern const uint8_t x86_insns_start[], x86_insns_end[];
__asm__(".section .rodata\n\t.balign 16\n"
        "x86_insns_start:\n\t.incbin \"build/host/insns/x86_64.bin\"\n"
        "x86_insns_end:\n\t.previous");

#define CELL_BYTES 16

enum other {
	OTHER_NONE, /* refused */
	OTHER_TO,
	OTHER_SIGN,
	OTHER_FROM,
	OTHER_IMMEDIATE,
	OTHER_STRING,
};

struct expected {
	const char *text;
	unsigned code_width;
	enum insn_op op;
	uint8_t width;
	struct {
		enum other kind;
		uint8_t reg, width;
		bool high, repeat;
		int64_t value;
	} other;
	struct {
		uint8_t segment, base, index, scale;
		int64_t displacement;
		uint8_t width;
	} memory;
};

/* The registers that guest_regs.h has no need to name. */
enum {
	GPR_R9 = 9,
	GPR_R10,
	GPR_R11,
	GPR_R12,
	GPR_R13,
	GPR_R14,
	GPR_NO = INSN_NO_REG,
	GPR_RIP = INSN_RIP,
};

#define TO(reg, width)                                                                             \
	{                                                                                          \
		OTHER_TO, GPR_##reg, width, false, false, 0                                        \
	}
#define TO_HIGH(reg, width)                                                                        \
	{                                                                                          \
		OTHER_TO, GPR_##reg, width, true, false, 0                                         \
	}
#define SIGN(reg, width)                                                                           \
	{                                                                                          \
		OTHER_SIGN, GPR_##reg, width, false, false, 0                                      \
	}
#define FROM(reg, width)                                                                           \
	{                                                                                          \
		OTHER_FROM, GPR_##reg, width, false, false, 0                                      \
	}
#define FROM_HIGH(reg, width)                                                                      \
	{                                                                                          \
		OTHER_FROM, GPR_##reg, width, true, false, 0                                       \
	}
#define IMM(value)                                                                                 \
	{                                                                                          \
		OTHER_IMMEDIATE, 0, 0, false, false, value                                         \
	}
#define ONCE false
#define REP  true
#define STRING(repeat)                                                                             \
	{                                                                                          \
		OTHER_STRING, 0, 0, false, repeat, 0                                               \
	}
#define AT(segment, base, index, scale, displacement, width)                                       \
	{                                                                                          \
		SEGMENT_##segment, GPR_##base, GPR_##index, scale, displacement, width             \
	}

/* clang-format off */
#define INSN(text, op, width, other, memory)   {text, 8, INSN_##op, width, other, memory},
#define INSN32(text, op, width, other, memory) {text, 4, INSN_##op, width, other, memory},
#define INSN16(text, op, width, other, memory) {text, 2, INSN_##op, width, other, memory},
#define REFUSED(name)   {.text = name, .code_width = 8},
#define REFUSED32(name) {.text = name, .code_width = 4},
/* clang-format on */

static const struct expected table[] = {
#include "insns/x86_64.h"
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static const uint8_t *cell(size_t row)
{
	return x86_insns_start + row * CELL_BYTES;
}

static void check_other(const struct insn *got, const struct expected *row)
{
	CHECK_EQ(got->immediate, row->other.kind == OTHER_IMMEDIATE);
	switch (row->other.kind) {
	case OTHER_IMMEDIATE:
		CHECK_EQ(got->value, (uint64_t)row->other.value);
		break;
	case OTHER_STRING:
		CHECK_EQ(got->repeat, row->other.repeat);
		CHECK_EQ(got->reg_width, row->width);
		break;
	default:
		CHECK_EQ(got->to_register, row->other.kind != OTHER_FROM);
		CHECK_EQ(got->sign_extend, row->other.kind == OTHER_SIGN);
		CHECK_EQ(got->reg, row->other.reg);
		CHECK_EQ(got->reg_width, row->other.width);
		CHECK_EQ(got->high_byte, row->other.high);
	}
}

static void check_memory(const struct insn *got, const struct expected *row)
{
	CHECK_EQ(got->width, row->width);
	CHECK_EQ(got->segment, row->memory.segment);
	CHECK_EQ(got->base, row->memory.base);
	CHECK_EQ(got->index, row->memory.index);
	CHECK_EQ(got->scale, row->memory.scale);
	CHECK_EQ(got->displacement, row->memory.displacement);
	CHECK_EQ(got->address_width, row->memory.width);
}

static void test_table(void **state)
{
	(void)state;
	CHECK_EQ(x86_insns_end - x86_insns_start, ROWS * CELL_BYTES);
	for (size_t i = 0; i < ROWS; i++) {
		const struct expected *row = &table[i];
		uint8_t bytes[INSN_MAX_BYTES];
		struct insn got;

		/* What follows the instruction must not matter. */
		memset(bytes, 0xa5, sizeof(bytes));
		memcpy(bytes, cell(i) + 1, cell(i)[0]);
		check_context("insn=\"%s\"", row->text);
		CHECK_EQ(insn_decode(bytes, sizeof(bytes), row->code_width, &got),
		         row->other.kind == OTHER_NONE ? INSN_REFUSED : INSN_OK);
		if (row->other.kind == OTHER_NONE)
			continue;
		CHECK_EQ(got.length, cell(i)[0]);
		CHECK_EQ(got.op, row->op);
		check_other(&got, row);
		check_memory(&got, row);
	}
}

/* Every proper beginning of an instruction that is done is too short, and none is read beyond. */
static void test_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct expected *row = &table[i];

		if (row->other.kind == OTHER_NONE)
			continue;
		for (uint8_t count = 0; count <= cell(i)[0]; count++) {
			uint8_t *bytes = malloc(count);
			struct insn got;

			assert_non_null(bytes);
			memcpy(bytes, cell(i) + 1, count);
			check_context("insn=\"%s\" count=%u", row->text, count);
			CHECK_EQ(insn_decode(bytes, count, row->code_width, &got),
			         count < cell(i)[0] ? INSN_CUT_SHORT : INSN_OK);
			free(bytes);
		}
	}
}

/* SDM vol. 2, 2.3.11: longer than 15 bytes is no instruction, whatever it would say. */
static void test_too_long(void **state)
{
	uint8_t bytes[INSN_MAX_BYTES + 2];
	struct insn got;

	(void)state;
	check_context("prefixes");
	memset(bytes, 0x66, sizeof(bytes));
	CHECK_EQ(insn_decode(bytes, sizeof(bytes), 8, &got), INSN_REFUSED);
	bytes[13] = 0x8b;
	bytes[14] = 0x07;
	CHECK_EQ(insn_decode(bytes, sizeof(bytes), 8, &got), INSN_OK);
	CHECK_EQ(got.length, 15);
	bytes[13] = 0x66;
	bytes[14] = 0x8b;
	bytes[15] = 0x07;
	CHECK_EQ(insn_decode(bytes, sizeof(bytes), 8, &got), INSN_REFUSED);
}

static bool is_width(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

static void test_sweep(void **state)
{
	static const unsigned code_widths[] = {2, 4, 8};
	struct rng rng = rng_seeded(1);

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t words[2] = {rng_next(&rng), rng_next(&rng)};
		unsigned code = code_widths[i % 3];
		size_t count = rng_below(&rng, INSN_MAX_BYTES + 1);
		struct insn got;

		check_context("bytes=%#llx,%#llx count=%zu code=%u", (unsigned long long)words[0],
		              (unsigned long long)words[1], count, code);
		if (insn_decode((const uint8_t *)words, count, code, &got) != INSN_OK)
			continue;
		CHECK(got.length >= 1 && got.length <= count);
		CHECK(is_width(got.width) && (code == 8 || got.width < 8));
		CHECK(got.immediate || is_width(got.reg_width));
		CHECK(got.address_width == code || got.address_width == (code == 4 ? 2 : 4));
		CHECK(got.reg < GPR_COUNT && got.segment <= SEGMENT_GS);
		CHECK(got.base < GPR_COUNT || got.base == INSN_NO_REG ||
		      (got.base == INSN_RIP && code == 8));
		CHECK((got.index < GPR_COUNT && got.index != GPR_RSP) || got.index == INSN_NO_REG);
		CHECK(!got.high_byte || (got.reg < 4 && got.reg_width == 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
