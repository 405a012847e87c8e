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
#include "machine.h"
#include "mm/compiler.h"

static const struct {
	const char *emulator; /* glob */
	const char *arch;
	const char *name; /* glob of cases */
	enum tap_directive directive;
	const char *reason;
} deviations[] = {
	/* An instruction at an address that can be executed but not read: OpenSBI looks at it with
         * hlvx, which wants R in QEMU, and reports a fetch page fault instead. */
	{"qemu-7.2*", "riscv64", "s2.perm.xo.fetch", TAP_TODO, "QEMU 7.2: hlvx wants R"},
	{"qemu-7.2*", "riscv64", "s2.perm.lazy.xo.fetch", TAP_TODO, "QEMU 7.2: hlvx wants R"},
	/* The update of A in a VS-stage entry goes past the G-stage's permissions. */
	{"qemu-7.2*", "riscv64", "stage1.ad.readonly.*", TAP_TODO,
         "QEMU 7.2: A and D are set in tables that the G-stage makes read-only"},
	{"qemu-7.2*", "x86_64", "privileged.debug_icebp", TAP_TODO,
         "QEMU 7.2: INT1 is an undefined instruction"},
	{"bochs-2.7*", "x86_64", "misconfig.misaligned-2m.bit-12", TAP_TODO,
         "Bochs 2.7: bit 12 of a 2 MiB EPT leaf is not treated as reserved"},
	{"bochs-2.7*", "x86_64", "smp.revoke.masked", TAP_SKIP,
         "Bochs 2.7: no interrupt ends a guest that was entered with IF clear"},
	{"qemu-7.2*", "riscv64", "range.limit-minus-1.*", TAP_TODO,
         "QEMU 7.2: the upper half of an Sv*x4 space faults whatever the table says"},
};

enum tap_directive deviation(const char *emulator, const char *name, const char **reason)
{
	*reason = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(deviations); i++) {
		if (!glob_match(deviations[i].emulator, emulator) ||
		    strcmp(deviations[i].arch, machine_arch) != 0 ||
		    !glob_match(deviations[i].name, name))
			continue;
		*reason = deviations[i].reason;
		return deviations[i].directive;
	}
	return TAP_NORMAL;
}
