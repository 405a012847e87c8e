/*
 * From a nested fault on a device's page to the access that the guest meant. The address is the
 * hardware's; width, direction and register are the instruction's: htinst where the hart fills
 * it, and otherwise the instruction, fetched once. Another vCPU may have changed it since the
 * fault: what it says is believed only as far as the fault bears it out.
 */
#include "hext/mmio.h"

#include "hext/decode.h"
#include "hext/guest_walk.h"
#include "hext/vcpu_state.h"
#include "mm/bits.h"

static uint64_t low_bytes(uint64_t value, unsigned width)
{
	return width == 8 ? value : value & (BIT(8 * width) - 1);
}

static uint64_t sign_extend(uint64_t value, unsigned width)
{
	unsigned above = 64 - 8 * width;

	return (uint64_t)((int64_t)(value << above) >> above);
}

/* MM_UNSUPPORTED: refused, or not what faulted. */
static enum mm_error decode_instruction(struct hext_vcpu *v, const struct vm_exit *exit,
                                        struct decoded_access *decoded)
{
	uint32_t insn;
	unsigned bytes;
	enum mm_error error;

	if (decode_transformed(exit->raw[3], decoded))
		/* A fault in the middle: the access began on the page before. */
		return decoded->offset == 0 ? MM_OK : MM_UNSUPPORTED;

	error = walk_fetch(v, gva_at(exit->pc), &insn, &bytes);
	if (error != MM_OK)
		return error;
	if (!decode_load_store(insn, decoded) ||
	    state_reg(v, decoded->base) + (uint64_t)decoded->offset != exit->fault.gva.raw)
		return MM_UNSUPPORTED;
	return MM_OK;
}

enum mm_error hext_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                               struct mmio_access *access)
{
	struct hext_vcpu *v = vcpu->arch;
	const struct vm_exit_fault *fault = &exit->fault;
	struct decoded_access decoded;
	enum mm_error error;

	/* Code and page tables in a device's registers are not emulated. */
	if (fault->stage1_walk || fault->access == MM_X)
		return MM_UNSUPPORTED;
	error = decode_instruction(v, exit, &decoded);
	if (error != MM_OK)
		return error;
	if (decoded.write != (fault->access == MM_W))
		return MM_UNSUPPORTED;
	/* The guest's tables map the next page on their own. */
	if ((fault->gpa.raw & (PAGE_SIZE - 1)) + decoded.width > PAGE_SIZE)
		return MM_UNSUPPORTED;
	*access = (struct mmio_access){
		.gpa = fault->gpa,
		.width = decoded.width,
		.write = decoded.write,
		.sign_extend = decoded.sign_extend,
		.reg_width = sizeof(uint64_t),
		.reg = decoded.reg,
		.length = decoded.length,
	};
	if (decoded.write)
		access->value = low_bytes(state_reg(v, decoded.reg), decoded.width);
	return MM_OK;
}

bool hext_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct hext_vcpu *v = vcpu->arch;

	if (!access->write)
		state_set_reg(v, access->reg,
		              access->sign_extend ? sign_extend(value, access->width)
		                                  : low_bytes(value, access->width));
	state_set_pc(v, state_pc(v) + access->length);
	return false;
}
