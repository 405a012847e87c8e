/* How this machine is switched off: see power.c. */
#ifndef MACHINE_RISCV64_POWER_H
#define MACHINE_RISCV64_POWER_H

#include "fdt.h"

void power_init(const struct fdt *fdt);

#endif
