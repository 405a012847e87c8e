/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs get which mitigation: vmx/mitigations.c against Linux's lists and Intel's. */
#include "check.h"

#include "mm/compiler.h"
#include "vmx/mitigations.h"

/* CPUID.1:EAX of CPUs, and what they are. */
static const struct {
	const char *name;
	uint32_t signature;
	unsigned family, model;
	bool l1tf, itlb; /* affected, with no IA32_ARCH_CAPABILITIES */
} cpus[] = {
	{"haswell (Bochs)", 0x306c3, 6, 0x3c, true, true},
	{"skylake_x (Bochs)", 0x50654, 6, 0x55, true, true},
	{"icelake_u (Bochs)", 0x706e5, 6, 0x7e, true, true},
	{"sandy bridge", 0x206a7, 6, 0x2a, true, true},
	{"silvermont", 0x30678, 6, 0x37, false, false},
	{"goldmont plus", 0x706a1, 6, 0x7a, false, false},
	{"knights landing", 0x50671, 6, 0x57, false, false},
	{"jacobsville", 0x80664, 6, 0x86, true, false},
	{"a Pentium 4", 0xf4a, 15, 4, true, true},
	/* The model of a listed CPU in another family. */
	{"family 19, model 0x5c", 0x450fc0, 19, 0x5c, true, true},
};

static void test_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(cpus); i++) {
		struct vmx_cpu_id id = {.intel = true};

		vmx_cpu_signature(cpus[i].signature, &id);
		CHECK_EQ(id.family, cpus[i].family);
		CHECK_EQ(id.model, cpus[i].model);
	}
}

static void test_by_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(cpus); i++) {
		struct vmx_cpu_id id = {.intel = true, .flush = true};
		struct vmx_mitigations m;

		vmx_cpu_signature(cpus[i].signature, &id);
		m = vmx_mitigations_for(&id);
		CHECK_EQ(m.flush_l1d, cpus[i].l1tf);
		CHECK_EQ(m.no_large_exec, cpus[i].itlb);
		CHECK_TEXT(m.l1tf, cpus[i].l1tf ? "flush" : "not-affected");
		CHECK_TEXT(m.itlb, cpus[i].itlb ? "split" : "not-affected");
	}
}

/* The list is Intel's alone: another vendor's CPU of that family and model is affected. */
static void test_other_vendors(void **state)
{
	const struct vmx_cpu_id id = {.family = 6, .model = 0x37, .flush = true};
	struct vmx_mitigations m = vmx_mitigations_for(&id);

	(void)state;
	CHECK(m.flush_l1d);
	CHECK(m.no_large_exec);
}

/* What the CPU says of itself goes before its model; each bit about one thing. */
static void test_by_capabilities(void **state)
{
	static const struct {
		uint64_t arch;
		bool flush; /* the command exists */
		bool flush_l1d, split;
		const char *l1tf;
	} rows[] = {
		{0, true, true, true, "flush"},
		{0, false, false, true, "unmitigated"},
		{BIT(0), true, false, true, "not-affected"},
		{BIT(3), true, false, true, "not-needed"},
		{BIT(3), false, false, true, "not-needed"},
		{BIT(6), true, true, false, "flush"},
		{BIT(6), false, false, false, "unmitigated"},
		{BIT(0) | BIT(3) | BIT(6), true, false, false, "not-affected"},
		/* All that is about neither. */
		{~(BIT(0) | BIT(3) | BIT(6)), true, true, true, "flush"},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		const struct vmx_cpu_id id = {.intel = true,
		                              .family = 6,
		                              .model = 0x3c,
		                              .arch = rows[i].arch,
		                              .flush = rows[i].flush};
		struct vmx_mitigations m = vmx_mitigations_for(&id);

		CHECK_EQ(m.flush_l1d, rows[i].flush_l1d);
		CHECK_EQ(m.no_large_exec, rows[i].split);
		CHECK_TEXT(m.l1tf, rows[i].l1tf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_by_model),
		cmocka_unit_test(test_other_vendors),
		cmocka_unit_test(test_by_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
