/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clears frames: with cbo.zero (Zicboz) if every hart can, and with stores otherwise. It is half of
 * the cost of a lazy fault. Data caches are always on, so nothing is cleaned afterwards.
 *
 * cbo.zero clears one block of a size that the device tree gives. Firmware may forbid it
 * (menvcfg.CBZE), and the device tree may be wrong. So each hart tries it at its start. If one
 * cannot, or clears another number of bytes, no hart uses it from then on.
 */
#include "machine/riscv64/zero.h"

#include <stdatomic.h>

#include "machine.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/trap.h"

/* What one pass of the stores clears. */
#define STORE_BYTES 512

/* Larger blocks are not used. The least size is that of a register. */
#define BLOCK_LEAST 8U
#define BLOCK_MOST  512U

/* The block size in bytes, a power of two; 0: cbo.zero is not used. */
static _Atomic uint32_t block_bytes;

/* RISC-V Cache Management Operations, 5.1: cbo.zero (a0). The assembler need not know it. */
#define CBO_ZERO_A0 ".4byte 0x0045200f"

static bool try_block(void *at)
{
	register void *a0 __asm__("a0") = at;
	bool ok;

	__asm__ volatile(CATCH(CBO_ZERO_A0) : [ok] "=&r"(ok) : "r"(a0) : "t0", "memory");
	return ok;
}

/* Does cbo.zero clear the block that holds the middle of the buffer, and nothing else? */
static bool clears(uint32_t bytes)
{
	uint8_t buffer[3 * BLOCK_MOST] MM_ALIGNED_TO(BLOCK_MOST);
	const uint32_t first = BLOCK_MOST;
	bool ok = true;

	for (uint32_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = 0xa5;
	if (!try_block(buffer + first))
		return false;
	for (uint32_t i = 0; i < sizeof(buffer); i++) {
		bool inside = i >= first && i - first < bytes;

		ok = ok && *(volatile uint8_t *)&buffer[i] == (inside ? 0 : 0xa5);
	}
	return ok;
}

void zero_init(void)
{
	uint32_t bytes = isa_zero_block_bytes();
	bool usable = bytes >= BLOCK_LEAST && bytes <= BLOCK_MOST && (bytes & (bytes - 1)) == 0;

	atomic_store(&block_bytes, usable && isa_has("zicboz") ? bytes : 0);
}

void zero_try(void)
{
	uint32_t bytes = atomic_load(&block_bytes);

	if (bytes != 0 && !clears(bytes))
		atomic_store(&block_bytes, 0);
}

bool zero_uses_blocks(void)
{
	return atomic_load(&block_bytes) != 0;
}

static void by_blocks(uint8_t *at, const uint8_t *end, uint32_t bytes)
{
	for (; at < end; at += bytes) {
		register uint8_t *a0 __asm__("a0") = at;

		__asm__ volatile(CBO_ZERO_A0 : : "r"(a0) : "memory");
	}
}

/* `bytes` is a multiple of STORE_BYTES, and `page` is aligned to a page. */
void machine_zero(void *ctx, void *page, size_t bytes)
{
	uint32_t block = atomic_load_explicit(&block_bytes, memory_order_relaxed);
	uint8_t *at = page, *end = at + bytes;

	(void)ctx;
	if (block != 0) {
		by_blocks(at, end, block);
		return;
	}
	do {
		__asm__ volatile(".set offset, 0\n\t"
		                 ".rept %c1 / 8\n\t"
		                 "sd zero, offset(%0)\n\t"
		                 ".set offset, offset + 8\n\t"
		                 ".endr"
		                 :
		                 : "r"(at), "i"(STORE_BYTES)
		                 : "memory");
		at += STORE_BYTES;
	} while (at < end);
}
