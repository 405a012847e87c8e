/*
 * Forgetting translations on every CPU, without any of them having to answer.
 *
 * What a CPU has cached of a guest's nested tables it uses only while it runs that guest. So it
 * is enough that each CPU invalidates before its next entry, and that a CPU which runs the guest
 * now is made to leave it:
 *
 *	flush                                 every other CPU, at each entry
 *	-----                                 -----------------------------
 *	stores to the tables (the caller's)   running = root
 *	stale = root                          fence
 *	fence                                 if stale: INVEPT, stale = 0
 *	if running == root: kick, and wait    enter, ... exit
 *	until it left or has invalidated      running = 0
 *
 * Either the flush sees `running` and waits, or the entry sees `stale` and invalidates: the two
 * fences leave no third way.
 */
#include "kernel/x86_64/cpu.h"
#include "mm/hal.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

/* More roots than one are stale: no root is a frame at 1. */
#define STALE_ALL UINT64_C(1)

static void invalidate(const struct vmx_cpu *cpu, uint64_t root)
{
	if (!cpu->on)
		return;
	/* A single-context INVEPT names the tables by their root alone (SDM vol. 3C, 29.4.3.1);
	 * the rest of the operand has to be a valid EPTP, and the loaded one has that. */
	if (root != STALE_ALL && cpu->current != NULL && (vmx_caps.ept_vpid & EPT_INVEPT_SINGLE))
		invept(INVEPT_SINGLE, (cpu->current->eptp & (PAGE_SIZE - 1)) | root);
	else
		invept(INVEPT_ALL, 0);
}

static void mark_stale(struct vmx_cpu *cpu, uint64_t root)
{
	uint64_t before = 0;

	if (!atomic_compare_exchange_strong(&cpu->stale, &before, root) && before != root)
		atomic_store(&cpu->stale, STALE_ALL);
}

/* Still in the guest whose tables changed, as it was before they did? */
static bool must_leave(struct vmx_cpu *cpu, uint64_t root)
{
	return atomic_load(&cpu->running) == root && atomic_load(&cpu->stale) != 0;
}

void vmx_flush(void *ctx, const struct mm_flush *request)
{
	unsigned self = machine_cpu_index(), cpus = machine_cpu_count();
	uint64_t root = request->root.raw;

	(void)ctx;
	for (unsigned i = 0; i < cpus; i++) {
		if (i != self)
			mark_stale(&vmx_cpus[i], root);
	}
	atomic_thread_fence(memory_order_seq_cst);
	invalidate(&vmx_cpus[self], root);
	for (unsigned i = 0; i < cpus; i++) {
		if (i != self && must_leave(&vmx_cpus[i], root))
			machine_kick(i);
	}
	for (unsigned i = 0; i < cpus; i++) {
		while (i != self && must_leave(&vmx_cpus[i], root))
			machine_relax();
	}
}

void vmx_flush_enter(struct vmx_cpu *cpu, uint64_t root)
{
	uint64_t stale;

	atomic_exchange(&cpu->running, root);
	if (likely(atomic_load_explicit(&cpu->stale, memory_order_relaxed) == 0))
		return;
	stale = atomic_exchange(&cpu->stale, 0);
	if (stale != 0)
		invalidate(cpu, stale);
}

void vmx_flush_leave(struct vmx_cpu *cpu)
{
	atomic_store_explicit(&cpu->running, 0, memory_order_release);
}
