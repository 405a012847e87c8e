/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulated registers: CPUID as a guest reads it, the CR4 bits that it may set, and the MSRs that
 * it may access without an exit.
 *
 * CPUID hides each feature whose state is not switched between guests (XCR0 and the features that
 * depend on it) and each feature that a guest cannot use (nesting, MONITOR, x2APIC, the TSC
 * deadline timer).
 */
#include "machine/x86_64/cpu.h"
#include "x86/x86.h"

#define HYPERVISOR_LEAF UINT32_C(0x40000000)
#define HYPERVISOR_LAST UINT32_C(0x4fffffff)

/* Leaf 1. */
#define ECX1_MONITOR      BIT(3)
#define ECX1_VMX          BIT(5)
#define ECX1_SMX          BIT(6)
#define ECX1_FMA          BIT(12)
#define ECX1_PDCM         BIT(15)
#define ECX1_PCID         BIT(17)
#define ECX1_X2APIC       BIT(21)
#define ECX1_TSC_DEADLINE BIT(24)
#define ECX1_XSAVE        BIT(26)
#define ECX1_OSXSAVE      BIT(27)
#define ECX1_AVX          BIT(28)
#define ECX1_F16C         BIT(29)
#define ECX1_HYPERVISOR   BIT(31)
#define EDX1_MCE          BIT(7)
#define EDX1_SEP          BIT(11)
#define EDX1_MTRR         BIT(12)
#define EDX1_MCA          BIT(14)
#define EDX1_PAT          BIT(16)

/* Leaf 7, subleaf 0: the features that a guest gets. */
#define EBX7_FSGSBASE   BIT(0)
#define EBX7_BMI1       BIT(3)
#define EBX7_SMEP       BIT(7)
#define EBX7_BMI2       BIT(8)
#define EBX7_ERMS       BIT(9)
#define EBX7_RDSEED     BIT(18)
#define EBX7_ADX        BIT(19)
#define EBX7_SMAP       BIT(20)
#define EBX7_CLFLUSHOPT BIT(23)
#define EBX7_CLWB       BIT(24)
#define ECX7_LA57       BIT(16)

/* Leaf 0x8000_0001. */
#define ECX8_SVM     BIT(2)
#define EDX8_SYSCALL BIT(11)
#define EDX8_RDTSCP  BIT(27)

/* Leaf 0x8000_0008. */
#define CPUID_ADDRESS_SIZES UINT32_C(0x80000008)
#define EAX_PHYSICAL_BITS   GENMASK(7, 0)

static struct cpuid hypervisor_leaf(uint32_t leaf, const char *signature)
{
	struct cpuid r = {0, 0, 0, 0};

	if (leaf != HYPERVISOR_LEAF)
		return r;
	r.eax = HYPERVISOR_LEAF;
	for (unsigned i = 0; i < 4; i++) {
		r.ebx |= (uint32_t)(uint8_t)signature[i] << 8 * i;
		r.ecx |= (uint32_t)(uint8_t)signature[i + 4] << 8 * i;
		r.edx |= (uint32_t)(uint8_t)signature[i + 8] << 8 * i;
	}
	return r;
}

static void trim_leaf1(struct cpuid *r)
{
	r->ecx &= (uint32_t) ~(ECX1_MONITOR | ECX1_VMX | ECX1_SMX | ECX1_FMA | ECX1_PDCM |
	                       ECX1_PCID | ECX1_X2APIC | ECX1_TSC_DEADLINE | ECX1_XSAVE |
	                       ECX1_OSXSAVE | ECX1_AVX | ECX1_F16C);
	r->ecx |= (uint32_t)ECX1_HYPERVISOR;
	r->edx &= (uint32_t) ~(EDX1_MCE | EDX1_SEP | EDX1_MTRR | EDX1_MCA | EDX1_PAT);
}

static void trim_leaf7(struct cpuid *r, uint32_t subleaf)
{
	if (subleaf != 0) {
		*r = (struct cpuid){0, 0, 0, 0};
		return;
	}
	r->eax = 0;
	r->ebx &= (uint32_t)(EBX7_FSGSBASE | EBX7_BMI1 | EBX7_SMEP | EBX7_BMI2 | EBX7_ERMS |
	                     EBX7_RDSEED | EBX7_ADX | EBX7_SMAP | EBX7_CLFLUSHOPT | EBX7_CLWB);
	r->ecx &= (uint32_t)ECX7_LA57;
	r->edx = 0;
}

static struct cpuid guest_leaf(uint32_t leaf, uint32_t subleaf, const char *signature)
{
	struct cpuid r;

	if (leaf >= HYPERVISOR_LEAF && leaf <= HYPERVISOR_LAST)
		return hypervisor_leaf(leaf, signature);
	r = cpuid(leaf, subleaf);
	switch (leaf) {
	case 1:
		trim_leaf1(&r);
		break;
	case 5: /* MONITOR */
		r = (struct cpuid){0, 0, 0, 0};
		break;
	case 7:
		trim_leaf7(&r, subleaf);
		break;
	case 0xa:        /* performance monitoring */
	case 0xd:        /* XSAVE */
	case 0xf:        /* resource monitoring */
	case 0x10:       /* resource allocation */
	case 0x12:       /* SGX */
	case 0x14:       /* processor trace */
	case 0x8000000a: /* SVM */
		r = (struct cpuid){0, 0, 0, 0};
		break;
	case 0x80000001:
		r.ecx &= (uint32_t)~ECX8_SVM;
		r.edx &= (uint32_t) ~(EDX8_SYSCALL | EDX8_RDTSCP);
		break;
	default:
		break;
	}
	return r;
}

void x86_cpuid(struct x86_vcpu *v, const char *signature)
{
	struct cpuid r =
		guest_leaf((uint32_t)v->gpr[GPR_RAX], (uint32_t)v->gpr[GPR_RCX], signature);

	v->gpr[GPR_RAX] = r.eax;
	v->gpr[GPR_RBX] = r.ebx;
	v->gpr[GPR_RCX] = r.ecx;
	v->gpr[GPR_RDX] = r.edx;
}

uint64_t x86_cr4_allowed(void)
{
	return CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_OSFXSR |
	       CR4_OSXMMEXCPT | CR4_LA57 | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP;
}

/* The VMCS or VMCB holds the guest's value of each of these. The TSC is the host's own. */
const struct x86_msr_pass x86_msr_passes[X86_MSR_PASSES] = {
	{MSR_TSC, false},        {MSR_FS_BASE, true},      {MSR_GS_BASE, true},
	{MSR_SYSENTER_CS, true}, {MSR_SYSENTER_ESP, true}, {MSR_SYSENTER_EIP, true},
};

unsigned x86_physical_bits(void)
{
	return (unsigned)FIELD_GET(EAX_PHYSICAL_BITS, cpuid(CPUID_ADDRESS_SIZES, 0).eax);
}
