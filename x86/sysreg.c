/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that a guest reads and writes: the MSRs that do not exit, XCR0, and the width of an
 * address. cpuid.c has CPUID and CR4.
 */
#include <stdatomic.h>

#include "machine/x86_64/cpu.h"
#include "x86/stage1.h"
#include "x86/x86.h"

/* CPUID leaf 0x8000_0001. */
#define CPUID_EXTENDED_FEATURES UINT32_C(0x80000001)
#define EDX8_PAGE1GB            BIT(26)

/* CPUID leaf 0x8000_0008. */
#define CPUID_ADDRESS_SIZES UINT32_C(0x80000008)
#define EAX_PHYSICAL_BITS   GENMASK(7, 0)

/* The TSC is the host's own. */
#define PASS(name, number, mask) {number, true},
const struct x86_msr_pass x86_msr_passes[X86_MSR_PASSES] = {
	{MSR_TSC, false}, X86_STATE_HELD_MSRS(PASS) X86_STATE_SYSCALL_MSRS(PASS)};

bool x86_xsetbv(const struct x86_vcpu *v)
{
	return x86_state_set_xcr((uint32_t)v->gpr[GPR_RCX],
	                         v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX]);
}

/* Read once: CPUID is slow under another hypervisor. 0: not read yet. Each CPU stores the same. */
static _Atomic(unsigned) physical_bits, gib_pages;

#define GIB_PAGES    1U
#define NO_GIB_PAGES 2U

void x86_stage1_limits(struct stage1 *out)
{
	unsigned bits = atomic_load_explicit(&physical_bits, memory_order_relaxed);
	unsigned pages = atomic_load_explicit(&gib_pages, memory_order_relaxed);

	if (MM_UNLIKELY(bits == 0 || pages == 0)) {
		bits = x86_physical_bits();
		pages = cpuid(CPUID_EXTENDED_FEATURES, 0).edx & EDX8_PAGE1GB ? GIB_PAGES
		                                                             : NO_GIB_PAGES;
		atomic_store_explicit(&physical_bits, bits, memory_order_relaxed);
		atomic_store_explicit(&gib_pages, pages, memory_order_relaxed);
	}
	out->address_bits = (uint8_t)bits;
	out->no_gib_pages = pages == NO_GIB_PAGES;
}

unsigned x86_physical_bits(void)
{
	return (unsigned)FIELD_GET(EAX_PHYSICAL_BITS, cpuid(CPUID_ADDRESS_SIZES, 0).eax);
}
