/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as a guest reads it. Some bits are those of the CPU, some are hidden, because the
 * hypervisor does not switch or emulate what they stand for.
 */
#include "machine/x86_64/cpu.h"
#include "suite/x86_64/x86.h"

enum expected {
	HIDDEN, /* 0 */
	SAME,   /* as this CPU's own */
	FIXED,  /* `value` */
};

enum {
	EAX,
	EBX,
	ECX,
	EDX
};

#define ALL UINT32_MAX

struct row {
	const char *name;
	uint32_t leaf, subleaf;
	uint8_t reg;
	enum expected expected;
	uint32_t mask;
	uint32_t value;
};

#define BIT32(n) (UINT32_C(1) << (n))

#define HIDE(label, leaf_number, sub, which, bits)                                                 \
	{                                                                                          \
		label, leaf_number, sub, which, HIDDEN, bits, 0                                    \
	}
#define SHOW(label, leaf_number, sub, which, bits)                                                 \
	{                                                                                          \
		label, leaf_number, sub, which, SAME, bits, 0                                      \
	}
#define FIX(label, leaf_number, sub, which, bits, what)                                            \
	{                                                                                          \
		label, leaf_number, sub, which, FIXED, bits, what                                  \
	}
#define HIDE_LEAF(label, leaf_number, sub)                                                         \
	HIDE(label ".eax", leaf_number, sub, EAX, ALL),                                            \
		HIDE(label ".ebx", leaf_number, sub, EBX, ALL),                                    \
		HIDE(label ".ecx", leaf_number, sub, ECX, ALL),                                    \
		HIDE(label ".edx", leaf_number, sub, EDX, ALL)
#define SHOW_LEAF(label, leaf_number, sub)                                                         \
	SHOW(label ".eax", leaf_number, sub, EAX, ALL),                                            \
		SHOW(label ".ebx", leaf_number, sub, EBX, ALL),                                    \
		SHOW(label ".ecx", leaf_number, sub, ECX, ALL),                                    \
		SHOW(label ".edx", leaf_number, sub, EDX, ALL)

static const struct row rows[] = {
	SHOW("vendor.ebx", 0, 0, EBX, ALL),
	SHOW("vendor.ecx", 0, 0, ECX, ALL),
	SHOW("vendor.edx", 0, 0, EDX, ALL),
	SHOW("family", 1, 0, EAX, ALL),
	HIDE("monitor", 1, 0, ECX, BIT32(3)),
	HIDE("vmx", 1, 0, ECX, BIT32(5)),
	HIDE("smx", 1, 0, ECX, BIT32(6)),
	HIDE("power-management", 1, 0, ECX, BIT32(7) | BIT32(8)),
	HIDE("debug-store", 1, 0, ECX, BIT32(2) | BIT32(4) | BIT32(11) | BIT32(15)),
	HIDE("pcid", 1, 0, ECX, BIT32(17)),
	HIDE("x2apic", 1, 0, ECX, BIT32(21)),
	HIDE("tsc-deadline", 1, 0, ECX, BIT32(24)),
	FIX("osxsave-off", 1, 0, ECX, BIT32(27), 0),
	FIX("hypervisor", 1, 0, ECX, BIT32(31), BIT32(31)),
	SHOW("sse.ecx", 1, 0, ECX, BIT32(0) | BIT32(1) | BIT32(9) | BIT32(19) | BIT32(20)),
	SHOW("cx16", 1, 0, ECX, BIT32(13)),
	SHOW("movbe-popcnt-aes", 1, 0, ECX, BIT32(22) | BIT32(23) | BIT32(25)),
	SHOW("rdrand", 1, 0, ECX, BIT32(30)),
	SHOW("xsave", 1, 0, ECX, BIT32(26)),
	SHOW("fma-avx-f16c", 1, 0, ECX, BIT32(12) | BIT32(28) | BIT32(29)),
	HIDE("machine-check", 1, 0, EDX, BIT32(7) | BIT32(14)),
	HIDE("apic", 1, 0, EDX, BIT32(9)),
	HIDE("mtrr", 1, 0, EDX, BIT32(12)),
	HIDE("pat", 1, 0, EDX, BIT32(16)),
	HIDE("thermal", 1, 0, EDX, BIT32(21) | BIT32(22) | BIT32(29) | BIT32(31)),
	SHOW("paging", 1, 0, EDX, BIT32(3) | BIT32(6) | BIT32(13) | BIT32(17)),
	SHOW("fpu", 1, 0, EDX, BIT32(0) | BIT32(23) | BIT32(24) | BIT32(25) | BIT32(26)),
	SHOW("base", 1, 0, EDX, BIT32(1) | BIT32(2) | BIT32(4) | BIT32(5) | BIT32(8) | BIT32(15)),
	SHOW("sysenter", 1, 0, EDX, BIT32(11)),
	SHOW("clflush", 1, 0, EDX, BIT32(19)),
	SHOW_LEAF("caches", 4, 0),
	HIDE_LEAF("leaf-5", 5, 0),
	HIDE_LEAF("leaf-6", 6, 0),
	HIDE("seventh.eax", 7, 0, EAX, ALL),
	HIDE("seventh.ebx", 7, 0, EBX,
             BIT32(1) | BIT32(2) | BIT32(4) | BIT32(6) | BIT32(10) | BIT32(11) | BIT32(12) |
                     BIT32(13) | BIT32(14) | BIT32(15) | BIT32(22) | BIT32(25)),
	SHOW("seventh.ebx-shown", 7, 0, EBX,
             BIT32(0) | BIT32(3) | BIT32(7) | BIT32(8) | BIT32(9) | BIT32(18) | BIT32(19) |
                     BIT32(20) | BIT32(23) | BIT32(24) | BIT32(29)),
	SHOW("avx2", 7, 0, EBX, BIT32(5)),
	HIDE("seventh.ecx", 7, 0, ECX,
             BIT32(2) | BIT32(3) | BIT32(4) | BIT32(5) | BIT32(7) | BIT32(13) | GENMASK(23, 22) |
                     BIT32(25) | BIT32(28) | BIT32(29) | BIT32(30) | BIT32(31)),
	SHOW("la57", 7, 0, ECX, BIT32(16)),
	SHOW("vaes", 7, 0, ECX, BIT32(9) | BIT32(10)),
	HIDE("seventh.edx", 7, 0, EDX, ALL & ~(BIT32(2) | BIT32(3) | BIT32(4) | BIT32(8))),
	HIDE_LEAF("seventh-1", 7, 1),
	HIDE_LEAF("leaf-9", 9, 0),
	HIDE_LEAF("performance-counters", 0xa, 0),
	HIDE_LEAF("resource-monitoring", 0xf, 0),
	HIDE_LEAF("resource-monitoring-1", 0xf, 1),
	HIDE_LEAF("resource-allocation", 0x10, 0),
	HIDE_LEAF("sgx", 0x12, 0),
	HIDE_LEAF("processor-trace", 0x14, 0),
	HIDE_LEAF("key-locker", 0x19, 0),
	HIDE_LEAF("amx", 0x1d, 1),
	HIDE_LEAF("topology-2", 0x1f, 0),
	HIDE_LEAF("beyond", 0x1000, 0),
	HIDE_LEAF("beyond-1", 0x3fffffff, 1),
	FIX("hypervisor-leaf", 0x40000000, 0, EAX, ALL, 0x40000000),
	FIX("signature.ebx", 0x40000000, 0, EBX, ALL, 0x6c756146), /* "Faul" */
	FIX("signature.ecx", 0x40000000, 0, ECX, ALL, 0x6e696c74), /* "tlin" */
	FIX("signature.edx", 0x40000000, 0, EDX, 0xff, 0x65),      /* "e" */
	HIDE_LEAF("hypervisor-next", 0x40000001, 0),
	HIDE_LEAF("hypervisor-last", 0x4fffffff, 0),
	HIDE("extended-last", 0x80000000, 0, EAX, ALL & ~UINT32_C(0x8000000f)),
	HIDE("svm", 0x80000001, 0, ECX, BIT32(2)),
	HIDE("ext-apic", 0x80000001, 0, ECX, BIT32(3)),
	HIDE("amd.ecx", 0x80000001, 0, ECX,
             BIT32(9) | BIT32(10) | BIT32(12) | BIT32(13) | BIT32(15) | BIT32(17) | BIT32(19) |
                     BIT32(22) | BIT32(23) | BIT32(24) | BIT32(26) | BIT32(27) | BIT32(28) |
                     BIT32(29)),
	SHOW("amd.ecx-shown", 0x80000001, 0, ECX, BIT32(0) | GENMASK(8, 5)),
	HIDE("amd.edx", 0x80000001, 0, EDX,
             BIT32(7) | BIT32(9) | BIT32(12) | BIT32(14) | BIT32(16) | BIT32(25) | BIT32(27)),
	SHOW("syscall", 0x80000001, 0, EDX, BIT32(11)),
	SHOW("nx-1g-long", 0x80000001, 0, EDX, BIT32(20) | BIT32(26) | BIT32(29)),
	SHOW_LEAF("name", 0x80000002, 0),
	SHOW_LEAF("name-2", 0x80000003, 0),
	SHOW_LEAF("name-3", 0x80000004, 0),
	SHOW_LEAF("caches-2", 0x80000006, 0),
	HIDE("power.edx", 0x80000007, 0, EDX, ALL & ~BIT32(8)),
	SHOW("address-sizes", 0x80000008, 0, EAX, ALL),
	HIDE("address-sizes.ebx", 0x80000008, 0, EBX, ALL & ~(BIT32(0) | BIT32(2))),
	HIDE_LEAF("svm-leaf", 0x8000000a, 0),
	HIDE_LEAF("sev-leaf", 0x8000001f, 0),
	HIDE_LEAF("centaur", 0xc0000000, 0),
};

/* --- the XSAVE leaf: its numbers depend on CR4 and XCR0 --- */

#define CPUID1_ECX_XSAVE BIT32(26)
#define X87_SSE          3U
#define AVX              4U
#define AVX512           0xe0U

static uint32_t components(void)
{
	uint32_t has;

	if (!(cpuid(1, 0).ecx & CPUID1_ECX_XSAVE))
		return 0;
	has = cpuid(0xd, 0).eax & (X87_SSE | AVX | AVX512);
	return (has & AVX512) == AVX512 ? has : has & ~AVX512;
}

static uint32_t bytes_of(uint32_t wanted)
{
	uint32_t bytes = wanted != 0 ? 576 : 0;

	for (unsigned i = 2; i < 8; i++) {
		struct cpuid own = cpuid(0xd, i);

		if ((wanted >> i & 1) && own.eax + own.ebx > bytes)
			bytes = own.eax + own.ebx;
	}
	return bytes;
}

static struct suite_op cpuid_op(uint32_t leaf, uint32_t subleaf, uint8_t reg, uint32_t mask,
                                uint32_t expected)
{
	return (struct suite_op){
		X86_OP(CPUID, .addr = leaf, .stride = subleaf, .width = reg, .value = mask),
		.value = expected & mask};
}

/* The leaf with the XCR0 of a reset, then with each component switched on. */
static void make_xsave(struct suite_draft *d)
{
	uint32_t has = components(), last = has & ~AVX512;

	draft_op(d, cpuid_op(0xd, 0, EAX, ALL, has));
	draft_op(d, cpuid_op(0xd, 0, EBX, ALL, bytes_of(has & 1)));
	draft_op(d, cpuid_op(0xd, 0, ECX, ALL, bytes_of(has)));
	draft_op(d, cpuid_op(0xd, 0, EDX, ALL, 0));
	draft_op(d, cpuid_op(0xd, 1, EAX, ALL & ~5U, 0));
	for (unsigned reg = EBX; reg <= EDX; reg++)
		draft_op(d, cpuid_op(0xd, 1, (uint8_t)reg, ALL, 0));
	for (uint32_t i = 2; i < 10; i++) {
		bool given = has >> i & 1;

		draft_op(d, cpuid_op(0xd, i, EAX, ALL, given ? cpuid(0xd, i).eax : 0));
		draft_op(d, cpuid_op(0xd, i, EBX, ALL, given ? cpuid(0xd, i).ebx : 0));
	}
	draft_op(d, cpuid_op(0xd, 64, EAX, ALL, 0));
	if (has == 0)
		return;
	draft_op(d, (struct suite_op)XSETBV(X87_SSE));
	draft_op(d, cpuid_op(0xd, 0, EBX, ALL, 576));
	draft_op(d, (struct suite_op)XSETBV(last));
	draft_op(d, cpuid_op(0xd, 0, EBX, ALL, bytes_of(last)));
	draft_op(d, (struct suite_op)XSETBV(has));
	draft_op(d, cpuid_op(0xd, 0, EBX, ALL, bytes_of(has)));
	draft_op(d, cpuid_op(0xd, 0, ECX, ALL, bytes_of(has)));
	/* The agent's XSETBV has set CR4.OSXSAVE. */
	draft_op(d, cpuid_op(1, 0, ECX, BIT32(27), BIT32(27)));
	draft_op(d, (struct suite_op)XSETBV(1));
	draft_op(d, cpuid_op(0xd, 0, EBX, ALL, 576));
}

static uint32_t own_register(uint32_t leaf, uint32_t subleaf, uint8_t reg)
{
	struct cpuid own = cpuid(leaf, subleaf);

	if (leaf > cpuid(leaf & 0x80000000U, 0).eax)
		return 0;
	switch (reg) {
	case EAX:
		return own.eax;
	case EBX:
		return own.ebx;
	case ECX:
		return own.ecx;
	default:
		return own.edx;
	}
}

/* All rows of one leaf are one case; the case of the XSAVE leaf comes last. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	size_t first = 0;

	(void)host;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows) && index > 0; i++) {
		if (i + 1 == MM_ARRAY_SIZE(rows) || rows[i + 1].leaf != rows[i].leaf ||
		    rows[i + 1].subleaf != rows[i].subleaf) {
			index--;
			first = i + 1;
		}
	}
	if (index > 0)
		return false;
	if (first == MM_ARRAY_SIZE(rows)) {
		draft_name(d, "cpuid.xsave");
		make_xsave(d);
		return true;
	}
	draft_name(d, "cpuid.%x.%u", rows[first].leaf, rows[first].subleaf);
	for (size_t i = first; i < MM_ARRAY_SIZE(rows) && rows[i].leaf == rows[first].leaf &&
	                       rows[i].subleaf == rows[first].subleaf;
	     i++) {
		uint32_t value = rows[i].value;

		if (rows[i].expected == SAME)
			value = own_register(rows[i].leaf, rows[i].subleaf, rows[i].reg);
		draft_op(d, cpuid_op(rows[i].leaf, rows[i].subleaf, rows[i].reg, rows[i].mask,
		                     rows[i].expected == HIDDEN ? 0 : value));
	}
	return true;
}

const struct suite_subject suite_x86_cpuid = {
	.name = "cpuid",
	.generate = generate,
	.generated = "cpuid.",
};
