/* SVM as kernel/ sees it: struct virt_ops, and the life of a virtual CPU. */
#include "frame.h"
#include "machine/x86_64/cpu.h"
#include "svm/state.h"
#include "svm/svm.h"
#include "x86/guest_regs.h"

#define LENGTH_HLT    1U
#define LENGTH_MSR    2U
#define LENGTH_MOV_CR 3U

static enum mm_error create(struct vcpu *vcpu, const struct vcpu_config *config)
{
	struct svm_vcpu *v;
	hpa_t state, vmcb;

	if (!frame_alloc(0, &state))
		return MM_NO_MEMORY;
	if (!frame_alloc(0, &vmcb)) {
		frame_free(0, state);
		return MM_NO_MEMORY;
	}
	v = frame_ptr(state);
	machine_zero(NULL, v, MM_PAGE_SIZE);
	v->vmcb = frame_ptr(vmcb);
	v->vcpu = vcpu;
	v->cpu = SVM_NO_CPU;
	x86_fpu_reset(v->fpu);
	*vcpu = (struct vcpu){.ops = &svm_ops, .as = config->as, .index = config->index, .arch = v};
	svm_setup(v, config);
	return MM_OK;
}

/* Its owner has parked it, or it ran on this CPU alone. */
static void destroy(struct vcpu *vcpu)
{
	struct svm_vcpu *v = svm_of(vcpu);

	svm_park(vcpu);
	frame_free(0, frame_of(v->vmcb));
	frame_free(0, frame_of(v));
	vcpu->arch = NULL;
}

/* Of a hypercall: its answer goes into the registers that guests/abi.h names. */
static void call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct svm_vcpu *v = svm_of(vcpu);

	v->gpr[GPR_RAX] = first;
	v->gpr[GPR_RDX] = second;
}

static void skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct svm_vcpu *v = svm_of(vcpu);

	switch (exit->kind) {
	case VM_EXIT_PORT:
		if (!exit->port.write)
			x86_give_port(v->gpr, exit->port.width, value);
		svm_step_to(v, v->vmcb->exit_info2);
		break;
	case VM_EXIT_SYSREG:
		if (v->vmcb->exit_code != SVM_MSR) {
			svm_step(v, LENGTH_MOV_CR);
			break;
		}
		if (!exit->sysreg.write) {
			v->gpr[GPR_RAX] = (uint32_t)value;
			v->gpr[GPR_RDX] = value >> 32;
		}
		svm_step(v, LENGTH_MSR);
		break;
	default:
		svm_step(v, LENGTH_HLT);
		break;
	}
}

const struct virt_ops svm_ops = {
	.name = "svm",
	.probe = svm_probe,
	.cpu_enable = svm_cpu_enable,
	.create = create,
	.destroy = destroy,
	.run = svm_run,
	.park = svm_park,
	.call_return = call_return,
	.given_insn = svm_given_insn,
	.mmio_decode = svm_mmio_decode,
	.mmio_complete = svm_mmio_complete,
	.skip = skip,
	.inject_undefined = svm_inject_undefined,
	.set_interrupt = svm_set_interrupt,
	.translate = svm_translate,
	.pc = svm_pc,
	.registers = svm_registers,
	.flush = svm_flush,
};
