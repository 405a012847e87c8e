/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known deviations of emulators, by name and range of versions. A case in this table keeps its full
 * check. It runs as everywhere. Its failure is reported as expected (TODO), and its success as
 * unexpected. A case that would hang or crash the emulator is not run (SKIP).
 *
 * The command line gives the name of the emulator (scripts/run-qemu.sh sets it). Otherwise the
 * machine's own identification does (kernel/emulator.c). A real machine has no such name.
 */
#include "suite/deviations.h"

#include <stddef.h>

#include "kernel/cmdline.h"
#include "kernel/emulator.h"
#include "kernel/string.h"
#include "mm/compiler.h"
#include "suite/feature.h"

/*
 * Bochs decides which interrupts are masked when it loads RFLAGS, and only afterwards that a guest
 * runs. External-interrupt exiting (VMX) and V_INTR_MASKING (SVM) must deliver interrupts whatever
 * IF is. In Bochs they take effect only when the guest itself changes IF. VMX also has its
 * preemption timer. SVM has no other means to end a guest that never exits.
 */
#define ENTERED_MASKED "Bochs: no interrupt ends a guest that was entered with IF clear"

#define MEPC_0  "QEMU: bit 0 of mepc can be set, and the guest continues at an odd address"
#define STIP    "QEMU: the guest's sip does not show that its timer is pending"
#define PBMT_3  "QEMU: with Svpbmt, PBMT 3 is not refused"
#define VMXON   "QEMU: VMXON on an AMD CPU does not raise #UD"
#define VMPTRLD "QEMU: VMPTRLD on an AMD CPU does not raise #UD"

#define HLVX_LOAD  "QEMU: hlvx takes the permission of a load"
#define HLVX_FETCH "QEMU: hlvx raises the page fault of a fetch"
#define VU_ILLEGAL "QEMU: in VU-mode this is an illegal instruction, not a virtual one"
#define OLD_STVAL  "QEMU: stval of a virtual instruction is that of an earlier instruction"
#define NO_AC      "QEMU: #AC does not exist"
#define ANY_BASE   "QEMU: WRMSR takes an address that is not canonical"
#define USER_INVD  "QEMU: INVD and WBINVD are intercepted before the privilege is checked"

/* A single-step trap that is due when the guest exits is taken by the host. */
#define STEP_IN_HOST "Bochs: the host takes the guest's single-step trap"
/* The firmware cannot pass an illegal instruction of a guest on, as in misconfig.address-too-wide.
 * Its next MRET enters a guest, too: so later cases would fail. */
#define MPV_STUCK "QEMU: mstatus.MPV cannot be written: illegal instructions go to the guest"

/*
 * A range of versions begins with the first version that showed the deviation. It ends before the
 * first version that did not. It is open ("") if every version showed it. The tested versions are
 * 7.2.22, 10.0.2, 10.0.13 and 11.1.3 of QEMU, and 2.7 and 3.0 of Bochs. A deviation that was fixed
 * within 10.0 has a second range from 10.1, because 10.1 was released before the fix.
 */
static const struct {
	const char *emulator;
	const char *from; /* versions, both included: emulator_in_range() */
	const char *to;
	const char *extension; /* virt_ops.name; after a slash, a feature that it must have */
	const char *name;      /* glob of cases */
	enum tap_directive directive;
	const char *reason;
	bool in_turn; /* only where it runs the CPUs in turn: emulator_runs_cpus_in_turn() */
} deviations[] = {
	/* An instruction at an address that is executable but not readable. OpenSBI reads it with
         * hlvx. QEMU requires R for hlvx and reports a fetch page fault instead. */
	{"qemu", "7.2", "9", "hext", "s2.perm.xo.fetch", TAP_TODO, "QEMU: hlvx requires R", false},
	{"qemu", "7.2", "9", "hext", "s2.perm.lazy.xo.fetch", TAP_TODO, "QEMU: hlvx requires R",
         false},
	/* The update of A in a VS-stage entry ignores the G-stage's permissions. */
	{"qemu", "7.2", "11.0", "hext", "stage1.ad.readonly.*", TAP_TODO,
         "QEMU: A and D are set in tables that the G-stage makes read-only", false},
	{"qemu", "11.1", "", "hext", "stage1.ad.readonly.accessed", TAP_TODO,
         "QEMU: htinst reports a read for an update of A that the G-stage refuses", false},
	{"qemu", "7.2", "11.0", "hext", "dirty.marks.walk-updates", TAP_TODO,
         "QEMU: A and D set in the guest's tables do not set D in the G-stage", false},
	{"qemu", "7.2", "11.0", "hext", "published.linux.c4ad98e4b72c", TAP_TODO,
         "QEMU: A and D are set in tables that the G-stage makes read-only", false},
	{"qemu", "11.1", "", "hext", "published.linux.c4ad98e4b72c", TAP_TODO,
         "QEMU: htinst reports a read for an update of A that the G-stage refuses", false},
	{"qemu", "7.2", "9", "hext", "published.spike.709", TAP_TODO, HLVX_LOAD, false},
	{"qemu", "7.2", "9", "hext", "published.spike.4deb3750", TAP_TODO, HLVX_LOAD, false},
	{"qemu", "10", "", "hext", "published.spike.709", TAP_TODO, HLVX_FETCH, false},
	{"qemu", "10", "", "hext", "published.spike.4deb3750", TAP_TODO, HLVX_FETCH, false},
	{"qemu", "7.2", "11.0", "hext", "published.cva6.2373", TAP_TODO, VU_ILLEGAL, false},
	{"qemu", "7.2", "11.0", "hext", "published.spike.ac46e18f.sret", TAP_TODO, VU_ILLEGAL,
         false},
	{"qemu", "7.2", "9", "hext", "published.spike.ac46e18f.sfence", TAP_TODO, VU_ILLEGAL,
         false},
	{"qemu", "7.2", "9", "hext", "published.spike.348fc0c9.vu", TAP_TODO, VU_ILLEGAL, false},
	{"qemu", "7.2", "9", "hext", "published.spike.77024fa1.*", TAP_TODO, OLD_STVAL, false},
	{"qemu", "7.2", "9", "hext", "riscv.trap.hlv", TAP_SKIP, OLD_STVAL, false},
	{"qemu", "7.2", "9", "hext", "riscv.trap.hlv.vectored", TAP_SKIP, OLD_STVAL, false},
	{"qemu", "10", "11.0", "hext", "published.spike.928743b1", TAP_TODO,
         "QEMU: vstimecmp raises VSTIP although henvcfg.STCE is clear", false},
	/* With either extension, get_physical_address() masks the bits above the PPN, which include
         * 60:54. It then checks only N and PBMT. */
	{"qemu", "7.2", "9", "hext/svnapot", "misconfig.reserved-bit-*", TAP_TODO,
         "QEMU: with Svnapot, bits 60:54 of an entry are ignored", false},
	{"qemu", "7.2", "9", "hext/svpbmt", "misconfig.reserved-bit-*", TAP_TODO,
         "QEMU: with Svpbmt, bits 60:54 of an entry are ignored", false},
	{"qemu", "7.2", "9", "hext/svnapot", "riscv.walk.reserved-*", TAP_TODO,
         "QEMU: with Svnapot, bits 60:54 of an entry are ignored", false},
	{"qemu", "7.2", "9", "hext/svpbmt", "riscv.walk.reserved-*", TAP_TODO,
         "QEMU: with Svpbmt, bits 60:54 of an entry are ignored", false},
	{"qemu", "7.2", "10.0.12", "hext/svpbmt", "riscv.walk.memory-type-3", TAP_TODO, PBMT_3,
         false},
	{"qemu", "10.1", "11.0", "hext/svpbmt", "riscv.walk.memory-type-3", TAP_TODO, PBMT_3,
         false},
	{"qemu", "7.2", "10.0.12", "hext/svpbmt", "misconfig.memory-type-3", TAP_TODO, PBMT_3,
         false},
	{"qemu", "10.1", "11.0", "hext/svpbmt", "misconfig.memory-type-3", TAP_TODO, PBMT_3, false},
	/* An access fault of a guest. The firmware cannot pass it on to HS-mode, because a write of
         * mstatus does not clear MPV. MRET jumps to the address of the hypervisor's trap vector,
         * but in the guest. */
	{"qemu", "10.0.13", "", "hext", "misconfig.address-too-wide", TAP_TODO,
         "QEMU: mstatus.MPV cannot be written: an access fault goes to the guest", false},
	/* An illegal instruction of a guest. The firmware passes it on: it writes mepc = vstvec,
         * and bit 0 of mepc should stay 0. */
	{"qemu", "7.2", "11.0", "hext", "riscv.trap.illegal.vectored", TAP_SKIP, MEPC_0, false},
	{"qemu", "7.2", "11.0", "hext", "riscv.trap.m*.vectored", TAP_SKIP, MEPC_0, false},
	{"qemu", "7.2", "11.0", "hext", "riscv.trap.s*.vectored", TAP_SKIP, MEPC_0, false},
	{"qemu", "7.2", "11.0", "hext", "riscv.trap.hpmcounter31*.vectored", TAP_SKIP, MEPC_0,
         false},
	{"qemu", "7.2", "11.0", "hext", "riscv.trap.hfence-*.vectored", TAP_SKIP, MEPC_0, false},
	{"qemu", "7.2", "11.0", "hext", "riscv.trap.*-misaligned.vectored", TAP_SKIP, MEPC_0,
         false},
	{"qemu", "10", "11.0", "hext", "riscv.trap.mret", TAP_TODO,
         "QEMU: stval of a refused MRET is that of an earlier instruction", false},
	{"qemu", "7.2", "9", "hext", "riscv.interrupt.pending", TAP_TODO, STIP, false},
	{"qemu", "7.2", "9", "hext", "riscv.interrupt.vstimecmp.polled", TAP_SKIP, STIP, false},
	{"qemu", "7.2", "9", "hext", "range.limit-minus-1.*", TAP_TODO,
         "QEMU: the upper half of an Sv*x4 space always faults", false},
	/* The rules of the RISC-V manual (suite/riscv64/rules_*.c): docs/found.md has a paragraph
         * on each. */
	{"qemu", "7.2", "9", "hext", "rules.csr.hcounteren", TAP_TODO,
         "QEMU: hcounteren holds more than 32 bits", false},
	{"qemu", "7.2", "9", "hext", "rules.csr.hgatp.reserved", TAP_TODO,
         "QEMU: hgatp.MODE holds reserved values", false},
	{"qemu", "7.2", "9", "hext", "rules.csr.henvcfg", TAP_TODO,
         "QEMU: henvcfg holds fields of extensions that the hart does not have", false},
	{"qemu", "7.2", "9", "hext", "rules.csr.henvcfg.pbmte", TAP_TODO,
         "QEMU: henvcfg.PBMTE is writable without Svpbmt", false},
	{"qemu", "7.2", "9", "hext", "rules.virtual.csr.hgeip", TAP_TODO,
         "QEMU: a write of a read-only CSR raises a virtual-instruction exception", false},
	{"qemu", "7.2", "9", "hext", "rules.virtual.hypervisor-instructions", TAP_TODO,
         "QEMU: stval is that of an earlier instruction", false},
	{"qemu", "7.2", "9", "hext", "rules.virtual.vtvm", TAP_TODO,
         "QEMU: VTVM does not trap accesses to satp", false},
	{"qemu", "7.2", "9", "hext", "rules.vs.substitute.interrupts", TAP_TODO,
         "QEMU: vsip shows only the software interrupt", false},
	{"qemu", "7.2", "9", "hext", "rules.vs.vstvec", TAP_TODO,
         "QEMU: vstvec.MODE holds reserved values", false},
	{"qemu", "7.2", "9", "hext", "rules.vs.vsip.*", TAP_TODO,
         "QEMU: vsip shows only the software interrupt", false},
	{"qemu", "7.2", "9", "hext", "rules.vs.vsatp.reserved.v0", TAP_TODO,
         "QEMU: vsatp.MODE holds reserved values", false},
	{"qemu", "7.2", "9", "hext", "rules.interrupt.vstimecmp", TAP_TODO,
         "QEMU: a write of vstimecmp clears hvip.VSTIP", false},
	{"qemu", "7.2", "9", "hext", "rules.interrupt.vstimecmp.hvip", TAP_TODO,
         "QEMU: a write of vstimecmp clears hvip.VSTIP", false},
	{"qemu", "7.2", "9", "hext", "rules.trap.priority", TAP_TODO,
         "QEMU: stval is that of an earlier instruction", false},
	{"qemu", "7.2", "9", "hext", "rules.hlv.u-mode", TAP_TODO,
         "QEMU: stval is that of an earlier instruction", false},
	{"qemu", "7.2", "9", "hext", "rules.hlv.privilege", TAP_TODO, "QEMU: hlv uses sstatus.SUM",
         false},
	{"qemu", "7.2", "9", "hext", "rules.hlv.mxr", TAP_TODO,
         "QEMU: hlv uses the MXR of one level only", false},
	{"qemu", "7.2", "9", "hext", "rules.hlv.hlvx.execute-only", TAP_TODO,
         "QEMU: hlvx requires R", false},
	{"qemu", "7.2", "9", "hext", "rules.stage.upper.*", TAP_TODO,
         "QEMU: the upper half of an Sv*x4 space always faults", false},
	{"qemu", "7.2", "9", "hext", "rules.stage.mxr", TAP_TODO,
         "QEMU: sstatus.MXR has no effect on a guest, and vsstatus.MXR has one on the G-stage",
         false},
	{"qemu", "7.2", "9", "hext/svpbmt", "rules.stage.pbmte", TAP_TODO,
         "QEMU: without henvcfg.PBMTE, PBMT in a VS-stage leaf is not refused", false},
	{"qemu", "10", "11.0", "hext", "rules.stage.pmm", TAP_TODO,
         "QEMU: henvcfg.PMM does not mask the addresses of VS-mode", false},
	{"qemu", "7.2", "9", "hext", "rules.stage.pmp", TAP_TODO,
         "QEMU: a load that PMP refuses in the G-stage is a guest-page fault", false},
	{"qemu", "7.2", "11.0", "hext", "rules.virtual.csr.supervisor", TAP_TODO,
         "QEMU: a supervisor CSR in VU-mode is an illegal instruction", false},
	{"qemu", "7.2", "11.0", "hext", "rules.virtual.vu", TAP_TODO,
         "QEMU: sret in VU-mode is an illegal instruction", false},
	{"qemu", "7.2", "11.0", "hext", "rules.interrupt.vstimecmp.disabled", TAP_TODO,
         "QEMU: without henvcfg.STCE vstimecmp still makes VSTIP pending", false},
	{"qemu", "7.2", "", "hext", "rules.csr.hgatp.ppn", TAP_TODO,
         "QEMU: hgatp.PPN holds its two lowest bits", false},
	{"qemu", "7.2", "", "hext", "rules.csr.henvcfg.reserved", TAP_TODO,
         "QEMU: henvcfg.CBIE holds the reserved value 2", false},
	{"qemu", "7.2", "", "hext", "rules.vs.vsepc", TAP_TODO, "QEMU: vsepc holds bit 0", false},
	{"qemu", "7.2", "", "hext", "rules.vs.vsstatus.summary", TAP_TODO,
         "QEMU: vsstatus.XS and SD can be written, and SD does not show FS", false},
	{"qemu", "7.2", "11.0", "hext", "rules.vs.endianness.user", TAP_TODO,
         "QEMU: vsstatus.UBE can be written, and has no effect", false},
	{"qemu", "11.0", "", "hext", "rules.vs.endianness.user", TAP_SKIP,
         "QEMU: with vsstatus.UBE every later fetch in VU-mode faults", false},
	{"qemu", "7.2", "", "hext", "rules.interrupt.priority", TAP_TODO,
         "QEMU: interrupts are taken in the order of their numbers", false},
	{"qemu", "7.2", "", "hext", "rules.hlv.hlvx.refused", TAP_TODO,
         "QEMU: a fault of hlvx is a fetch page fault", false},
	{"qemu", "10", "", "hext", "rules.trap.delegated", TAP_TODO,
         "QEMU: a breakpoint in a guest does not set hstatus.GVA", false},
	{"qemu", "10", "", "hext", "rules.hlv.faults", TAP_TODO,
         "QEMU: a fault of hlvx is a fetch page fault", false},
	{"qemu", "7.2", "11.0", "hext", "rules.stage.walk.update", TAP_TODO,
         "QEMU: A and D are set in tables that the G-stage makes read-only", false},
	{"qemu", "11.0", "", "hext", "rules.stage.walk.update", TAP_TODO,
         "QEMU: htinst reports a read for an update of A that the G-stage refuses", false},
	{"qemu", "7.2", "9", "hext", "rules.stage.walk.store", TAP_TODO,
         "QEMU: a fault of the VS-stage walk is that of a load", false},
	{"qemu", "11.0", "", "hext", "rules.stage.walk.store", TAP_TODO,
         "QEMU: htinst reports a write for a read of the VS-stage walk", false},
	{"qemu", "10", "11.0", "hext", "rules.virtual.mret", TAP_TODO,
         "QEMU: stval is that of an earlier instruction", false},
	{"qemu", "10.0.13", "", "hext", "rules.virtual.csr.hgeip", TAP_SKIP, MPV_STUCK, false},
	{"qemu", "10.0.13", "", "hext", "rules.virtual.csr.not-hs-qualified", TAP_SKIP, MPV_STUCK,
         false},
	{"qemu", "10.0.13", "", "hext", "rules.virtual.csr.high-halves", TAP_SKIP, MPV_STUCK,
         false},
	{"qemu", "10.0.13", "", "hext", "rules.virtual.mret", TAP_SKIP, MPV_STUCK, false},
	{"qemu", "10.0.13", "", "hext", "rules.virtual.unit.*.off", TAP_SKIP, MPV_STUCK, false},
	{"spike", "1", "", "hext", "rules.interrupt.vstimecmp.disabled", TAP_TODO,
         "Spike: without henvcfg.STCE vstimecmp still makes VSTIP pending", false},
	{"qemu", "7.2", "9", "el2", "mmio.unaligned.device-memory", TAP_TODO,
         "QEMU: unaligned accesses to Device memory succeed", false},
	{"qemu", "10", "11.0", "el2", "mmio.unaligned.device-memory", TAP_TODO,
         "QEMU: if CPUs run in turn, unaligned accesses to Device memory succeed", true},
	{"qemu", "7.2", "9", "el2", "arm.trap.implementation", TAP_TODO,
         "QEMU: HCR_EL2.TIDCP does not trap", false},
	{"qemu", "7.2", "9", "svm", "privileged.debug_icebp", TAP_TODO,
         "QEMU: INT1 is an undefined instruction", false},
	{"qemu", "10", "10.0.12", "svm", "privileged.vmxon", TAP_TODO, VMXON, false},
	{"qemu", "10.1", "11.0", "svm", "privileged.vmxon", TAP_TODO, VMXON, false},
	{"qemu", "10", "10.0.12", "svm", "privileged.vmptrld", TAP_TODO, VMPTRLD, false},
	{"qemu", "10.1", "11.0", "svm", "privileged.vmptrld", TAP_TODO, VMPTRLD, false},
	{"qemu", "7.2", "9", "svm", "published.xen.308.int1", TAP_TODO,
         "QEMU: INT1 is an undefined instruction", false},
	{"qemu", "7.2", "", "svm", "published.xen.156", TAP_TODO, NO_AC, false},
	{"qemu", "7.2", "", "svm", "event.user.ac*", TAP_TODO, NO_AC, false},
	{"qemu", "7.2", "9", "svm", "event.user.gp-gate.*", TAP_TODO,
         "QEMU: the error code of INT n to a gate for CPL 0 has 16 times the vector", false},
	{"qemu", "7.2", "", "svm", "published.xen.193.*", TAP_TODO, ANY_BASE, false},
	{"qemu", "10", "", "svm", "published.xen.105.*invd", TAP_TODO, USER_INVD, false},
	{"qemu", "7.2", "9", "svm", "event.shadow.lazy-load", TAP_TODO,
         "QEMU: VMRUN does not restore the interrupt shadow", false},
	{"qemu", "7.2", "", "svm", "trap.rdtscp", TAP_TODO, "QEMU: RDTSCP is not intercepted",
         false},
	{"qemu", "7.2", "", "svm", "trap.xsetbv.pkru", TAP_TODO, "QEMU: XSETBV is not intercepted",
         false},
	{"bochs", "2.7", "", "vmx", "misconfig.misaligned-2m.bit-12", TAP_TODO,
         "Bochs: bit 12 of a 2 MiB EPT leaf is not treated as reserved", false},
	{"bochs", "2.7", "", "vmx", "smp.revoke.masked", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "privileged.vmrun_unaligned", TAP_TODO,
         "Bochs: VMRUN exits before its operand is checked", false},
	{"bochs", "2.7", "", "svm", "state.cr2.*", TAP_TODO, "Bochs: VMRUN does not load CR2",
         false},
	{"bochs", "2.7", "", "svm", "event.int-n.*", TAP_TODO,
         "Bochs: INT n whose delivery caused an exit is not executed again correctly", false},
	{"bochs", "2.7", "", "svm", "event.step.*", TAP_SKIP,
         "Bochs: a pending single step of the guest traps in the host", false},
	{"bochs", "2.7", "", "svm", "event.debug.*", TAP_SKIP,
         "Bochs: a pending single step of the guest traps in the host", false},
	{"bochs", "2.7", "", "svm", "spin.stopped", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "timer.budget.spin", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "timer.budget.spin-masked", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "timer.budget.beside-neighbour", TAP_SKIP, ENTERED_MASKED,
         false},
	{"bochs", "2.7", "", "svm", "smp.revoke.masked", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "selftest.hang.*", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "report.budget", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "turns.slice*", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "turns.timer.not-early.shared", TAP_SKIP, ENTERED_MASKED,
         false},
	{"bochs", "2.7", "", "svm", "turns.end.status", TAP_SKIP, ENTERED_MASKED, false},
	{"bochs", "2.7", "", "svm", "published.linux.bd7d95cafb49.*", TAP_SKIP, STEP_IN_HOST,
         false},
	{"bochs", "2.7", "", "svm", "published.xen.308.*", TAP_SKIP, STEP_IN_HOST, false},
};

static bool is_of(const struct host *host, const char *extension)
{
	size_t length = strlen(host->ops->name);

	if (strlen(extension) < length || memcmp(extension, host->ops->name, length) != 0)
		return false;
	extension += length;
	return *extension == '\0' || (*extension == '/' && suite_has_feature(host, extension + 1));
}

enum tap_directive deviation(const char *emulator, const struct host *host, const char *name,
                             const char **reason)
{
	*reason = NULL;
	for (size_t i = 0; i < MM_ARRAY_SIZE(deviations); i++) {
		if (!emulator_in_range(emulator, deviations[i].emulator, deviations[i].from,
		                       deviations[i].to) ||
		    !is_of(host, deviations[i].extension) || !glob_match(deviations[i].name, name))
			continue;
		/* The machine's number of CPUs, before smp= reduces it. */
		if (deviations[i].in_turn &&
		    !emulator_runs_cpus_in_turn(emulator, host->boot->cpus))
			continue;
		*reason = deviations[i].reason;
		return deviations[i].directive;
	}
	return TAP_NORMAL;
}
