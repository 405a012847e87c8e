/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses the emulated devices. It writes a line to the UART. Then it accesses the test device
 * with every width at every naturally aligned offset: reads with and without sign extension, and
 * writes.
 *
 * Reports: 0 = device accesses made, 1 = accesses with a wrong result. Exits with the number of the
 * first wrong access, counted from 1, or with 0.
 */
#include "guest.h"

static uint64_t accesses, wrong, first_wrong;

static void check(uint64_t got, uint64_t expected)
{
	accesses++;
	if (got == expected)
		return;
	wrong++;
	if (first_wrong == 0)
		first_wrong = accesses;
}

static void print_uart(const char *text)
{
	for (; *text != '\0'; text++) {
		check(read8(GUEST_UART_BASE + GUEST_UART_LSR), 0x60);
		write8(GUEST_UART_BASE + GUEST_UART_DATA, (uint8_t)*text);
		accesses++;
	}
}

/* The content of an 8-byte register from an offset, in the low bytes. */
static uint64_t part(uint64_t whole, unsigned offset)
{
	return whole >> (offset * 8);
}

/* Each width, into a full-width register, zero-extended and sign-extended. */
static void read_every_way(uint64_t base, uint64_t whole)
{
	for (unsigned i = 0; i < 8; i += 1) {
		check(read8(base + i), (uint8_t)part(whole, i));
		check((uint64_t)(int64_t)(int8_t)read8(base + i),
		      (uint64_t)(int64_t)(int8_t)part(whole, i));
	}
	for (unsigned i = 0; i < 8; i += 2) {
		check(read16(base + i), (uint16_t)part(whole, i));
		check((uint64_t)(int64_t)(int16_t)read16(base + i),
		      (uint64_t)(int64_t)(int16_t)part(whole, i));
	}
	for (unsigned i = 0; i < 8; i += 4) {
		check(read32(base + i), (uint32_t)part(whole, i));
		check((uint64_t)(int64_t)(int32_t)read32(base + i),
		      (uint64_t)(int64_t)(int32_t)part(whole, i));
	}
	check(read64(base), whole);
}

static void check_last(unsigned width, unsigned offset)
{
	check(read64(GUEST_TEST_BASE + GUEST_TEST_LAST), (uint64_t)offset << 16 | width);
}

/* Writes one part at a time over a known pattern, and checks the whole register. */
static void write_every_way(void)
{
	uint64_t at = GUEST_TEST_BASE + GUEST_TEST_SCRATCH;
	uint64_t whole = UINT64_C(0x0123456789abcdef);

	write64(at, whole);
	check_last(8, GUEST_TEST_SCRATCH);
	for (unsigned i = 0; i < 8; i += 1) {
		write8(at + i, 0xa5);
		whole = (whole & ~(UINT64_C(0xff) << 8 * i)) | UINT64_C(0xa5) << 8 * i;
		check(read64(at), whole);
		check_last(1, GUEST_TEST_SCRATCH + i);
	}
	for (unsigned i = 0; i < 8; i += 2) {
		write16(at + i, 0xb6c7);
		whole = (whole & ~(UINT64_C(0xffff) << 8 * i)) | UINT64_C(0xb6c7) << 8 * i;
		check(read64(at), whole);
		check_last(2, GUEST_TEST_SCRATCH + i);
	}
	for (unsigned i = 0; i < 8; i += 4) {
		write32(at + i, 0xd8e9fa0b);
		whole = (whole & ~(UINT64_C(0xffffffff) << 8 * i)) | UINT64_C(0xd8e9fa0b) << 8 * i;
		check(read64(at), whole);
		check_last(4, GUEST_TEST_SCRATCH + i);
	}
	check(read64(GUEST_TEST_BASE + GUEST_TEST_WRITES), 1 + 8 + 4 + 2);
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	(void)vcpu;
	(void)info;
	print_uart("through the UART, a byte at a time\n");
	read_every_way(GUEST_TEST_BASE + GUEST_TEST_ID, UINT64_C(0x8877665544332211));
	read_every_way(GUEST_TEST_BASE + GUEST_TEST_NEG, UINT64_C(0xfffefdfcfbfaf9f8));
	write_every_way();
	guest_report(0, accesses);
	guest_report(1, wrong);
	guest_exit(first_wrong);
}
