/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated registers: CPUID, EFER, CR4, and the MSRs and ports that exit. x86/sysreg.c decides
 * what a guest gets; this file has SVM's means for it: the permission maps, and intercepts.
 */
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

/* Every port exits: APM vol. 2, 15.10.1. */
uint8_t svm_io_bitmap[3 * MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

/*
 * 15.11: two bits per MSR, for reads and writes; 1 exits. Three parts of 8192 MSRs each: from 0,
 * from 0xc000_0000, from 0xc001_0000.
 */
uint8_t svm_msr_bitmap[2 * MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

#define PART_BYTES 0x800U

static void pass(uint32_t msr, bool write)
{
	unsigned byte = (msr & 0x1fff) / 4 + (msr >> 31 ? PART_BYTES : 0);
	unsigned bits = 1U | (write ? 2U : 0U);

	svm_msr_bitmap[byte] &= (uint8_t) ~(bits << msr % 4 * 2);
}

/* EFER exits, because a guest must neither see nor clear SVME. */
void svm_sysreg_init(void)
{
	for (size_t i = 0; i < sizeof(svm_io_bitmap); i++)
		svm_io_bitmap[i] = 0xff;
	for (size_t i = 0; i < sizeof(svm_msr_bitmap); i++)
		svm_msr_bitmap[i] = 0xff;
	for (unsigned i = 0; i < X86_MSR_PASSES; i++)
		pass(x86_msr_passes[i].msr, x86_msr_passes[i].write);
}

enum exit_action svm_handle_cpuid(struct svm_vcpu *v)
{
	x86_cpuid(&v->x86, "FaultlineSVM", v->vmcb->cr4);
	svm_step(v, LENGTH_CPUID);
	return EXIT_RESUME;
}

#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_NXE)

/* False: the guest may not write this value. LME is fixed while paging is on. */
static bool write_efer(struct vmcb *vmcb, uint64_t value)
{
	uint64_t old = vmcb->efer;

	if ((value & ~(EFER_GUEST | EFER_LMA)) != 0 ||
	    ((value ^ old) & EFER_LME && vmcb->cr0 & CR0_PG))
		return false;
	/* The CPU sets LMA; VMRUN demands SVME. */
	vmcb->efer = (value & EFER_GUEST) | (old & EFER_LMA) | EFER_SVME;
	vmcb->clean &= ~CLEAN_CRX;
	return true;
}

/* The CPU may check CPL and CR4.OSXSAVE before the intercept or after it. */
enum exit_action svm_handle_xsetbv(struct svm_vcpu *v)
{
	if (!(v->vmcb->cr4 & CR4_OSXSAVE)) {
		svm_inject_exception(v, EXCEPTION_UD, 0);
	} else if (v->vmcb->cpl != 0 || !x86_xsetbv(&v->x86)) {
		svm_inject_exception(v, EXCEPTION_GP, 0);
	} else {
		svm_step(v, LENGTH_XSETBV);
	}
	return EXIT_RESUME;
}

enum exit_action svm_handle_msr(struct svm_vcpu *v, struct vm_exit *exit)
{
	bool write = v->vmcb->exit_info1 & MSR_IS_WRITE;

	x86_decode_msr(&v->x86, write, exit);
	if (exit->sysreg.reg != MSR_EFER)
		return EXIT_RETURN;
	if (!write)
		x86_complete_rdmsr(&v->x86, v->vmcb->efer & ~EFER_SVME);
	else if (!write_efer(v->vmcb, exit->sysreg.value))
		return EXIT_RETURN;
	svm_step(v, LENGTH_MSR);
	return EXIT_RESUME;
}

static bool is_valid_cr4(const struct vmcb *vmcb, uint64_t value)
{
	if ((value & ~x86_cr4_allowed()) != 0)
		return false;
	/* In long mode PAE stays on, and the number of levels is fixed: APM vol. 2, 3.1.3. */
	return !(vmcb->efer & EFER_LMA) || (value & CR4_PAE && !((value ^ vmcb->cr4) & CR4_LA57));
}

/* MOV to CR4, 0f 22 /4. A value that the guest may not write goes to the run loop. */
enum exit_action svm_handle_cr4_write(struct svm_vcpu *v, struct vm_exit *exit)
{
	struct vmcb *vmcb = v->vmcb;
	uint8_t gpr;
	uint64_t value;

	if (svm_mov_cr_source(v, &gpr) != MM_OK)
		return vm_exit_failure(exit,
		                       "a write to CR4 whose instruction cannot be fetched again");
	value = gpr == GPR_RSP ? vmcb->rsp : v->x86.gpr[gpr];
	if (is_valid_cr4(vmcb, value)) {
		vmcb->cr4 = value;
		vmcb->clean &= ~CLEAN_CRX;
		vmcb->tlb_control = svm_tlb_flush_asid();
		svm_step(v, LENGTH_MOV_CR);
		return EXIT_RESUME;
	}
	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg = (struct vm_exit_sysreg){
		.reg = SYSREG_CR(4), .write = true, .value = value, .gpr = gpr};
	return EXIT_RETURN;
}

void svm_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct svm_vcpu *v = svm_of(vcpu);

	switch (exit->kind) {
	case VM_EXIT_PORT:
		x86_complete_port(&v->x86, &exit->port, value);
		svm_step_to(v, v->vmcb->exit_info2);
		break;
	case VM_EXIT_SYSREG:
		if (v->vmcb->exit_code != SVM_MSR) {
			svm_step(v, LENGTH_MOV_CR);
			break;
		}
		if (!exit->sysreg.write)
			x86_complete_rdmsr(&v->x86, value);
		svm_step(v, LENGTH_MSR);
		break;
	default:
		svm_step(v, LENGTH_HLT);
		break;
	}
}
