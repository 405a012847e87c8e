/*
 * Exceptions that the hypervisor itself takes: every one is a defect, reported with all
 * registers. Guests' exceptions arrive elsewhere, in the extension's own vectors, whose entries
 * for the current exception level branch to these.
 */
#ifndef MACHINE_AARCH64_TRAP_H
#define MACHINE_AARCH64_TRAP_H

#include <stdint.h>

/* What trap.S saves; offsets.h has the offsets. */
struct trap_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t vector; /* index of the vector, 0 to 15 */
	uint64_t unused;
};

/* The vector table in force until a CPU runs guests. */
extern const char trap_vectors[];

_Noreturn void trap_report(const struct trap_frame *frame);

#endif
