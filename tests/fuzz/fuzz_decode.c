/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as an instruction, for each of the decoders. What they accept has to make sense. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/aarch64.h"
#include "decode/riscv64.h"
#include "decode/x86_64.h"

static bool is_width(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

static void check(bool sane)
{
	if (!sane)
		abort();
}

static void decode_riscv(uint32_t insn, uint64_t htinst)
{
	struct mmio_access access;
	struct decoded_address address;
	unsigned distance;
	if (decode_load_store(insn, &access, &address))
		check(is_width(access.width) && access.reg < 32 && address.base < 32 &&
		      (access.length == 2 || access.length == 4));
	if (decode_transformed(htinst, &access, &distance))
		check(is_width(access.width) && access.reg < 32 && distance < 32);
}

static void decode_arm(uint32_t insn)
{
	struct a64_access access;
	enum a64_refusal refusal = a64_decode(insn, &access);
	check(refusal < A64_REFUSALS && a64_refusal_name(refusal)[0] != '\0');
	if (refusal == A64_ACCEPTED)
		check(is_width(access.width) && access.rt < 32 && access.rn < 32 &&
		      access.width <= access.reg_width);
}

static void decode_x86(const uint8_t *bytes, size_t size)
{
	static const unsigned widths[] = {2, 4, 8};
	size_t count = size < INSN_MAX_BYTES ? size : INSN_MAX_BYTES;
	uint8_t *copy = malloc(count + 1);
	struct insn insn;
	for (unsigned w = 0; w < 3; w++) {
		/* All of it, and every beginning: none may be read beyond its end. */
		for (size_t n = 0; n <= count; n++) {
			uint8_t *exact = malloc(n ? n : 1);
			memcpy(exact, bytes, n);
			enum insn_result result = insn_decode(exact, n, widths[w], &insn);
			if (result == INSN_OK)
				check(insn.length <= n && insn.length > 0 && is_width(insn.width));
			free(exact);
		}
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t word = 0;
	uint64_t words = 0;
	memcpy(&word, data, size < sizeof(word) ? size : sizeof(word));
	memcpy(&words, data, size < sizeof(words) ? size : sizeof(words));
	decode_riscv(word, words);
	decode_arm(word);
	decode_x86(data, size);
	return 0;
}
