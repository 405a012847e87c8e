/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The segment descriptors and task-state segments of the hypervisor (desc.c). One GDT for all CPUs:
 *
 *	0x00  null
 *	0x08  code, 64-bit
 *	0x10  data
 *	0x18  TSS of CPU 0 (16 bytes), CPU 1, ...
 *
 * So the task register identifies the CPU. A VM exit loads the same value again.
 */
#ifndef MACHINE_X86_64_DESC_H
#define MACHINE_X86_64_DESC_H

#include <stdint.h>

#define SELECTOR_CODE 0x08U
#define SELECTOR_DATA 0x10U
#define SELECTOR_TSS  0x18U
#define TSS_DESC_SIZE 16U

/* The IST field of a gate, which selects an interrupt stack: SDM vol. 3, 6.14.5. */
#define IST_NONE  0U
#define IST_FAULT 1U /* double fault and machine check */
#define IST_NMI   2U

/* Loads GDT, segments and task register on this CPU, whose number is `cpu`. */
void desc_init_cpu(unsigned cpu);

/* For the host state of a VMCS. */
uint64_t desc_gdt_base(void);
uint64_t desc_tss_base(unsigned cpu);

static inline uint16_t desc_tss_selector(unsigned cpu)
{
	return (uint16_t)(SELECTOR_TSS + TSS_DESC_SIZE * cpu);
}

#endif
