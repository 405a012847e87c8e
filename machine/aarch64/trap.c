/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a trap that the hypervisor took: all registers, then panic(). */
#include "machine/aarch64/trap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "log.h"
#include "machine.h"
#include "machine/aarch64/arm_boot.h"
#include "machine/aarch64/cpu.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/offsets.h"
#include "machine/aarch64/power.h"
#include "machine/aarch64/sysreg.h"
#include "mm/bits.h"

_Static_assert(offsetof(struct trap_frame, x) == TRAP_X, "offsets.h");
_Static_assert(offsetof(struct trap_frame, sp) == TRAP_SP, "offsets.h");
_Static_assert(offsetof(struct trap_frame, vector) == TRAP_VECTOR, "offsets.h");
_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "offsets.h");

SYSREG_READ(esr_el2, "esr_el2")
SYSREG_READ(elr_el2, "elr_el2")
SYSREG_READ(far_el2, "far_el2")
SYSREG_READ(spsr_el2, "spsr_el2")

#define ESR_EC GENMASK(31, 26)

/* Arm ARM D1.3.1: four kinds of exception from four places. */
static const char *const kinds[] = {"synchronous", "irq", "fiq", "serror"};
#define KIND_FIQ 2
static const char *const places[] = {"el2t", "el2h", "lower-a64", "lower-a32"};

/* Writes without the log's lock, because this CPU may hold it. */
static void say(const char *text)
{
	for (; *text != '\0'; text++)
		machine_console_put(*text);
}

static void dump(const struct trap_frame *frame)
{
	char line[128];

	for (unsigned i = 0; i < 31; i += 4) {
		format_string(line, sizeof(line),
		              "# trap x%-2u=0x%016llx 0x%016llx 0x%016llx 0x%016llx\n", i,
		              (unsigned long long)frame->x[i], (unsigned long long)frame->x[i + 1],
		              (unsigned long long)frame->x[i + 2],
		              (unsigned long long)(i + 3 < 31 ? frame->x[i + 3] : frame->sp));
		say(line);
	}
}

void trap_report(const struct trap_frame *frame)
{
	static _Atomic bool reporting[MACHINE_MAX_CPUS];
	uint64_t elr = read_elr_el2();
	uint64_t esr = read_esr_el2();

	if (frame->vector % 4 == KIND_FIQ)
		irq_take_fast(elr);
	if (elr == (uint64_t)(uintptr_t)semihosting_hlt)
		power_off_by_firmware();
	if (atomic_exchange(&reporting[machine_cpu_index()], true))
		machine_power_off(STATUS_PANIC);

	say("# trap: the row of x28 ends with sp\n");
	dump(frame);
	panic("host trap cpu=%u %s from=%s ec=0x%llx esr=0x%llx elr=0x%llx (image+0x%llx) "
	      "far=0x%llx spsr=0x%llx",
	      machine_cpu_index(), kinds[frame->vector % 4], places[frame->vector / 4],
	      (unsigned long long)FIELD_GET(ESR_EC, esr), (unsigned long long)esr,
	      (unsigned long long)elr, (unsigned long long)(elr - arm_image().start.raw),
	      (unsigned long long)read_far_el2(), (unsigned long long)read_spsr_el2());
}
