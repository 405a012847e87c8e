/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From UEFI to kernel_main(): reads what the hypervisor needs from firmware, ends its boot
 * services, and continues with page tables and a stack of the hypervisor.
 */
#include "boot/x86_64/boot.h"

#define EXIT_TRIES 4

static struct boot_info info;

/* A page below 1 MiB where another CPU can start; 0: none is left, and only the boot CPU runs. */
static mm_hpa_t take_start_page(EFI_SYSTEM_TABLE *system)
{
	EFI_PHYSICAL_ADDRESS page = 0x9ffff;

	if (EFI_ERROR(system->BootServices->AllocatePages(AllocateMaxAddress, EfiLoaderData, 1,
	                                                  &page)))
		return mm_hpa_at(0);
	return mm_hpa_at(page);
}

/* Reading the memory map can change it (UEFI 2.10, 7.4.6). The key is then invalid, and the map is
 * read again. */
static bool exit_boot_services(EFI_HANDLE image, EFI_SYSTEM_TABLE *system, struct memory_map *map)
{
	for (int i = 0; i < EXIT_TRIES; i++) {
		if (!memory_map_get(system, map))
			return false;
		if (!EFI_ERROR(system->BootServices->ExitBootServices(image, map->key)))
			return true;
	}
	return false;
}

static void say(EFI_SYSTEM_TABLE *system, CHAR16 *text)
{
	system->ConOut->OutputString(system->ConOut, text);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID loaded_image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;
	struct memory_map map;
	uint64_t cr3;

	info.start_cycles = __builtin_ia32_rdtsc();
	info.firmware = "uefi";
	if (!EFI_ERROR(
		    system->BootServices->HandleProtocol(handle, &loaded_image, (void **)&image))) {
		files_read_cmdline(system, image, &info);
		files_read_guest(system, image, &info);
	}
	cpus_find(system, &info);
	info.start_page = take_start_page(system);

	if (!memory_map_get(system, &map)) {
		say(system, L"faultline: firmware gives no memory map\r\n");
		return EFI_LOAD_ERROR;
	}
	cr3 = paging_build(system, memory_map_top(&map));
	if (cr3 == 0) {
		say(system, L"faultline: no memory for page tables: give 64 MiB or more\r\n");
		return EFI_OUT_OF_RESOURCES;
	}
	if (!exit_boot_services(handle, system, &map)) {
		say(system, L"faultline: ExitBootServices fails\r\n");
		return EFI_LOAD_ERROR;
	}
	memory_map_regions(&map, &info);
	enter_kernel(&info, cr3);
}
