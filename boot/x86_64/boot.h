/*
 * The boot path's own pieces, each called once by efi_main.c while firmware's boot services are
 * still there (but for memory_map_regions). Pointers into firmware's data are physical
 * addresses, which firmware maps one to one (UEFI 2.10, 2.3.4).
 */
#ifndef X86_BOOT_H
#define X86_BOOT_H

#include <efi.h>

#include "boot_info.h"

/* --- files.c: what lies beside the application --- */

/* The command line: load options if there are any, else \EFI\faultline\cmdline.txt. */
void files_read_cmdline(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, struct boot_info *info);
/* \EFI\faultline\guest.bin, if it is there, into memory of its own. */
void files_read_guest(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, struct boot_info *info);

/* --- cpus.c --- */

/* Fills cpus, boot_cpu and cpu_ids, this CPU first. */
void cpus_find(EFI_SYSTEM_TABLE *system, struct boot_info *info);

/* --- cpu_list.c --- */

/* Adds a CPU by its APIC id, unless it is there already or there is no room. */
void cpu_list_add(struct boot_info *info, uint64_t id);

/* --- acpi.c --- */

/* Adds the CPUs that ACPI's MADT names. */
void acpi_add_cpus(const EFI_SYSTEM_TABLE *system, struct boot_info *info);

/* --- memory_map.c --- */

struct memory_map {
	UINT8 *descriptors;
	UINTN bytes;
	UINTN stride; /* bytes from one descriptor to the next: more than its struct says */
	UINTN key;
};

/* False: firmware gave none, or one too large for our buffer. */
bool memory_map_get(EFI_SYSTEM_TABLE *system, struct memory_map *map);
/* One past the last byte of RAM. */
uint64_t memory_map_top(const struct memory_map *map);
/* RAM above 1 MiB, and what of it is ours already, neighbours joined, into info->regions. */
void memory_map_regions(const struct memory_map *map, struct boot_info *info);

/* --- paging.c: our own page tables --- */

/* Tables that map [0, top) and at least the first 4 GiB one to one, below 4 GiB so that a CPU
 * can load their root in 32-bit mode. 0: no memory. */
uint64_t paging_build(EFI_SYSTEM_TABLE *system, uint64_t top);

/* --- enter.S --- */

/* Leaves firmware's stack and tables behind: kernel_main(info). */
_Noreturn void enter_kernel(struct boot_info *info, uint64_t cr3);

#endif
