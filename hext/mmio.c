/*
 * From a nested fault on a device's page to the access that the guest meant. The address is the
 * hardware's; width, direction and register are the instruction's: htinst where the hart fills
 * it, and otherwise the instruction, fetched once. Another vCPU may have changed it since the
 * fault: what it says is believed only as far as the fault bears it out.
 */
#include "hext/mmio.h"

#include "decode/riscv64.h"
#include "hext/guest_walk.h"
#include "hext/hext.h"
#include "mm/bits.h"

/* All of *access but gpa and value. MM_UNSUPPORTED: refused, or not what faulted. */
static enum mm_error decode_memory(struct hext_vcpu *v, const struct vm_exit *exit,
                                   struct mmio_access *access)
{
	struct decoded_address address;
	uint32_t insn;
	enum mm_error error = walk_fetch(v, gva_at(exit->pc), &insn);

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

	/* A fault in the middle: the access began on the page before. */
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
	struct hext_vcpu *v = vcpu->arch;
	const struct vm_exit_fault *fault = &exit->fault;
	enum mm_error error;

	/* Page tables in a device's registers are not emulated; nor is code, which the fetch
	 * below refuses. */
	if (MM_UNLIKELY(fault->stage1_walk))
		return MM_UNSUPPORTED;
	error = MM_LIKELY(exit->raw[3] == 0) ? decode_memory(v, exit, access)
	                                     : decode_htinst(exit, access);
	if (MM_UNLIKELY(error != MM_OK))
		return error;
	if (MM_UNLIKELY(access->write != (fault->access == MM_W)))
		return MM_UNSUPPORTED;
	/* The guest's tables map the next page on their own. */
	if (MM_UNLIKELY((fault->gpa.raw & (MM_PAGE_SIZE - 1)) + access->width > MM_PAGE_SIZE))
		return MM_UNSUPPORTED;
	access->gpa = fault->gpa;
	if (access->write)
		access->value = mm_zero_extend(v->x[access->reg], 8U * access->width);
	return MM_OK;
}

bool hext_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct hext_vcpu *v = vcpu->arch;
	unsigned bits = 8U * access->width;

	state_advance(v, access->length);
	if (!access->write)
		state_set_reg(v, access->reg,
		              access->sign_extend ? (uint64_t)mm_sign_extend(value, bits)
		                                  : mm_zero_extend(value, bits));
	return false;
}
