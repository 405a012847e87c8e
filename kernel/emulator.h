/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which emulator this is, and whether its version is in a range. The command line names it
 * (emulator=NAME-VERSION). Without that word, the machine's identification registers and its device
 * tree identify it. Pure.
 */
#ifndef KERNEL_EMULATOR_H
#define KERNEL_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "fdt.h"
#include "machine.h"
#include "mm/compiler.h"

/*
 * Is `emulator` ("qemu-7.2.22", "bochs-3.0", "qemu") the one of this name, in a version from `from`
 * to `to`? Both ends are included. Versions are compared as numbers, with as many parts as the end
 * has: 7.2.22 is not after "7.2", and 7.20 is. "" is an open end. A version that is absent, or is
 * not a number, is in every range. Text after a comma is ignored.
 */
bool emulator_in_range(const char *emulator, const char *name, const char *from, const char *to);

/* Does QEMU's TCG run all CPUs on one thread, in turn? It does so for a machine of one CPU, and
 * with -icount, when `emulator` ends in ",thread=single". */
bool emulator_runs_cpus_in_turn(const char *emulator, unsigned cpus);

/* Writes "NAME" or "NAME-VERSION" of the emulator with this identification; "": none is known.
 * `fdt` is NULL if firmware gives no device tree. */
void emulator_identify(const struct machine_signs *signs, const struct fdt *fdt, char *out,
                       size_t size);

#endif
