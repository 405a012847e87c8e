/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page-modification logging (SDM vol. 3C, 29.3.6). When the CPU sets a dirty flag in an EPT entry
 * of this guest, it writes the page's guest-physical address into a buffer of 512 entries, from
 * the last one down. If no entry is free, it exits first.
 *
 *	entries		0 ... index	index + 1 ... 511
 *			free		used, oldest last
 *
 * On that exit, and when the log is read, the entries move to a larger ring, oldest first.
 */
#include "frame.h"
#include "vmx/vmx.h"

#define PML_ENTRIES  512U
#define RING_ORDER   3U
#define RING_ENTRIES ((MM_PAGE_SIZE << RING_ORDER) / sizeof(uint64_t))

static void set_control(bool on)
{
	uint64_t controls = vmread(VMCS_PROC_CONTROLS2);

	vmwrite(VMCS_PROC_CONTROLS2, on ? controls | PROC2_PML : controls & ~PROC2_PML);
}

static bool start(struct vmx_vcpu *v)
{
	struct vmx_pml pml = {0};

	if (!frame_alloc(0, &pml.buffer))
		return false;
	if (!frame_alloc(RING_ORDER, &pml.ring)) {
		frame_free(0, pml.buffer);
		return false;
	}
	v->pml = pml;
	vmwrite(VMCS_PML_ADDRESS, pml.buffer.raw);
	vmwrite(VMCS_GUEST_PML_INDEX, PML_ENTRIES - 1);
	set_control(true);
	return true;
}

static void stop(struct vmx_vcpu *v)
{
	set_control(false);
	frame_free(0, v->pml.buffer);
	frame_free(RING_ORDER, v->pml.ring);
	v->pml = (struct vmx_pml){0};
}

bool vmx_log_writes(struct vcpu *vcpu, bool on)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	bool is_on = v->pml.buffer.raw != 0;

	if (!(vmx_caps.proc2.may & PROC2_PML) || !(v->eptp & EPTP_ACCESSED_DIRTY))
		return false;
	if (on == is_on)
		return true;
	vmx_ensure_loaded(v);
	if (on)
		return start(v);
	stop(v);
	return true;
}

static void push(struct vmx_pml *pml, uint64_t gpa)
{
	uint64_t *ring = frame_ptr(pml->ring);

	if (pml->count == RING_ENTRIES) {
		pml->lost = true;
		return;
	}
	ring[(pml->first + pml->count) % RING_ENTRIES] = gpa;
	pml->count++;
}

/* The index is that of the next free entry. It is 0xffff after entry 0 was written. */
static void empty_buffer(struct vmx_pml *pml)
{
	const uint64_t *buffer = frame_ptr(pml->buffer);
	uint16_t index = (uint16_t)vmread(VMCS_GUEST_PML_INDEX);
	unsigned oldest = PML_ENTRIES - 1, last = index < PML_ENTRIES ? index + 1U : 0;

	for (unsigned i = oldest + 1; i-- > last;)
		push(pml, buffer[i]);
	vmwrite(VMCS_GUEST_PML_INDEX, PML_ENTRIES - 1);
}

void vmx_pml_full(struct vmx_vcpu *v)
{
	v->pml.full_exits++;
	empty_buffer(&v->pml);
}

struct vcpu_writes vmx_take_writes(struct vcpu *vcpu, mm_gpa_t out[], size_t most)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	struct vmx_pml *pml = &v->pml;
	struct vcpu_writes writes = {0};

	if (pml->buffer.raw == 0)
		return writes;
	vmx_ensure_loaded(v);
	empty_buffer(pml);
	for (const uint64_t *ring = frame_ptr(pml->ring); writes.count < most && pml->count != 0;
	     pml->count--) {
		out[writes.count++] = mm_gpa_at(ring[pml->first]);
		pml->first = (pml->first + 1) % RING_ENTRIES;
	}
	writes.full_exits = pml->full_exits;
	writes.lost = pml->lost;
	pml->full_exits = 0;
	pml->lost = false;
	return writes;
}
