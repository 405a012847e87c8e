/* Which serial line the device tree names: see console.c. */
#ifndef MACHINE_RISCV64_CONSOLE_H
#define MACHINE_RISCV64_CONSOLE_H

#include "fdt.h"

/* Until this is called, and where the device is not a 16550, the SBI firmware writes for us. */
void console_init(const struct fdt *fdt);

#endif
