/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a boot path passes to kernel_main(): everything that the hypervisor learns from firmware.
 * boot/<arch>/ fills it. kernel/memory_map.c checks the memory regions before they are used.
 */
#ifndef BOOT_INFO_H
#define BOOT_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"

#define BOOT_REGIONS 64
#define BOOT_CMDLINE 512

enum boot_region_kind {
	BOOT_RAM,      /* usable, unless a reserved region overlaps it */
	BOOT_RESERVED, /* in RAM or not: firmware, this image, the device tree, a guest image */
};

struct boot_region {
	struct mm_hpa_range range; /* bytes, any alignment */
	enum boot_region_kind kind;
};

struct boot_info {
	const char *firmware; /* "sbi", "linux-image", "uefi": for the log */
	struct boot_region regions[BOOT_REGIONS];
	size_t region_count;
	char cmdline[BOOT_CMDLINE]; /* NUL-terminated */
	bool cmdline_cut;           /* it was longer, and was cut */
	unsigned cpus;              /* CPUs that firmware names, this one included */
	unsigned cpus_left_out;     /* more of them, for which cpu_ids[] has no room */
	uint64_t boot_cpu;          /* hart id, MPIDR affinity or APIC id */
	uint64_t cpu_ids[64];       /* the same for every CPU, by index; the boot CPU's is first */
	struct mm_hpa_range guest_image; /* -initrd, or \EFI\faultline\guest.bin; size 0 if none */
	const void *fdt;                 /* in place, already bounds-checked; NULL on UEFI */
	mm_hpa_t start_page;             /* x86: a page below 1 MiB, in no region, where another CPU
	                                 can start in real mode; 0: none */
	uint64_t start_cycles;           /* machine_cycles() at the first instruction */
	const char *error; /* not NULL: what is wrong with firmware's data. kernel_main() logs it
	                      and stops with STATUS_BAD_BOOT */
};

/* The end of every boot path: on the boot CPU, with a stack, interrupts off, all RAM mapped at
 * virtual = physical, and a console that works. */
_Noreturn void kernel_main(struct boot_info *info);

#endif
