/*
 * What a boot path hands to kernel_main(): all that the rest of the hypervisor ever learns from
 * firmware. Filled by boot/<arch>/, checked by kernel/memory_map.c before anything is built on it.
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
	BOOT_RESERVED, /* in RAM or not: firmware, the hypervisor's own image, the FDT, a payload */
};

struct boot_region {
	struct hpa_range range; /* bytes, any alignment */
	enum boot_region_kind kind;
};

struct boot_info {
	const char *firmware; /* "opensbi", "linux-image", "uefi": for the log */
	struct boot_region regions[BOOT_REGIONS];
	size_t region_count;
	char cmdline[BOOT_CMDLINE]; /* NUL-terminated; too long is cut, and cmdline_cut says so */
	bool cmdline_cut;
	unsigned cpus;                /* CPUs that the firmware names, this one included */
	uint64_t boot_cpu;            /* hart id, MPIDR affinity or APIC id */
	uint64_t cpu_ids[64];         /* the same of every CPU, in the order of their indexes here;
	                                 cpu_ids[0] is the boot CPU's */
	struct hpa_range guest_image; /* -initrd, or \EFI\faultline\guest.bin; size 0 if none */
	const void *fdt;              /* in place, already bounds-checked; NULL on UEFI */
	hpa_t start_page;             /* x86: a page below 1 MiB, in no region, where another CPU
	                                 can start in real mode; 0 if firmware left none */
	uint64_t start_cycles;        /* machine_cycles() at the first instruction */
	const char *error; /* not NULL: what was wrong with the firmware's data; kernel_main
	                      says it and stops with status STATUS_BAD_BOOT */
};

/* Where every boot path ends: on the boot CPU, with a stack, interrupts off, all of RAM mapped
 * at virtual = physical, and the console working. */
_Noreturn void kernel_main(struct boot_info *info);

#endif
