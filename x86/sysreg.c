/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers that a guest reads and writes: the MSRs that do not exit, XCR0, and the width of an
 * address. cpuid.c has CPUID and CR4.
 */
#include "machine/x86_64/cpu.h"
#include "x86/x86.h"

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

unsigned x86_physical_bits(void)
{
	return (unsigned)FIELD_GET(EAX_PHYSICAL_BITS, cpuid(CPUID_ADDRESS_SIZES, 0).eax);
}
