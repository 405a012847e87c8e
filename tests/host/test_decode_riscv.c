/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode/riscv64.c against the assembler: every form it does, every field's ends, and that it
 * refuses the rest. Then every 16-bit encoding and a sweep of the 32-bit ones for what no list
 * has: whatever is accepted must make sense.
 */
#include <string.h>

#include "check.h"
#include "decode/riscv64.h"

/* insns/riscv64.c's .text: one encoding in each 8 bytes. */
extern const uint8_t riscv_insns_start[], riscv_insns_end[];
__asm__(".section .rodata\n\t.balign 8\n"
        "riscv_insns_start:\n\t.incbin \"build/host/insns/riscv64.bin\"\n"
        "riscv_insns_end:\n\t.previous");

#define CELL_BYTES 8

enum kind {
	SIGNED,
	UNSIGNED,
	STORE,
	NONE,
};

struct expected {
	const char *text;
	enum kind kind;
	uint8_t width, reg, base;
	int16_t offset;
	uint8_t length;
};

#define INSN(text, kind, width, reg, base, offset, length)                                         \
	{text, kind, width, reg, base, offset, length},
#define REFUSED(text) {text, NONE, 0, 0, 0, 0, 0},
#define C_INSN(text, kind, width, reg, base, offset, length)                                       \
	INSN(text, kind, width, reg, base, offset, length)
#define C_REFUSED(text) REFUSED(text)

static const struct expected table[] = {
#include "insns/riscv64.h"
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static uint32_t encoding(size_t row)
{
	uint32_t insn;

	memcpy(&insn, riscv_insns_start + row * CELL_BYTES, sizeof(insn));
	return insn;
}

static void check_fields(const struct mmio_access *got, const struct expected *row)
{
	CHECK_EQ(got->write, row->kind == STORE);
	CHECK_EQ(got->sign_extend, row->kind == SIGNED);
	CHECK_EQ(got->width, row->width);
	CHECK_EQ(got->reg_width, 8);
	CHECK_EQ(got->reg, row->reg);
	CHECK_EQ(got->high_byte, false);
	CHECK_EQ(got->length, row->length);
}

static void test_table(void **state)
{
	(void)state;
	CHECK_EQ(riscv_insns_end - riscv_insns_start, ROWS * CELL_BYTES);
	for (size_t i = 0; i < ROWS; i++) {
		const struct expected *row = &table[i];
		struct mmio_access got = {0};
		struct decoded_address address = {0};

		check_context("insn=\"%s\" encoding=%#x", row->text, encoding(i));
		CHECK_EQ(decode_load_store(encoding(i), &got, &address), row->kind != NONE);
		if (row->kind == NONE)
			continue;
		check_fields(&got, row);
		CHECK_EQ(address.base, row->base);
		CHECK_EQ(address.offset, row->offset);
	}
}

/* What follows a compressed instruction in memory is none of its business. */
static void test_neighbour(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct expected *row = &table[i];
		struct mmio_access got = {0};
		struct decoded_address address = {0};

		check_context("insn=\"%s\" encoding=%#x", row->text, encoding(i));
		if (row->length != 2)
			continue;
		CHECK(decode_load_store(encoding(i) | 0xffff0000U, &got, &address));
		check_fields(&got, row);
		CHECK_EQ(address.base, row->base);
		CHECK_EQ(address.offset, row->offset);
	}
}

/* 8.6.3: rs1's field becomes the address offset, and the immediate 0; bit 1 tells the length. */
static uint32_t transformed(uint32_t insn, enum kind kind, unsigned distance, unsigned length)
{
	uint32_t keep = kind == STORE ? 0x01f0707fU : 0x00007fffU;

	return (insn & keep & ~(length == 2 ? 2U : 0U)) | distance << 15;
}

static void test_transformed(void **state)
{
	struct mmio_access got;
	unsigned distance;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct expected *row = &table[i];

		check_context("insn=\"%s\" encoding=%#x", row->text, encoding(i));
		if (row->length != 4)
			continue;
		for (uint8_t length = 2; length <= 4; length += 2) {
			struct expected short_row = *row;

			short_row.length = length;
			CHECK(decode_transformed(transformed(encoding(i), row->kind, 3, length),
			                         &got, &distance));
			check_fields(&got, &short_row);
			CHECK_EQ(distance, 3);
		}
	}
	check_context("what no hart may give");
	/* LW a0: an offset, a bit above the 32, an FP load, an AMO, a register operation. */
	CHECK(decode_transformed(0x2503, &got, &distance));
	CHECK(!decode_transformed(0x102503, &got, &distance));
	CHECK(!decode_transformed(UINT64_C(0x100002503), &got, &distance));
	CHECK(!decode_transformed(UINT64_MAX, &got, &distance));
	CHECK(!decode_transformed(0x2507, &got, &distance));
	CHECK(!decode_transformed(0x0000252f, &got, &distance));
	CHECK(!decode_transformed(0x33, &got, &distance));
	CHECK(!decode_transformed(1, &got, &distance) || got.length == 2);
	/* SW a1: rs2 is kept, the offset's low part is not. */
	CHECK(decode_transformed(0x00b02023, &got, &distance));
	CHECK_EQ(got.reg, 11);
	CHECK(!decode_transformed(0x00b020a3, &got, &distance));
	CHECK(!decode_transformed(0xfeb02023, &got, &distance));
	/* The distance is the whole field, and nothing but it. */
	for (unsigned far = 0; far < 32; far++) {
		CHECK(decode_transformed(0x2503 | far << 15, &got, &distance));
		CHECK_EQ(distance, far);
		CHECK_EQ(got.reg, 10);
	}
	check_context("pseudo-instructions");
	CHECK(!decode_transformed(0, &got, &distance));
	CHECK(!decode_transformed(0x3000, &got, &distance));
	CHECK(!decode_transformed(0x3020, &got, &distance));
}

static void check_sense(uint32_t insn, const struct mmio_access *got,
                        const struct decoded_address *address)
{
	unsigned length = (insn & 3) == 3 ? 4 : 2;

	CHECK_EQ(got->length, length);
	CHECK(got->width == 1 || got->width == 2 || got->width == 4 || got->width == 8);
	CHECK(got->reg < 32 && address->base < 32);
	CHECK(!(got->write && got->sign_extend));
	CHECK(length == 4 || (address->offset >= 0 && address->offset % got->width == 0));
}

static void test_every_compressed(void **state)
{
	unsigned accepted = 0;

	(void)state;
	for (uint32_t insn = 0; insn < 0x10000; insn++) {
		struct mmio_access got = {0};
		struct decoded_address address = {0};

		if ((insn & 3) == 3)
			continue;
		check_context("encoding=%#x", insn);
		if (!decode_load_store(insn, &got, &address))
			continue;
		check_sense(insn, &got, &address);
		accepted++;
	}
	/* 8 forms of 2^11 encodings; c.lwsp and c.ldsp to x0 are reserved, 2^6 each. Zcb: c.lbu,
	 * c.lhu and c.lh, c.sb of 2^8, c.sh of 2^7. */
	CHECK_EQ(accepted, 8 * 2048 - 2 * 64 + 3 * 256 + 128);
}

static void test_sweep(void **state)
{
	struct rng rng = rng_seeded(1);

	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		uint32_t insn = (uint32_t)rng_next(&rng) | 3;
		struct mmio_access got = {0};
		struct decoded_address address = {0};

		check_context("encoding=%#x", insn);
		if (!decode_load_store(insn, &got, &address))
			continue;
		check_sense(insn, &got, &address);
		CHECK((insn & 0x7f) == 0x03 || (insn & 0x7f) == 0x23);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),       cmocka_unit_test(test_neighbour),
		cmocka_unit_test(test_transformed), cmocka_unit_test(test_every_compressed),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
