/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's power calls (Arm DEN 0022, PSCI), and the end of the machine. */
#ifndef MACHINE_AARCH64_POWER_H
#define MACHINE_AARCH64_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* Starts the CPU with this affinity at the physical address `entry`, with `context` in its x0 and
 * the MMU off. False if the firmware refuses, or if there is no PSCI. */
bool psci_cpu_on(uint64_t affinity, uint64_t entry, uint64_t context);

/* The HLT of a semihosting call. If it traps, there is no debugger. */
extern const char semihosting_hlt[];

/* Powers off without semihosting: by PSCI, or by waiting for ever. */
_Noreturn void power_off_by_firmware(void);

#endif
