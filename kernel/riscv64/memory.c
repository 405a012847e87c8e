/*
 * Clearing frames, and making written instructions fetchable.
 */
#include "kernel/riscv64/sbi.h"
#include "kernel/riscv64/smp.h"
#include "machine.h"

/* 16 stores a turn: a frame in 576 instructions. No data cache is ever off on RISC-V. */
void machine_zero(void *ctx, void *page, size_t bytes)
{
	uint64_t *at = page;
	uint64_t *end = at + bytes / sizeof(*at);

	(void)ctx;
	for (; at != end; at += 16) {
		at[0] = 0;
		at[1] = 0;
		at[2] = 0;
		at[3] = 0;
		at[4] = 0;
		at[5] = 0;
		at[6] = 0;
		at[7] = 0;
		at[8] = 0;
		at[9] = 0;
		at[10] = 0;
		at[11] = 0;
		at[12] = 0;
		at[13] = 0;
		at[14] = 0;
		at[15] = 0;
	}
}

static bool has_guest(struct cpu *cpu, void *arg)
{
	(void)arg;
	return atomic_load_explicit(&cpu->guest_root, memory_order_seq_cst) != 0;
}

static void remote_fence_i(struct hart_mask harts, void *arg)
{
	(void)arg;
	sbi_call(SBI_RFENCE, SBI_RFENCE_FENCE_I, harts.mask, harts.base, 0, 0, 0);
}

/*
 * FENCE.I orders one hart's own fetches alone (Zifencei), so others are asked to as well: those
 * that have a guest. One that is given a guest from now on does it then (hext's state_load()).
 */
void machine_sync_code(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
	__asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
	smp_for_others(has_guest, remote_fence_i, NULL);
}
