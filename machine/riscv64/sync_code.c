/*
 * Making written instructions fetchable, here and on the harts that run guests.
 */
#include "machine.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/smp.h"

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
 * FENCE.I orders the fetches of one hart only (Zifencei). So the other harts that have a guest
 * loaded execute it, too; a hart that loads one later executes it in hext_load().
 */
void machine_sync_code(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
	__asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
	smp_for_others(has_guest, remote_fence_i, NULL);
}
