/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the boot path. efi_main.c calls each of them once, before ExitBootServices();
 * memory_map_regions() afterwards. Pointers into firmware's data are physical addresses, which
 * firmware maps one to one (UEFI 2.10, 2.3.4).
 */
#ifndef X86_BOOT_H
#define X86_BOOT_H

#include <efi.h>

#include "boot_info.h"

/* --- files.c: the command line and the guest image --- */

/* The command line: load options if there are any, else \EFI\faultline\cmdline.txt. */
void files_read_cmdline(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, struct boot_info *info);
/* Loads \EFI\faultline\guest.bin, if it exists, into memory that it allocates. */
void files_read_guest(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, struct boot_info *info);

/* --- cpus.c --- */

/* Fills cpus, boot_cpu and cpu_ids. The boot CPU is first. */
void cpus_find(EFI_SYSTEM_TABLE *system, struct boot_info *info);

/* --- acpi.c --- */

/* Calls `add` for the APIC id of each enabled CPU in ACPI's MADT. */
void acpi_for_each_cpu(const EFI_SYSTEM_TABLE *system, struct boot_info *info,
                       void (*add)(struct boot_info *info, uint64_t id));

/* --- memory_map.c --- */

struct memory_map {
	UINT8 *descriptors;
	UINTN bytes;
	UINTN stride; /* bytes from one descriptor to the next: more than sizeof */
	UINTN key;
};

/* False: firmware has none, or it is too large for the buffer. */
bool memory_map_get(EFI_SYSTEM_TABLE *system, struct memory_map *map);
/* One past the last byte of RAM. */
uint64_t memory_map_top(const struct memory_map *map);
/* Adds RAM above 1 MiB, and what is in use of it, to info->regions. Adjacent ranges are merged. */
void memory_map_regions(const struct memory_map *map, struct boot_info *info);

/* --- paging.c --- */

/* Builds page tables that map [0, top) and at least the first 4 GiB at virtual = physical. They are
 * below 4 GiB, so that a CPU can load their root in 32-bit mode. 0: no memory. */
uint64_t paging_build(EFI_SYSTEM_TABLE *system, uint64_t top);

/* --- enter.S --- */

/* Loads the new page tables and a new stack, and calls kernel_main(info). */
_Noreturn void enter_kernel(struct boot_info *info, uint64_t cr3);

#endif
