/* The firmware's power calls. Arm DEN 0022, PSCI. */
#ifndef MACHINE_AARCH64_PSCI_H
#define MACHINE_AARCH64_PSCI_H

#include <stdbool.h>
#include <stdint.h>

/* Starts the CPU with this affinity at the physical address `entry`, with `context` in its x0,
 * the MMU off. False if the firmware refuses or there is none. */
bool psci_cpu_on(uint64_t affinity, uint64_t entry, uint64_t context);

/* Returns if there is no such firmware. */
void psci_system_off(void);

#endif
