/*
 * mm_hal.flush for the G-stage: hfence.gvma on this hart, and on those others that have this
 * address space loaded by the firmware's remote fence, which interrupts even a hart that runs
 * with interrupts off, and waits for it. A hart that has it not loaded cannot use what its TLB
 * may hold of it, and is told to forget that before it loads a guest again.
 *
 * "Memory-Management Fence Instructions" (8.3.2): hfence.gvma with an address is about leaf
 * entries alone, so unlinked tables ask for the whole VMID; without VMIDs, for everything. It
 * also drops what was made of both stages together. Its address operand is gpa >> 2.
 */
#include "hext/flush.h"

#include <stdbool.h>

#include "decode/riscv64_insn.h"
#include "hext/features.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/smp.h"

/* A range of more leaves than these is flushed as a whole. */
#define MAX_LEAVES 32

/* SBI 1.0, 8: size 2^64 - 1 from address 0 is everything. */
#define ALL_BYTES UINT64_MAX

/* What to flush, on any hart. */
struct fence {
	uint64_t root; /* PPN */
	uint64_t vmid;
	uint64_t gpa;
	uint64_t bytes; /* ALL_BYTES: the whole VMID */
	uint64_t stride;
};

static void fence_here(const struct fence *fence)
{
	if (hext_features.vmid_bits == 0) {
		hfence_gvma_all();
		return;
	}
	if (fence->bytes == ALL_BYTES) {
		hfence_gvma_vmid(fence->vmid);
		return;
	}
	for (uint64_t done = 0; done < fence->bytes; done += fence->stride)
		hfence_gvma_page(fence->gpa + done, fence->vmid);
}

/* The order of these two matters: see state_load(). */
static bool is_loaded(struct cpu *cpu, void *arg)
{
	const struct fence *fence = arg;

	atomic_store_explicit(&cpu->stale, 1, memory_order_seq_cst);
	return FIELD_GET(ATP_PPN, atomic_load_explicit(&cpu->guest_root, memory_order_seq_cst)) ==
	       fence->root;
}

static void fence_there(struct hart_mask harts, void *arg)
{
	const struct fence *fence = arg;

	if (hext_features.vmid_bits == 0)
		sbi_call(SBI_RFENCE, SBI_RFENCE_HFENCE_GVMA, harts.mask, harts.base, 0, ALL_BYTES,
		         0);
	else
		sbi_call(SBI_RFENCE, SBI_RFENCE_HFENCE_GVMA_VMID, harts.mask, harts.base,
		         fence->gpa, fence->bytes, fence->vmid);
}

void hext_flush(void *ctx, const struct mm_flush *request)
{
	struct fence fence = {
		.root = request->root.raw >> MM_PAGE_SHIFT,
		.vmid = request->tag,
		.bytes = ALL_BYTES,
	};
	uint64_t stride = MM_LEVEL_SIZE(request->leaf_level);

	(void)ctx;
	if (!request->all && !request->tables && request->range.size / stride <= MAX_LEAVES) {
		fence.gpa = request->range.start.raw;
		fence.bytes = request->range.size;
		fence.stride = stride;
	}
	/* The fence is ordered after every earlier store of this hart; stores reach the other
	 * harts before the firmware's call does. */
	__asm__ volatile("fence rw, rw" ::: "memory");
	fence_here(&fence);
	smp_for_others(is_loaded, fence_there, &fence);
}
