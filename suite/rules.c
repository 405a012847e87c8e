/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of the manuals that cases without suite_case.rules test, by the name of the case:
 * generated cases, and those of one architecture. docs/rules/ has the rules. A row's rules are of
 * several manuals; scripts/rules counts those of the machine that ran the case.
 */
#include "suite/rules.h"

#include <stddef.h>

#include "kernel/cmdline.h"
#include "kernel/string.h"
#include "mm/compiler.h"

static const struct {
	const char *glob; /* of names of cases */
	const char *rules;
} rows[] = {
	/* suite/perm.c */
	{"s2.perm.*none.read", "arm.s2.ap.none ept.not-present ept.perm.read npt.present"},
	{"s2.perm.*none.write", "arm.s2.ap.none ept.not-present npt.present"},
	{"s2.perm.*none.fetch", "arm.s2.xn ept.not-present npt.present"},
	{"s2.perm.*ro.read", "arm.s2.ap.read ept.perm.permitted npt.permitted H_vm_gpapriv"},
	{"s2.perm.*ro.write", "arm.s2.ap.read ept.perm.write npt.write H_vm_gpapriv"},
	{"s2.perm.*ro.fetch", "arm.s2.xn ept.perm.execute npt.nx H_vm_gpapriv"},
	{"s2.perm.*wo.read", "arm.s2.ap.write"},
	{"s2.perm.*wo.write", "arm.s2.ap.write"},
	{"s2.perm.*rw.read", "arm.s2.ap.both ept.perm.permitted npt.permitted H_vm_gpapriv"},
	{"s2.perm.*rw.write", "arm.s2.ap.both ept.perm.permitted npt.permitted H_vm_gpapriv"},
	{"s2.perm.*rw.fetch", "arm.s2.xn ept.perm.execute npt.nx H_vm_gpapriv"},
	{"s2.perm.*xo.read", "arm.s2.ap.none ept.perm.read ept.perm.execute-only H_vm_gpapriv"},
	{"s2.perm.*xo.write", "arm.s2.ap.none ept.perm.write ept.perm.execute-only H_vm_gpapriv"},
	{"s2.perm.*xo.fetch", "arm.s2.xn.clear ept.perm.execute-only H_vm_gpapriv"},
	{"s2.perm.*rx.fetch", "arm.s2.xn.clear ept.perm.permitted npt.permitted H_vm_gpapriv"},
	{"s2.perm.*rx.write", "arm.s2.ap.read ept.perm.write npt.write H_vm_gpapriv"},
	{"s2.perm.*rwx.*", "arm.s2.ap.both ept.perm.permitted npt.permitted H_vm_gpapriv"},
	/* suite/size.c */
	{"size.stage1-*.stage2-4k", "arm.s2.desc.page arm.s2.both ept.leaf.4k npt.leaf.4k"},
	{"size.stage1-*.stage2-2m", "arm.s2.desc.block.2m arm.s2.both ept.leaf.2m npt.leaf.2m"},
	{"size.stage1-*.stage2-1g", "arm.s2.desc.block.1g arm.s2.both ept.leaf.1g npt.leaf.1g"},
	/* suite/range.c, suite/capability.c */
	{"range.limit-minus-1.*", "arm.s2.size.last hgatp_mode_x4"},
	{"range.limit", "arm.s2.size.t0sz ept.beyond npt.beyond"},
	{"range.2^*", "arm.s2.size.t0sz ept.beyond npt.beyond"},
	{"capability.geometry.ipa32", "arm.s2.start-level arm.s2.geometry.32"},
	{"capability.geometry.ipa36", "arm.s2.start-level arm.s2.geometry.36"},
	{"capability.geometry.ipa40",
         "arm.s2.start-level arm.s2.concatenated arm.s2.desc.table arm.s2.geometry.40"},
	{"capability.geometry.ipa42", "arm.s2.start-level arm.s2.concatenated arm.s2.geometry.42"},
	{"capability.geometry.ipa44", "arm.s2.start-level arm.s2.geometry.44"},
	{"capability.geometry.ipa48", "arm.s2.start-level arm.s2.geometry.48"},
	{"capability.geometry.ipa52", "arm.s2.start-level arm.s2.geometry.52"},
	{"capability.geometry.ept4", "ept.walk.4"},
	{"capability.geometry.npt4", "npt.walk.4"},
	/* suite/misconfig.c */
	{"misconfig.write-only", "ept.misconfig.write-only ept.misconfig.reason H_vm_gpatrans"},
	{"misconfig.write-execute", "ept.misconfig.write-execute H_vm_gpatrans"},
	{"misconfig.memory-type-2", "ept.misconfig.memory-type-2"},
	{"misconfig.memory-type-3", "ept.misconfig.memory-type-3"},
	{"misconfig.memory-type-7", "ept.misconfig.memory-type-7"},
	{"misconfig.misaligned-2m*", "arm.s2.desc.block-low-bits ept.misconfig.2m-low-bits "
                                     "npt.reserved.2m H_vm_gpatrans"},
	{"misconfig.address-too-wide", "arm.s2.size.ps ept.misconfig.width npt.reserved.width"},
	{"misconfig.reserved-type", "arm.s2.desc.reserved"},
	{"misconfig.user-clear", "npt.user H_vm_gpapriv"},
	{"misconfig.software-bits", "arm.s2.desc.software"},
	{"misconfig.access-flag-clear", "arm.s2.af.clear"},
	/* suite/dirty.c */
	{"dirty.hardware.*", "ept.pml.log ept.ad.dirty"},
	/* suite/atomics.c */
	{"atomic.single.*.lazy", "arm.s2.abort.elr ept.violation.restart "
                                 "npt.exit.restart"},
	{"atomic.single.*.readonly", "arm.s2.atomic ept.perm.rmw npt.rmw"},
	{"atomic.pair.*.readonly", "arm.s2.exclusive"},
	/* suite/straddle.c */
	{"straddle.read.*", "arm.s2.abort.straddle ept.violation.straddle npt.exit.straddle"},
	{"straddle.write.*", "arm.s2.abort.straddle ept.violation.straddle npt.exit.straddle"},
	/* suite/mmio.c */
	{"mmio.width.*", "arm.s2.abort.isv arm.s2.abort.isv.width"},
	{"mmio.form.ldrs*", "arm.s2.abort.isv.sign"},
	{"mmio.form.ldr_x*", "arm.s2.abort.isv.register"},
	{"mmio.form.ldp_x", "arm.s2.abort.isv.clear"},
	{"mmio.form.ldr_post", "arm.s2.abort.isv.clear"},
	{"mmio.form.ldxr", "arm.s2.abort.isv.clear"},
	{"mmio.form.rep_stos64", "ept.violation.string"},
	/* suite/smp.c: all vCPUs fault on one page */
	{"smp.*.same-page", "ept.cache.violation ept.cache.more"},
	/* suite/firmware.c */
	{"firmware.psci.version", "arm.trap.hvc arm.trap.smc"},
	{"firmware.unknown", "arm.trap.hvc arm.trap.smc"},
	/* suite/privileged.c, AArch64 */
	{"privileged.hcr_el2_*", "arm.trap.el2-register"},
	{"privileged.v*_el2", "arm.trap.el2-register"},
	{"privileged.scr_el3", "arm.trap.el3-register"},
	{"privileged.tlbi_*", "arm.trap.el2-instruction"},
	{"privileged.at_s12", "arm.trap.el2-instruction"},
	{"privileged.unknown", "arm.trap.undefined"},
	/* suite/aarch64 */
	{"arm.trap.wfi", "arm.trap.wfi"},
	{"arm.trap.every-register.written", "arm.trap.tvm"},
	{"arm.trap.brk", "arm.debug.breakpoint"},
	{"arm.trap.shown", "arm.id.midr"},
	{"arm.trap.pmu", "arm.trap.pmu"},
	{"arm.trap.timer", "arm.trap.cntpct"},
	{"arm.trap.gic", "arm.trap.gic"},
	{"arm.trap.debug", "arm.trap.debug"},
	{"arm.trap.actlr", "arm.trap.actlr"},
	{"arm.trap.implementation", "arm.trap.impdef"},
	{"arm.trap.instructions", "arm.trap.set-way arm.trap.el2-instruction"},
	{"arm.id.registers", "arm.trap.id3"},
	{"arm.id.mpidr*", "arm.id.mpidr"},
	{"arm.timer.line", "arm.irq.virtual.gone"},
	{"arm.timer.own-mask*", "arm.irq.virtual.gone arm.irq.virtual.masked"},
	{"arm.timer.wfi", "arm.irq.wfi"},
	{"arm.timer.offset*", "arm.timer.offset"},
	/* suite/x86_64 */
	{"vmx.insn.invd", "vmx.exit.invd"},
	{"vmx.insn.in8*", "vmx.exit.io"},
	{"vmx.insn.out8", "vmx.exit.io"},
	{"vmx.insn.rdpmc", "vmx.exit.rdpmc"},
	{"vmx.insn.wbinvd", "vmx.exit.wbinvd"},
	{"vmx.smp.nmi", "vmx.exit.nmi"},
	/* x86-64 */
	{"privileged.cpuid", "vmx.exit.cpuid vmx.length svm.intercept.cpuid"},
	{"privileged.vmxon", "vmx.exit.vmx vmx.inject.exception"},
	{"privileged.vmlaunch", "vmx.exit.vmx"},
	{"privileged.vmread", "vmx.exit.vmx"},
	{"privileged.vmptrld", "vmx.exit.vmx"},
	{"privileged.invept", "vmx.exit.vmx"},
	{"privileged.vmrun", "svm.vmrun.intercept svm.inject.exception"},
	{"privileged.vmrun_unaligned", "svm.vmrun.operand"},
	{"privileged.vmload", "svm.intercept.svm"},
	{"privileged.stgi", "svm.intercept.svm"},
	{"privileged.clgi", "svm.intercept.svm"},
	{"privileged.ud2", "vmx.exit.undefined vmx.exit.exception svm.intercept.undefined "
                           "svm.intercept.exception"},
	{"privileged.cr4_vmxe", "vmx.exit.cr4 vmx.cr4.vmxe svm.intercept.cr4"},
	{"privileged.msr_unknown", "vmx.exit.rdmsr vmx.inject.exception svm.msr.read "
                                   "svm.inject.exception"},
	{"privileged.msr_vm*", "vmx.exit.rdmsr svm.msr.read"},
	{"privileged.msr_feature_control", "vmx.exit.wrmsr svm.msr.write"},
	{"privileged.rdtsc", "vmx.exit.rdtsc svm.intercept.rdtsc"},
	{"privileged.cr3_read", "vmx.exit.cr3 svm.intercept.cr3"},
	{"privileged.cr0_rewrite", "vmx.exit.cr0 svm.intercept.cr0"},
	{"privileged.debug_*", "vmx.exit.debug svm.intercept.debug"},
	{"privileged.triple_fault", "vmx.exit.triple-fault svm.intercept.shutdown"},
};

/* Appends a list to the text, if there is room. */
static size_t append(char *text, size_t length, const char *rules)
{
	size_t more = strlen(rules);

	if (more == 0 || length + more + 2 > SUITE_RULES_TEXT)
		return length;
	if (length != 0)
		text[length++] = ' ';
	memcpy(text + length, rules, more + 1);
	return length + more;
}

const char *suite_rules_by_name(const char *name)
{
	static char text[SUITE_RULES_TEXT];
	size_t length = 0;

	for (size_t i = 0; i < MM_ARRAY_SIZE(rows); i++) {
		if (glob_match(rows[i].glob, name))
			length = append(text, length, rows[i].rules);
	}
	return length == 0 ? NULL : text;
}
