/* SPDX-License-Identifier: BSD-2-Clause */
/* Which emulator it is, in which version, and what is known of it. */
#include "check.h"

#include <string.h>

#include "kernel/emulator.h"
#include "mm/compiler.h"
#include "suite/deviations.h"

/* --- versions --- */

static void versions_are_numbers(void **state)
{
	static const struct {
		const char *emulator, *from, *to;
		bool in;
	} rows[] = {
		{"qemu-7.2.22", "7.2", "7.2", true},
		{"qemu-7.2", "7.2", "7.2", true},
		{"qemu-7.20.1", "7.2", "7.2", false},
		{"qemu-7.1.99", "7.2", "7.2", false},
		{"qemu-7.2.22", "7.2.22", "7.2.22", true},
		{"qemu-7.2.22", "7.2.23", "", false},
		{"qemu-7.2.22", "", "7.2.21", false},
		{"qemu-7.2.22", "", "", true},
		/* As text, 10 would be before 7. */
		{"qemu-10.0.2", "7.2", "9", false},
		{"qemu-10.0.2", "7.2", "", true},
		{"qemu-10.0.2", "10.0.13", "", false},
		{"qemu-10.0.13", "10.0.13", "", true},
		{"qemu-10.1", "10.0.13", "", true},
		{"qemu-9.2.4", "7.2", "9", true},
		{"qemu-9", "7.2", "9.0.0", true},
		{"qemu-10", "10.0.1", "", false},
		{"qemu-8.0.0-rc1", "8", "8", true},
		{"qemu-7.2.22+dfsg", "7.2.22", "7.2.22", true},
		{"qemu-7.", "7", "7", true},
		{"qemu-99999999999999999999", "7.2", "9", false},
		/* A version that nobody said may be any. */
		{"qemu", "7.2", "7.2", true},
		{"qemu-unknown", "10", "", true},
		{"qemu-", "10", "", true},
		/* How it runs, behind the version. */
		{"qemu-10.0.2,thread=single", "10", "10.0.2", true},
		{"qemu-10.0.2,thread=single", "10.0.3", "", false},
		{"qemu,thread=single", "10", "", true},
		/* Another name. */
		{"qemuq-7.2", "", "", false},
		{"qem", "", "", false},
		{"", "", "", false},
		{"none", "", "", false},
		{"bochs-2.7", "", "", false},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		if (emulator_in_range(rows[i].emulator, "qemu", rows[i].from, rows[i].to) !=
		    rows[i].in)
			fail_msg("%s in [%s, %s]: not %d", rows[i].emulator, rows[i].from,
			         rows[i].to, rows[i].in);
	}
}

/* --- signs --- */

static const char *identify(struct machine_signs signs)
{
	static char out[64];

	emulator_identify(&signs, NULL, out, sizeof(out));
	return out;
}

static void signs_name_emulators(void **state)
{
	(void)state;
	CHECK_TEXT(identify((struct machine_signs){.kind = SIGNS_X86_64,
	                                           .hypervisor = {'T', 'C', 'G', 'T', 'C', 'G', 'T',
	                                                          'C', 'G', 'T', 'C', 'G'},
	                                           .host_bridge = 0x29c08086}),
	           "qemu");
	CHECK_TEXT(
		identify((struct machine_signs){.kind = SIGNS_X86_64, .host_bridge = 0x12378086}),
		"bochs");
	/* 7.2.22; 10.0.13 */
	CHECK_TEXT(identify((struct machine_signs){
			   .kind = SIGNS_RISCV64, .marchid = 0x70216, .mimpid = 0x70216}),
	           "qemu-7.2.22");
	CHECK_TEXT(identify((struct machine_signs){
			   .kind = SIGNS_RISCV64, .marchid = 0xa000d, .mimpid = 0xa000d}),
	           "qemu-10.0.13");
	CHECK_TEXT(identify((struct machine_signs){.kind = SIGNS_RISCV64, .marchid = 5}), "spike");
	CHECK_TEXT(identify((struct machine_signs){.kind = SIGNS_AARCH64, .midr = 0x000f0510}),
	           "qemu");
	/* What counts instructions runs the CPUs in turn. */
	CHECK_TEXT(identify((struct machine_signs){
			   .kind = SIGNS_AARCH64, .midr = 0x000f0510, .counted = true}),
	           "qemu,thread=single");
	CHECK_TEXT(identify((struct machine_signs){
			   .kind = SIGNS_AARCH64, .midr = 0x411fd070, .counted = true}),
	           "");
}

static void machines_are_no_emulators(void **state)
{
	static const struct machine_signs machines[] = {
		{.kind = SIGNS_X86_64, .host_bridge = 0x0c008086}, /* Haswell */
		{.kind = SIGNS_X86_64, .host_bridge = UINT32_MAX},
		{.kind = SIGNS_X86_64, .hypervisor = "KVMKVMKVM", .host_bridge = 0x29c08086},
		{.kind = SIGNS_X86_64, .hypervisor = "KVMKVMKVM", .host_bridge = 0x12378086},
		{.kind = SIGNS_RISCV64},
		{.kind = SIGNS_RISCV64, .marchid = 3, .mimpid = 3},
		{.kind = SIGNS_RISCV64, .mvendorid = 0x489, .marchid = 5},
		{.kind = SIGNS_RISCV64,
	         .mvendorid = 0x489,
	         .marchid = UINT64_C(0x8000000000000007),
	         .mimpid = UINT64_C(0x8000000000000007)},
		{.kind = SIGNS_RISCV64,
	         .marchid = UINT64_C(0x8000000000070216),
	         .mimpid = UINT64_C(0x8000000000070216)},
		{.kind = SIGNS_RISCV64, .marchid = 0x70216, .mimpid = 1},
		{.kind = SIGNS_AARCH64, .midr = 0x411fd070},
	};

	(void)state;
	for (size_t i = 0; i < MM_ARRAY_SIZE(machines); i++)
		CHECK_TEXT(identify(machines[i]), "");
}

/* --- the table --- */

static const struct virt_ops hext = {.name = "hext"}, el2 = {.name = "el2"}, svm = {.name = "svm"},
			     vmx = {.name = "vmx"};

/* 'T', 'S' or '-'. */
static char known(const char *emulator, const struct virt_ops *ops, const char *feature,
                  unsigned cpus, const char *name)
{
	const struct boot_info boot = {.cpus = cpus};
	struct host host = {.boot = &boot, .ops = ops, .cpus = 1};
	const char *reason;
	enum tap_directive directive;

	if (feature != NULL) {
		host.caps.features[0] = (struct virt_feature){.name = feature, .present = true};
		host.caps.feature_count = 1;
	}
	directive = deviation(emulator, &host, name, &reason);
	assert_int_equal(reason != NULL, directive != TAP_NORMAL);
	return directive == TAP_TODO ? 'T' : directive == TAP_SKIP ? 'S' : '-';
}

static void rows_hold_for_their_versions(void **state)
{
	(void)state;
	assert_int_equal(known("qemu-7.2.22", &hext, NULL, 2, "s2.perm.xo.fetch"), 'T');
	assert_int_equal(known("qemu-10.0.2", &hext, NULL, 2, "s2.perm.xo.fetch"), '-');
	assert_int_equal(known("qemu-10.0.2", &hext, NULL, 2, "stage1.ad.readonly.dirty"), 'T');
	assert_int_equal(known("qemu-10.0.2", &hext, NULL, 2, "dirty.marks.walk-updates"), 'T');
	assert_int_equal(known("qemu-10.0.2", &hext, NULL, 2, "misconfig.memory-type-3"), '-');
	assert_int_equal(known("qemu-10.0.2", &hext, "svpbmt", 2, "misconfig.memory-type-3"), 'T');
	assert_int_equal(known("qemu-10.0.2", &hext, NULL, 2, "misconfig.address-too-wide"), '-');
	assert_int_equal(known("qemu-10.0.13", &hext, NULL, 2, "misconfig.address-too-wide"), 'T');
	assert_int_equal(known("qemu-10.0.13", &hext, "svpbmt", 2, "misconfig.memory-type-3"), '-');
	assert_int_equal(known("qemu-11.1.3", &hext, "svpbmt", 2, "misconfig.memory-type-3"), '-');
	assert_int_equal(known("qemu-11.1.3", &hext, NULL, 2, "misconfig.address-too-wide"), 'T');
	assert_int_equal(known("qemu-11.1.3", &hext, NULL, 2, "stage1.ad.readonly.accessed"), 'T');
	assert_int_equal(known("qemu-11.1.3", &hext, NULL, 2, "stage1.ad.readonly.dirty"), '-');
	assert_int_equal(known("qemu-11.1.3", &hext, NULL, 2, "dirty.marks.walk-updates"), '-');
	assert_int_equal(known("qemu-10.0.2", &svm, NULL, 1, "privileged.vmxon"), 'T');
	assert_int_equal(known("qemu-10.0.13", &svm, NULL, 1, "privileged.vmxon"), '-');
	assert_int_equal(known("qemu-10.1.0", &svm, NULL, 1, "privileged.vmptrld"), 'T');
	assert_int_equal(known("qemu-11.1.3", &svm, NULL, 1, "privileged.vmptrld"), '-');
	assert_int_equal(known("qemu-7.2.22", &svm, NULL, 1, "privileged.vmxon"), '-');
	assert_int_equal(known("qemu-10.0.2", &vmx, NULL, 1, "privileged.vmxon"), '-');
	assert_int_equal(known("bochs-3.0", &vmx, NULL, 1, "misconfig.misaligned-2m.bit-12"), 'T');
	assert_int_equal(known("bochs-3.0", &svm, NULL, 1, "spin.stopped"), 'S');
	assert_int_equal(known("spike-1.1.1", &hext, "svpbmt", 2, "stage1.ad.readonly.dirty"), '-');
	assert_int_equal(known("", &hext, "svpbmt", 2, "stage1.ad.readonly.dirty"), '-');
	assert_int_equal(known("none", &hext, "svpbmt", 2, "stage1.ad.readonly.dirty"), '-');
}

/* TCG runs the CPUs in turn where there is one, or where instructions are counted. */
static void a_row_may_want_cpus_in_turn(void **state)
{
	static const char name[] = "mmio.unaligned.device-memory";

	(void)state;
	assert_int_equal(known("qemu-7.2.22", &el2, NULL, 4, name), 'T');
	assert_int_equal(known("qemu-10.0.2", &el2, NULL, 1, name), 'T');
	assert_int_equal(known("qemu-10.0.2", &el2, NULL, 2, name), '-');
	assert_int_equal(known("qemu-10.0.2,thread=single", &el2, NULL, 4, name), 'T');
	assert_int_equal(known("qemu-10.0.2,thread=multi", &el2, NULL, 4, name), '-');
	assert_int_equal(known("qemu,thread=single", &el2, NULL, 4, name), 'T');
	assert_int_equal(known("qemu-11.1.3,thread=single", &el2, NULL, 4, name), '-');
	assert_int_equal(known("none", &el2, NULL, 1, name), '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_numbers),
		cmocka_unit_test(signs_name_emulators),
		cmocka_unit_test(machines_are_no_emulators),
		cmocka_unit_test(rows_hold_for_their_versions),
		cmocka_unit_test(a_row_may_want_cpus_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
