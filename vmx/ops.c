/* VMX as kernel/ sees it: struct virt_ops, and the life of a virtual CPU. */
#include "frame.h"
#include "log.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/mmio.h"
#include "vmx/probe.h"
#include "vmx/state.h"
#include "vmx/vmx.h"

static uint64_t eptp_of(const struct aspace *as)
{
	const struct npt_config *npt = &as->npt.config;

	return aspace_root(as).raw | FIELD_PREP(EPTP_WALK_LENGTH, npt->levels - 1) |
	       FIELD_PREP(EPTP_MEMTYPE, MEMTYPE_WRITE_BACK) |
	       (npt->accessed_dirty ? EPTP_ACCESSED_DIRTY : 0);
}

static void init_vmcs(struct vmx_vcpu *v, const struct vcpu_config *config)
{
	/* 25.2: software writes the revision, and everything else by VMWRITE. */
	*(uint32_t *)frame_ptr(v->vmcs) = vmx_caps.revision;
	ASSERT(vmclear(v->vmcs));
	vmx_load(v);
	vmx_setup(v, config);
	/* Whichever CPU runs it first takes it. */
	vmx_release(v);
}

static enum mm_error create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	struct vmx_vcpu *v;
	hpa_t state, vmcs;

	if (!frame_alloc(0, &state))
		return MM_NO_MEMORY;
	if (!frame_alloc(0, &vmcs)) {
		frame_free(0, state);
		return MM_NO_MEMORY;
	}
	machine_zero(NULL, frame_ptr(state), MM_PAGE_SIZE);
	machine_zero(NULL, frame_ptr(vmcs), MM_PAGE_SIZE);
	v = frame_ptr(state);
	v->vmcs = vmcs;
	v->root = aspace_root(config->as);
	v->eptp = eptp_of(config->as);
	v->vpid = (uint16_t)aspace_tag(config->as);
	v->rip = config->entry;
	v->gpr[GPR_RDI] = config->args[0];
	v->gpr[GPR_RSI] = config->args[1];
	x86_fpu_reset(v->fpu);
	init_vmcs(v, config);

	*vcpu = (struct vcpu){.ops = &vmx_ops, .as = config->as, .index = config->index, .arch = v};
	return MM_OK;
}

static void destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	hpa_t vmcs = v->vmcs;

	(void)vmx_log_writes(vcpu, false);
	vmx_release(v);
	frame_free(0, vmcs);
	frame_free(0, frame_of(v));
	vcpu->arch = NULL;
}

static void park(struct vcpu *vcpu)
{
	vmx_release(vmx_of(vcpu));
}

/* Of a hypercall: its answer goes into the registers that guests/abi.h names. */
static void call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	v->gpr[GPR_RAX] = first;
	v->gpr[GPR_RDX] = second;
}

static void skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	if (exit->kind == VM_EXIT_PORT && !exit->port.write)
		x86_give_port(v->gpr, exit->port.width, value);
	if (exit->kind == VM_EXIT_SYSREG && !exit->sysreg.write) {
		if (v->reason == REASON_RDMSR) {
			v->gpr[GPR_RAX] = (uint32_t)value;
			v->gpr[GPR_RDX] = value >> 32;
		} else if (exit->sysreg.gpr == GPR_RSP) {
			vmwrite(VMCS_GUEST_RSP, value);
		} else {
			v->gpr[exit->sysreg.gpr] = value;
		}
	}
	vmx_step(v);
}

const struct virt_ops vmx_ops = {
	.name = "vmx",
	.probe = vmx_probe,
	.cpu_enable = vmx_cpu_enable,
	.create = create,
	.destroy = destroy,
	.run = vmx_run,
	.park = park,
	.call_return = call_return,
	.mmio_decode = vmx_mmio_decode,
	.mmio_complete = vmx_mmio_complete,
	.skip = skip,
	.inject_undefined = vmx_inject_undefined,
	.set_interrupt = vmx_set_interrupt,
	.log_writes = vmx_log_writes,
	.take_writes = vmx_take_writes,
	.translate = vmx_translate,
	.pc = vmx_pc,
	.registers = vmx_registers,
	.flush = vmx_flush,
};
