/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes the device access behind a nested fault, and completes it. The hart reports the address.
 * Width, direction and register come from the instruction: from htinst if the hart writes it, else
 * from memory, fetched once. Another vCPU may have changed the instruction since the fault, so an
 * instruction that does not agree with the fault is refused.
 */
#include "decode/riscv64.h"
#include "hext/hext.h"

/* Fills all of *access except gpa and value. MM_UNSUPPORTED: the instruction is refused, or it
 * cannot have faulted. */
static enum mm_error decode_memory(struct hext_vcpu *v, const struct vm_exit *exit,
                                   struct mmio_access *access)
{
	struct decoded_address address;
	uint32_t insn;
	enum mm_error error = hext_fetch(v, mm_gva_at(exit->pc), &insn);

	if (MM_UNLIKELY(error != MM_OK))
		return error;
	if (MM_UNLIKELY(!decode_load_store(insn, access, &address)))
		return MM_UNSUPPORTED;
	if (MM_UNLIKELY(v->x[address.base] + (uint64_t)address.offset != exit->fault.gva.raw))
		return MM_UNSUPPORTED;
	return MM_OK;
}

static enum mm_error decode_htinst(const struct vm_exit *exit, struct mmio_access *access)
{
	unsigned distance;

	/* If another byte than the first faulted, the access began on the page before. */
	if (!decode_transformed(exit->raw[3], access, &distance) || distance != 0)
		return MM_UNSUPPORTED;
	return MM_OK;
}

size_t hext_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES])
{
	uint64_t htinst = csr_read(htinst);
	struct mmio_access access;
	unsigned distance;

	(void)vcpu;
	__builtin_memcpy(out, &htinst, sizeof(htinst));
	return decode_transformed(htinst, &access, &distance) ? sizeof(uint32_t) : 0;
}

enum mm_error hext_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                               struct mmio_access *access)
{
	struct hext_vcpu *v = hext_of(vcpu);
	const struct vm_exit_fault *fault = &exit->fault;
	enum mm_error error;

	/* A guest's page tables may not be in a device, and neither may its code, which the fetch
	 * below refuses. */
	if (MM_UNLIKELY(fault->stage1_walk))
		return MM_UNSUPPORTED;
	error = MM_LIKELY(exit->raw[3] == 0) ? decode_memory(v, exit, access)
	                                     : decode_htinst(exit, access);
	if (MM_UNLIKELY(error != MM_OK))
		return error;
	if (MM_UNLIKELY(access->write != (fault->access == MM_W)))
		return MM_UNSUPPORTED;
	/* The rest of the access is on another page, which the guest may map elsewhere. */
	if (MM_UNLIKELY((fault->gpa.raw & (MM_PAGE_SIZE - 1)) + access->width > MM_PAGE_SIZE))
		return MM_UNSUPPORTED;
	access->gpa = fault->gpa;
	if (access->write)
		access->value = mm_zero_extend(v->x[access->reg], UINT64_C(8) * access->width);
	return MM_OK;
}

bool hext_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct hext_vcpu *v = hext_of(vcpu);
	uint64_t bits = UINT64_C(8) * access->width;

	hext_step(v, access->length);
	if (!access->write)
		hext_set_x(v, access->reg,
		           access->sign_extend ? (uint64_t)mm_sign_extend(value, bits)
		                               : mm_zero_extend(value, bits));
	return false;
}
