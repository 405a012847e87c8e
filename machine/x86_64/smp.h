/* Secondary CPUs (smp.c). machine.h has what the rest of the hypervisor sees of them. */
#ifndef MACHINE_X86_64_SMP_H
#define MACHINE_X86_64_SMP_H

#include "boot_info.h"

/* Keeps what firmware said of the CPUs. */
void smp_init(const struct boot_info *info);

/* Makes another CPU leave its guest, because the guest's tables have changed. */
void smp_kick_for_flush(unsigned cpu);

#endif
