/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the machine layer, and how the machine identifies itself.
 */
#include "machine.h"

#include "kernel/string.h"
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/init.h"
#include "machine/x86_64/timer.h"
#include "machine/x86_64/trap.h"
#include "vcpu.h"

const struct virt_ops *const virt_candidates[] = {&vmx_ops, &svm_ops, NULL};

void machine_init(const struct boot_info *info)
{
	console_init();
	desc_init_cpu(0);
	trap_init();
	trap_init_cpu();
	tsc_init();
	apic_init();
	apic_init_cpu();
	start_init(info);
}

/* --- identification: CPUID's hypervisor leaf, and the PCI host bridge --- */

/* SDM vol. 2, CPUID: leaf 1, ECX bit 31 is never set by a real CPU. */
#define CPUID_HYPERVISOR BIT(31)
#define HYPERVISOR_LEAF  UINT32_C(0x40000000)

/* PCI Local Bus Specification 3.0, 3.2.2.3.2: configuration mechanism 1. */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  UINT32_C(0x80000000)

void machine_read_signs(struct machine_signs *out)
{
	struct cpuid leaf;

	*out = (struct machine_signs){.kind = SIGNS_X86_64};
	if ((cpuid(1, 0).ecx & CPUID_HYPERVISOR) != 0) {
		leaf = cpuid(HYPERVISOR_LEAF, 0);
		memcpy(&out->hypervisor[0], &leaf.ebx, 4);
		memcpy(&out->hypervisor[4], &leaf.ecx, 4);
		memcpy(&out->hypervisor[8], &leaf.edx, 4);
	}
	out32(PCI_ADDRESS, PCI_ENABLE);
	out->host_bridge = in32(PCI_DATA);
}
