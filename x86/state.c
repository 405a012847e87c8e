/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saves and loads the state of a guest that neither VMCS nor VMCB holds: x87, SSE, AVX and AVX-512
 * registers, XCR0, breakpoint addresses. See state.h.
 */
#include "x86/state.h"

#include "machine/x86_64/cpu.h"
#include "mm/bits.h"

#define CPUID1_ECX_XSAVE    BIT(26)
#define CPUID_XSAVE         0xdU
#define CPUID_ADDRESS_SIZES 0x80000008U
/* FXSAVE and XSAVE always save the pointers of the last x87 instruction, and FXRSTOR and XRSTOR
 * always load them. Without it they do so only while an exception is pending. */
#define CPUID_EBX_ERROR_POINTERS BIT(2)
#define VENDOR_AMD_EBX           0x68747541U /* "Auth" */

/* SDM vol. 1, 10.5.1 and 13.4. */
#define IMAGE_CONTROL_WORD 0
#define IMAGE_MXCSR        24
#define XSAVE_HEADER_END   576U
/* SDM vol. 3, table 9-1: x87 as after FNINIT. */
#define CONTROL_WORD UINT16_C(0x037f)
#define MXCSR        UINT32_C(0x1f80)
#define DR6_RESET    UINT64_C(0xffff0ff0)

static uint64_t components; /* of XCR0, for guests; 0: no XSAVE */
static bool stale_pointers; /* the CPU does not always load the x87 pointers (CVE-2006-1056) */

static uint64_t valid_components(uint64_t has)
{
	uint64_t valid = has & (XCR0_X87 | XCR0_SSE);

	if (has & XCR0_AVX)
		valid |= XCR0_AVX;
	if ((has & XCR0_AVX) && (has & XCR0_AVX512) == XCR0_AVX512)
		valid |= XCR0_AVX512;
	return valid;
}

uint32_t x86_state_bytes(uint64_t wanted)
{
	uint32_t bytes = XSAVE_HEADER_END;

	for (unsigned i = 2; i < 63; i++) {
		struct cpuid r;

		if (!(wanted & BIT(i)))
			continue;
		r = cpuid(CPUID_XSAVE, i);
		if (r.eax + r.ebx > bytes)
			bytes = r.eax + r.ebx;
	}
	return bytes;
}

void x86_state_probe(void)
{
	struct cpuid r;

	stale_pointers = cpuid(0, 0).ebx == VENDOR_AMD_EBX &&
	                 !(cpuid(CPUID_ADDRESS_SIZES, 0).ebx & CPUID_EBX_ERROR_POINTERS);
	components = 0;
	if (!(cpuid(1, 0).ecx & CPUID1_ECX_XSAVE))
		return;
	r = cpuid(CPUID_XSAVE, 0);
	components = valid_components(r.eax | (uint64_t)r.edx << 32);
	if (x86_state_bytes(components) > X86_XSAVE_BYTES)
		components &= ~XCR0_AVX512;
}

uint64_t x86_state_components(void)
{
	return components;
}

static uint64_t read_xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static void write_xcr0(uint64_t value)
{
	__asm__ volatile("xsetbv"
	                 :
	                 : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
	                 : "memory");
}

void x86_state_enable(void)
{
	write_cr0(read_cr0() & ~(CR0_TS | CR0_EM));
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	if (components == 0)
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	write_xcr0(components);
}

/* With an XSAVE header of zeros, XRSTOR loads the initial value of each component but MXCSR. */
void x86_state_reset(struct x86_state *s)
{
	*(uint16_t *)(void *)(s->image + IMAGE_CONTROL_WORD) = CONTROL_WORD;
	*(uint32_t *)(void *)(s->image + IMAGE_MXCSR) = MXCSR;
	s->dr6 = DR6_RESET;
	s->xcr0 = XCR0_X87;
}

/* --- the image --- */

/* A component that the guest has switched off keeps its value. So the image has all of them. */
static void save_image(struct x86_state *s)
{
	if (components == 0) {
		__asm__ volatile("fxsave64 %0" : "=m"(s->image));
		return;
	}
	s->xcr0 = read_xcr0();
	if (s->xcr0 != components)
		write_xcr0(components);
	__asm__ volatile("xsave64 %0"
	                 : "+m"(s->image)
	                 : "a"((uint32_t)components), "d"((uint32_t)(components >> 32)));
}

static void load_image(const struct x86_state *s)
{
	/* Replaces the pointers of the last x87 instruction, of another guest, by those of this
	 * load. */
	if (stale_pointers)
		__asm__ volatile("fnclex; emms; fildl %0" : : "m"(s->image[0]) : "memory");
	if (components == 0) {
		__asm__ volatile("fxrstor64 %0" : : "m"(s->image));
		return;
	}
	write_xcr0(components);
	__asm__ volatile("xrstor64 %0"
	                 :
	                 : "m"(s->image), "a"((uint32_t)components),
	                   "d"((uint32_t)(components >> 32)));
	if (s->xcr0 != components)
		write_xcr0(s->xcr0);
}

/* --- debug registers and MSRs --- */

#define SAVE_BREAKPOINT(n) __asm__ volatile("mov %%db" #n ", %0" : "=r"(s->breakpoint[n]));
#define LOAD_BREAKPOINT(n) __asm__ volatile("mov %0, %%db" #n : : "r"(s->breakpoint[n]));

static void save_outside_vmcs(struct x86_state *s)
{
	unsigned i = 0;

	s->cr2 = read_cr2();
	__asm__ volatile("mov %%db6, %0" : "=r"(s->dr6));
#define SAVE_MSR(name, number, mask) s->msr[i++] = rdmsr(number);
	X86_STATE_SYSCALL_MSRS(SAVE_MSR)
}

static void load_outside_vmcs(const struct x86_state *s)
{
	unsigned i = 0;

	write_cr2(s->cr2);
	__asm__ volatile("mov %0, %%db6" : : "r"(s->dr6));
#define LOAD_MSR(name, number, mask) wrmsr(number, s->msr[i++]);
	X86_STATE_SYSCALL_MSRS(LOAD_MSR)
}

void x86_state_save(struct x86_state *s, enum x86_outside outside)
{
	save_image(s);
	X86_STATE_BREAKPOINTS(SAVE_BREAKPOINT)
	if (outside == X86_OUTSIDE_VMCS)
		save_outside_vmcs(s);
}

void x86_state_load(const struct x86_state *s, enum x86_outside outside)
{
	load_image(s);
	X86_STATE_BREAKPOINTS(LOAD_BREAKPOINT)
	if (outside == X86_OUTSIDE_VMCS)
		load_outside_vmcs(s);
}

/* --- XSETBV --- */

uint64_t x86_state_xcr0(void)
{
	return components == 0 ? 0 : read_xcr0();
}

bool x86_state_set_xcr(uint32_t index, uint64_t value)
{
	/* SDM vol. 2, XSETBV. */
	if (index != 0 || !(value & XCR0_X87) || (value & ~components) != 0)
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	if ((value & XCR0_AVX512) != 0 &&
	    ((value & XCR0_AVX512) != XCR0_AVX512 || !(value & XCR0_AVX)))
		return false;
	write_xcr0(value);
	return true;
}
