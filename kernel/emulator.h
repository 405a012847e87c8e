/*
 * Which emulator this is, and whether its version lies in a range. The command line says it
 * (emulator=NAME-VERSION); without that word, the machine's own identification registers and its
 * device tree do. Pure.
 */
#ifndef KERNEL_EMULATOR_H
#define KERNEL_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "fdt.h"
#include "machine.h"
#include "mm/compiler.h"

/*
 * Is `emulator` ("qemu-7.2.22", "bochs-3.0", "qemu") the one of this name, in a version from
 * `from` to `to`? Both ends are included, and compared as numbers, to as many parts as the end
 * has: 7.2.22 and 7.2 are not after "7.2", 7.20 is. "" is an open end. A version that is not
 * given, or is no number, lies in every range. What follows a comma is no part of the version.
 */
bool emulator_in_range(const char *emulator, const char *name, const char *from, const char *to);

/* Does QEMU's TCG run the CPUs in turn, on one thread? It does so for a machine of one CPU, and
 * where it counts instructions, which is ",thread=single" at the end of `emulator`. */
bool emulator_runs_cpus_in_turn(const char *emulator, unsigned cpus);

/* Writes "NAME" or "NAME-VERSION" of the emulator that these signs are of; "" if of none. `fdt` is
 * NULL where firmware gives no device tree. */
void emulator_identify(const struct machine_signs *signs, const struct fdt *fdt, char *out,
                       size_t size);

#endif
