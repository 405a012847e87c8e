/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm_hal.flush for the G-stage: hfence.gvma on this hart, and a remote fence by the firmware on
 * the other harts that have this address space loaded. A remote fence interrupts a hart even while
 * its interrupts are off, and is complete when the call returns. A hart that has the address space
 * not loaded cannot use its translations. `stale` makes it fence before it loads a guest again.
 *
 * 8.3.2: hfence.gvma with an address orders leaf entries only, so a request with unlinked tables
 * fences the whole VMID, and without VMIDs everything. Both forms include the translations of both
 * stages combined. The operand is the address >> 2.
 */
#include "hext/hext.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/smp.h"

/* For a range of more leaves the whole VMID is fenced. */
#define MAX_LEAVES 32

/* SBI 1.0, 8: address 0 and size 2^64 - 1 mean all addresses. */
#define ALL_BYTES UINT64_MAX

struct fence {
	uint64_t root; /* PPN */
	uint64_t vmid;
	uint64_t gpa;
	uint64_t bytes; /* ALL_BYTES: the whole VMID */
	uint64_t stride;
};

static void fence_here(const struct fence *fence)
{
	if (hext_caps.vmid_bits == 0) {
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

/* The order of the two accesses matters: fence_if_stale() in cpu.c. */
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

	if (hext_caps.vmid_bits == 0)
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
	/* Every earlier store of this hart comes before the fences, its own and those of the
	 * other harts. */
	__asm__ volatile("fence rw, rw" ::: "memory");
	fence_here(&fence);
	smp_for_others(is_loaded, fence_there, &fence);
}
