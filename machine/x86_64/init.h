/* SPDX-License-Identifier: BSD-2-Clause */
/* What machine_init() calls in the other files of this folder, once, on the boot CPU. */
#ifndef MACHINE_X86_64_INIT_H
#define MACHINE_X86_64_INIT_H

#include "boot_info.h"

/* Sets the line to 8N1, FIFOs on, interrupts off. The speed stays as firmware set it. */
void console_init(void);
/* Takes the list of CPUs and the page where they can start. After apic_init_cpu(). */
void start_init(const struct boot_info *info);

#endif
