/*
 * Known deviations of emulators, by name and version. A case that is listed here is not loosened
 * for anybody: it runs as everywhere, its failure is reported as expected (TODO), and its passing
 * as unexpected. Only what would hang or crash the emulator is not run at all (SKIP).
 *
 * The emulator is what the command line says (scripts/run-qemu.sh does); a real machine is none.
 */
#include "kernel/suite/deviations.h"

#include <stddef.h>

#include "kernel/cmdline.h"
#include "kernel/string.h"
#include "kernel/suite/run.h"
#include "mm/compiler.h"

/*
 * Bochs 2.7 decides which interrupts are masked when it loads RFLAGS, and only then that a guest
 * runs. So external-interrupt exiting (VMX) and V_INTR_MASKING (SVM), which are to let them in
 * whatever IF says, come too late, until the guest itself changes IF. VMX has its preemption timer
 * beside them; SVM has nothing else that could end a guest which never exits.
 */
#define ENTERED_MASKED "Bochs 2.7: no interrupt ends a guest that was entered with IF clear"

static const struct {
	const char *emulator;  /* glob */
	const char *extension; /* virt_ops.name; behind a slash, a feature that it must have */
	const char *name;      /* glob of cases */
	enum tap_directive directive;
	const char *reason;
} deviations[] = {
	/* An instruction at an address that can be executed but not read: OpenSBI looks at it with
         * hlvx, which wants R in QEMU, and reports a fetch page fault instead. */
	{"qemu-7.2*", "hext", "s2.perm.xo.fetch", TAP_TODO, "QEMU 7.2: hlvx wants R"},
	{"qemu-7.2*", "hext", "s2.perm.lazy.xo.fetch", TAP_TODO, "QEMU 7.2: hlvx wants R"},
	/* The update of A in a VS-stage entry goes past the G-stage's permissions. */
	{"qemu-7.2*", "hext", "stage1.ad.readonly.*", TAP_TODO,
         "QEMU 7.2: A and D are set in tables that the G-stage makes read-only"},
	{"qemu-7.2*", "hext", "dirty.marks.walk-updates", TAP_TODO,
         "QEMU 7.2: A and D set in the guest's tables mark nothing in the G-stage"},
	/* With either extension, get_physical_address() masks the bits above the PPN, 60:54 among
         * them, and looks at none of them but N and PBMT. */
	{"qemu-7.2*", "hext/svnapot", "misconfig.reserved-bit-*", TAP_TODO,
         "QEMU 7.2: with Svnapot, bits 60:54 of an entry are ignored"},
	{"qemu-7.2*", "hext/svpbmt", "misconfig.reserved-bit-*", TAP_TODO,
         "QEMU 7.2: with Svpbmt, bits 60:54 of an entry are ignored"},
	{"qemu-7.2*", "hext/svpbmt", "misconfig.memory-type-3", TAP_TODO,
         "QEMU 7.2: with Svpbmt, PBMT 3 is not refused"},
	{"qemu-7.2*", "el2", "mmio.unaligned.device-memory", TAP_TODO,
         "QEMU 7.2: unaligned accesses to Device memory are done"},
	{"qemu-7.2*", "svm", "privileged.debug_icebp", TAP_TODO,
         "QEMU 7.2: INT1 is an undefined instruction"},
	{"bochs-2.7*", "vmx", "misconfig.misaligned-2m.bit-12", TAP_TODO,
         "Bochs 2.7: bit 12 of a 2 MiB EPT leaf is not treated as reserved"},
	{"bochs-2.7*", "vmx", "smp.revoke.masked", TAP_SKIP, ENTERED_MASKED},
	{"bochs-2.7*", "svm", "privileged.vmrun_unaligned", TAP_TODO,
         "Bochs 2.7: VMRUN exits before its operand is looked at"},
	{"bochs-2.7*", "svm", "spin.stopped", TAP_SKIP, ENTERED_MASKED},
	{"bochs-2.7*", "svm", "timer.budget.spin", TAP_SKIP, ENTERED_MASKED},
	{"bochs-2.7*", "svm", "timer.budget.spin-masked", TAP_SKIP, ENTERED_MASKED},
	{"bochs-2.7*", "svm", "timer.budget.beside-neighbour", TAP_SKIP, ENTERED_MASKED},
	{"bochs-2.7*", "svm", "smp.revoke.masked", TAP_SKIP, ENTERED_MASKED},
	{"qemu-7.2*", "hext", "range.limit-minus-1.*", TAP_TODO,
         "QEMU 7.2: the upper half of an Sv*x4 space faults whatever the table says"},
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
		if (!glob_match(deviations[i].emulator, emulator) ||
		    !is_of(host, deviations[i].extension) || !glob_match(deviations[i].name, name))
			continue;
		*reason = deviations[i].reason;
		return deviations[i].directive;
	}
	return TAP_NORMAL;
}
