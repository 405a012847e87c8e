/* SPDX-License-Identifier: BSD-2-Clause */
/* How this machine clears frames: see zero.c. */
#ifndef MACHINE_RISCV64_ZERO_H
#define MACHINE_RISCV64_ZERO_H

#include <stdbool.h>

/* After isa_init(), on the boot hart. */
void zero_init(void);
/* On each hart, when its trap vector is set. */
void zero_try(void);
/* Does machine_zero() use cbo.zero? */
bool zero_uses_blocks(void);

#endif
