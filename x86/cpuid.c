/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as a guest reads it, and what follows from it: the CR4 bits that the guest may set.
 *
 * A list, not a filter of known bits: a guest sees a feature of its CPU if it is in the table, so
 * that a feature of later CPUs is not shown before its state is switched. Not in it: nesting,
 * MONITOR, the local APIC, the TSC deadline timer, PAT, MTRRs, machine checks, RDTSCP (TSC_AUX is
 * not switched), PCID, protection keys, UMIP, CET, XSAVES and XSAVEC, and everything that needs
 * an MSR which raises #GP.
 */
#include "machine/x86_64/cpu.h"
#include "x86/x86.h"

#define HYPERVISOR_LEAF UINT32_C(0x40000000)
#define HYPERVISOR_LAST UINT32_C(0x4fffffff)
#define EXTENDED_LEAF   UINT32_C(0x80000000)
#define LAST_LEAF       UINT32_C(0x16)
#define LAST_EXTENDED   UINT32_C(0x80000008)

#define LEAF_FEATURES 1U
#define LEAF_SEVENTH  7U
#define LEAF_XSAVE    0xdU
#define LEAF_EXTENDED UINT32_C(0x80000001)
#define ADDRESS_SIZES UINT32_C(0x80000008)

#define BITS(high, low) ((uint32_t)GENMASK(high, low))
#define ONE(n)          ((uint32_t)BIT(n))
#define ALL             UINT32_MAX

/* Leaf 1. */
#define ECX1_XSAVE      ONE(26)
#define ECX1_OSXSAVE    ONE(27)
#define ECX1_AVX        (ONE(12) | ONE(28) | ONE(29)) /* FMA, AVX, F16C */
#define ECX1_HYPERVISOR ONE(31)
#define EDX1_VME        ONE(1)
#define EDX1_DE         ONE(2)
#define EDX1_PSE        ONE(3)
#define EDX1_TSC        ONE(4)
#define EDX1_PAE        ONE(6)
#define EDX1_SEP        ONE(11)
#define EDX1_PGE        ONE(13)
#define EDX1_FXSR       ONE(24)
#define EDX1_SSE        ONE(25)
/* FPU, MSR, CX8, CMOV, PSE-36, MMX */
#define EDX1_OTHER (ONE(0) | ONE(5) | ONE(8) | ONE(15) | ONE(17) | ONE(23))
/* What AMD repeats in leaf 8000_0001. */
#define EDX_BOTH                                                                                   \
	(EDX1_VME | EDX1_DE | EDX1_PSE | EDX1_TSC | EDX1_PAE | EDX1_PGE | EDX1_FXSR | EDX1_OTHER)

/* Leaf 7. */
#define EBX7_FSGSBASE ONE(0)
#define EBX7_AVX2     ONE(5)
#define EBX7_SMEP     ONE(7)
#define EBX7_SMAP     ONE(20)
/* F, DQ, IFMA, PF, ER, CD, BW, VL */
#define EBX7_AVX512 (ONE(16) | ONE(17) | ONE(21) | BITS(28, 26) | BITS(31, 30))
/* BMI1, BMI2, ERMS, RDSEED, ADX, CLFLUSHOPT, CLWB, SHA */
#define EBX7_OTHER  (ONE(3) | BITS(9, 8) | BITS(19, 18) | BITS(24, 23) | ONE(29))
#define ECX7_AVX    BITS(10, 9)                                /* VAES, VPCLMULQDQ */
#define ECX7_AVX512 (ONE(1) | ONE(6) | BITS(12, 11) | ONE(14)) /* VBMI to VPOPCNTDQ */
#define ECX7_GFNI   ONE(8)
#define ECX7_LA57   ONE(16)
#define EDX7_AVX512 (BITS(3, 2) | ONE(8)) /* 4VNNIW, 4FMAPS, VP2INTERSECT */
#define EDX7_FSRM   ONE(4)

/* Leaf 8000_0001: XOP, FMA4. */
#define ECX8_AVX (ONE(11) | ONE(16))
/* LAHF, CMP-LEGACY, CR8 by LOCK MOV CR0, ABM, SSE4A, misaligned SSE, PREFETCHW, TBM */
#define ECX8_OTHER (BITS(1, 0) | BITS(8, 4) | ONE(21))
/* SYSCALL, NX, extended MMX, 1 GiB pages, long mode, 3DNow */
#define EDX8_OTHER (ONE(11) | ONE(20) | ONE(22) | ONE(26) | BITS(31, 29))

#define EBX8_SHOWN         (ONE(0) | ONE(2)) /* CLZERO, error pointers in FXSAVE */
#define EDX87_TSC_CONSTANT ONE(8)
#define XSAVE_SHOWN        (ONE(0) | ONE(2)) /* XSAVEOPT, XGETBV with ECX 1 */

/* The bits of each leaf that a guest sees. A leaf that is not here reads as 0. */
static const struct row {
	uint32_t leaf;
	struct cpuid shown; /* EAX, EBX, ECX, EDX */
} rows[] = {
	{0, {ALL, ALL, ALL, ALL}},
	/* SSE3, PCLMULQDQ, SSSE3, CX16, SSE4, MOVBE, POPCNT, AES, RDRAND; SSE2, self-snoop, HTT */
	{LEAF_FEATURES,
         {ALL, ALL,
          BITS(1, 0) | ONE(9) | ONE(13) | BITS(20, 19) | BITS(23, 22) | ONE(25) | ONE(30) |
                  ECX1_XSAVE | ECX1_AVX,
          EDX_BOTH | EDX1_SEP | EDX1_SSE | ONE(19) | BITS(28, 26)}},
	{2, {ALL, ALL, ALL, ALL}}, /* caches */
	{4, {ALL, ALL, ALL, ALL}}, /* caches */
	{LEAF_SEVENTH,
         {0, EBX7_FSGSBASE | EBX7_AVX2 | EBX7_SMEP | EBX7_SMAP | EBX7_AVX512 | EBX7_OTHER,
          ECX7_AVX | ECX7_AVX512 | ECX7_GFNI | ECX7_LA57, EDX7_AVX512 | EDX7_FSRM}},
	{0xb, {ALL, ALL, ALL, ALL}},  /* topology */
	{0x15, {ALL, ALL, ALL, ALL}}, /* frequencies */
	{0x16, {ALL, ALL, ALL, ALL}},
	{EXTENDED_LEAF, {ALL, ALL, ALL, ALL}},
	{LEAF_EXTENDED, {ALL, ALL, ECX8_AVX | ECX8_OTHER, EDX_BOTH | EDX8_OTHER}},
	{0x80000002, {ALL, ALL, ALL, ALL}}, /* name */
	{0x80000003, {ALL, ALL, ALL, ALL}},
	{0x80000004, {ALL, ALL, ALL, ALL}},
	{0x80000005, {ALL, ALL, ALL, ALL}}, /* caches */
	{0x80000006, {ALL, ALL, ALL, ALL}},
	{0x80000007, {0, 0, 0, EDX87_TSC_CONSTANT}},
	{ADDRESS_SIZES, {ALL, EBX8_SHOWN, ALL, 0}},
};

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

/* Leaf 0d: the sizes of the XSAVE image, and the place of each component in it. */
static struct cpuid xsave_leaf(uint32_t subleaf, uint64_t xcr0)
{
	uint64_t components = x86_state_components();
	struct cpuid r = {0, 0, 0, 0}, own = cpuid(LEAF_XSAVE, subleaf);

	if (components == 0)
		return r;
	if (subleaf == 0) {
		r.eax = (uint32_t)components;
		r.ebx = x86_state_bytes(xcr0);
		r.ecx = x86_state_bytes(components);
		r.edx = (uint32_t)(components >> 32);
	} else if (subleaf == 1) {
		r.eax = own.eax & XSAVE_SHOWN;
	} else if (subleaf < 64 && (components & BIT(subleaf))) {
		r.eax = own.eax;
		r.ebx = own.ebx;
	}
	return r;
}

/* Instructions that use a component of XCR0 which the guest cannot have. */
static void hide_vectors(uint32_t leaf, struct cpuid *r)
{
	uint64_t components = x86_state_components();
	bool avx = components & XCR0_AVX, avx512 = components & XCR0_AVX512;

	switch (leaf) {
	case LEAF_FEATURES:
		r->ecx &= ~(avx ? 0 : ECX1_AVX);
		break;
	case LEAF_SEVENTH:
		r->ebx &= ~((avx ? 0 : EBX7_AVX2) | (avx512 ? 0 : EBX7_AVX512));
		r->ecx &= ~((avx ? 0 : ECX7_AVX) | (avx512 ? 0 : ECX7_AVX512));
		r->edx &= ~(avx512 ? 0 : EDX7_AVX512);
		break;
	case LEAF_EXTENDED:
		r->ecx &= ~(avx ? 0 : ECX8_AVX);
		break;
	default:
		break;
	}
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

/* False: the CPU does not have this leaf. An Intel CPU would answer with its last leaf. */
static bool has_leaf(uint32_t leaf)
{
	return leaf <= cpuid(leaf & EXTENDED_LEAF, 0).eax;
}

static struct cpuid shown_leaf(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r = {0, 0, 0, 0};

	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		const struct cpuid *shown = &rows[i].shown;

		if (rows[i].leaf != leaf || !has_leaf(leaf))
			continue;
		r = cpuid(leaf, subleaf);
		r.eax &= shown->eax;
		r.ebx &= shown->ebx;
		r.ecx &= shown->ecx;
		r.edx &= shown->edx;
	}
	return r;
}

static struct cpuid guest_leaf(uint32_t leaf, uint32_t subleaf, uint64_t xcr0)
{
	struct cpuid r;

	if (leaf == LEAF_XSAVE)
		return xsave_leaf(subleaf, xcr0);
	r = shown_leaf(leaf, subleaf);
	if (leaf == 0)
		r.eax = at_most(r.eax, LAST_LEAF);
	if (leaf == EXTENDED_LEAF)
		r.eax = at_most(r.eax, LAST_EXTENDED);
	if (leaf == LEAF_SEVENTH && subleaf != 0)
		return (struct cpuid){0, 0, 0, 0};
	hide_vectors(leaf, &r);
	return r;
}

void x86_cpuid(struct x86_vcpu *v, const char *signature, uint64_t cr4)
{
	uint32_t leaf = (uint32_t)v->gpr[GPR_RAX];
	struct cpuid r;

	if (leaf >= HYPERVISOR_LEAF && leaf <= HYPERVISOR_LAST)
		r = hypervisor_leaf(leaf, signature);
	else
		r = guest_leaf(leaf, (uint32_t)v->gpr[GPR_RCX], x86_state_xcr0());
	if (leaf == LEAF_FEATURES)
		r.ecx |= ECX1_HYPERVISOR | (cr4 & CR4_OSXSAVE ? ECX1_OSXSAVE : 0);
	v->gpr[GPR_RAX] = r.eax;
	v->gpr[GPR_RBX] = r.ebx;
	v->gpr[GPR_RCX] = r.ecx;
	v->gpr[GPR_RDX] = r.edx;
}

uint64_t x86_cr4_allowed(void)
{
	struct cpuid features = guest_leaf(LEAF_FEATURES, 0, XCR0_X87);
	struct cpuid seventh = guest_leaf(LEAF_SEVENTH, 0, XCR0_X87);
	const struct {
		uint64_t bits;
		uint32_t feature;
	} needs[] = {
		{CR4_VME | CR4_PVI, features.edx & EDX1_VME},
		{CR4_TSD, features.edx & EDX1_TSC},
		{CR4_DE, features.edx & EDX1_DE},
		{CR4_PSE, features.edx & EDX1_PSE},
		{CR4_PAE, features.edx & EDX1_PAE},
		{CR4_PGE, features.edx & EDX1_PGE},
		{CR4_OSFXSR, features.edx & EDX1_FXSR},
		{CR4_OSXMMEXCPT, features.edx & EDX1_SSE},
		{CR4_OSXSAVE, features.ecx & ECX1_XSAVE},
		{CR4_FSGSBASE, seventh.ebx & EBX7_FSGSBASE},
		{CR4_SMEP, seventh.ebx & EBX7_SMEP},
		{CR4_SMAP, seventh.ebx & EBX7_SMAP},
		{CR4_LA57, seventh.ecx & ECX7_LA57},
	};
	uint64_t allowed = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(needs); i++)
		allowed |= needs[i].feature ? needs[i].bits : 0;
	return allowed;
}
