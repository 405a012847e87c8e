/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated registers: CPUID, control registers, and the MSRs that exit. x86/sysreg.c decides what
 * a guest gets; this file has VMX's means for it: the MSR bitmap, and the guest/host masks of CR0
 * and CR4.
 */
#include "machine/x86_64/cpu.h"
#include "vmx/vmx.h"

/*
 * SDM vol. 3C, 25.6.9: one bit per MSR, 1 exits. Reads are in the first half, writes in the
 * second; each half has MSRs 0 to 0x1fff, then 0xc000_0000 to 0xc000_1fff.
 */
#define BITMAP_WRITES 2048U
#define BITMAP_HIGH   1024U

uint8_t vmx_msr_bitmap[MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

static void pass(uint32_t msr, bool write)
{
	unsigned byte = (msr & 0x1fff) / 8 + (msr >> 31 ? BITMAP_HIGH : 0);
	uint8_t mask = (uint8_t) ~(1U << msr % 8);

	vmx_msr_bitmap[byte] &= mask;
	if (write)
		vmx_msr_bitmap[byte + BITMAP_WRITES] &= mask;
}

void vmx_sysreg_init(void)
{
	for (size_t i = 0; i < sizeof(vmx_msr_bitmap); i++)
		vmx_msr_bitmap[i] = 0xff;
	for (unsigned i = 0; i < X86_MSR_PASSES; i++)
		pass(x86_msr_passes[i].msr, x86_msr_passes[i].write);
	/* Entries and exits switch EFER. */
	pass(MSR_EFER, true);
}

/*
 * A guest owns PE and PG (unrestricted guest) and each bit of CR0 that VMX does not fix, except
 * NW and CD: caches stay on. If a guest changes a bit that it does not own, it exits; if it reads
 * one, it gets the shadow's. VMX fixes NE and CR4.VMXE at 1 (SDM vol. 3D, A.7 and A.8).
 */
void vmx_setup_control_registers(void)
{
	uint64_t free0 = rdmsr(MSR_VMX_CR0_FIXED1) & ~rdmsr(MSR_VMX_CR0_FIXED0);
	uint64_t fixed4 = rdmsr(MSR_VMX_CR4_FIXED0);
	uint64_t own0 = (free0 | CR0_PE | CR0_PG) & ~(CR0_NW | CR0_CD);
	uint64_t own4 = x86_cr4_allowed() & rdmsr(MSR_VMX_CR4_FIXED1) & ~fixed4;

	vmwrite(VMCS_GUEST_CR0, X86_START_CR0);
	vmwrite(VMCS_CR0_SHADOW, X86_START_CR0);
	vmwrite(VMCS_CR0_MASK, ~own0);
	vmwrite(VMCS_GUEST_CR3, 0);
	vmwrite(VMCS_GUEST_CR4, fixed4);
	vmwrite(VMCS_CR4_SHADOW, 0);
	vmwrite(VMCS_CR4_MASK, ~own4);
}

enum exit_action vmx_handle_cpuid(struct vmx_vcpu *v)
{
	x86_cpuid(&v->x86, "FaultlineVMX", vmread(VMCS_GUEST_CR4));
	vmx_step(v);
	return EXIT_RESUME;
}

#define CR0_CACHE (CR0_NW | CR0_CD)

/*
 * A write to CR0 that changes NW or CD. The guest reads what it wrote, and caches stay on. NW
 * without CD is not valid (SDM vol. 3A, table 12-5). False: the guest may not write this value. A
 * write that changes the paging mode as well is refused.
 */
static bool guest_writes_cr0(uint64_t value)
{
	uint64_t guest = vmread(VMCS_GUEST_CR0), mask = vmread(VMCS_CR0_MASK);
	uint64_t shadow = vmread(VMCS_CR0_SHADOW);
	uint64_t changed = value ^ ((guest & ~mask) | (shadow & mask));

	if ((changed & mask & ~CR0_CACHE) != 0 || (changed & (CR0_PE | CR0_PG)) != 0 ||
	    (value & CR0_CACHE) == CR0_NW)
		return false;
	vmwrite(VMCS_CR0_SHADOW, (shadow & ~CR0_CACHE) | (value & CR0_CACHE));
	vmwrite(VMCS_GUEST_CR0, (guest & mask) | (value & ~mask));
	return true;
}

enum exit_action vmx_decode_cr_access(struct vmx_vcpu *v, struct vm_exit *exit)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	uint8_t gpr = (uint8_t)FIELD_GET(QUAL_CR_GPR, qualification);
	uint64_t value = gpr == GPR_RSP ? vmread(VMCS_GUEST_RSP) : v->x86.gpr[gpr];

	if (FIELD_GET(QUAL_CR_NUMBER, qualification) == 0 &&
	    FIELD_GET(QUAL_CR_TYPE, qualification) == CR_TYPE_WRITE && guest_writes_cr0(value)) {
		vmx_step(v);
		return EXIT_RESUME;
	}
	exit->kind = VM_EXIT_SYSREG;
	exit->raw[1] = qualification;
	exit->sysreg = (struct vm_exit_sysreg){
		.reg = SYSREG_CR(FIELD_GET(QUAL_CR_NUMBER, qualification)),
		.write = FIELD_GET(QUAL_CR_TYPE, qualification) != CR_TYPE_READ,
		.value = value,
		.gpr = gpr,
	};
	return EXIT_RETURN;
}

static void complete_sysreg_read(struct vmx_vcpu *v, uint8_t gpr, uint64_t value)
{
	if (v->reason == REASON_RDMSR)
		x86_complete_rdmsr(&v->x86, value);
	else if (gpr == GPR_RSP)
		vmwrite(VMCS_GUEST_RSP, value);
	else
		v->x86.gpr[gpr] = value;
}

void vmx_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value)
{
	struct vmx_vcpu *v = vmx_of(vcpu);

	if (exit->kind == VM_EXIT_PORT)
		x86_complete_port(&v->x86, &exit->port, value);
	if (exit->kind == VM_EXIT_SYSREG && !exit->sysreg.write)
		complete_sysreg_read(v, exit->sysreg.gpr, value);
	vmx_step(v);
}
