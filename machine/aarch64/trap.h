/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions that the hypervisor itself takes. Each one is a defect and is reported with all
 * registers. While guests run, el2/ has vectors of its own, whose entries for the current exception
 * level branch to these.
 */
#ifndef MACHINE_AARCH64_TRAP_H
#define MACHINE_AARCH64_TRAP_H

#include <stdint.h>

/* What trap.S saves: offsets.h has the offsets. */
struct trap_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t vector; /* index of the vector, 0 to 15 */
	uint64_t unused;
};

/* The vector table of a CPU until it runs guests. */
extern const char trap_vectors[];

_Noreturn void trap_report(const struct trap_frame *frame);

#endif
