/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the command line and a guest image: from the application's load options, and from files on
 * the volume that it was loaded from.
 */
#include "boot/x86_64/boot.h"

#define CMDLINE_FILE L"\\EFI\\faultline\\cmdline.txt"
#define GUEST_FILE   L"\\EFI\\faultline\\guest.bin"

/* Adds a character to the command line. A character that is not printable ASCII becomes a blank. */
static void append(struct boot_info *info, size_t *length, unsigned c)
{
	if (*length == BOOT_CMDLINE - 1) {
		info->cmdline_cut = true;
		return;
	}
	info->cmdline[(*length)++] = (char)(c > ' ' && c <= '~' ? c : ' ');
}

/* Removes blanks at the end, such as the last newline of a text file. */
static void finish(struct boot_info *info, size_t length)
{
	while (length > 0 && info->cmdline[length - 1] == ' ')
		length--;
	info->cmdline[length] = '\0';
}

/* A shell puts the name of the application first. The length of that name, if it ends in ".efi";
 * else 0. */
static UINTN name_length(const CHAR16 *text, UINTN count)
{
	static const char suffix[] = ".efi";
	const UINTN suffix_length = sizeof(suffix) - 1;
	UINTN end = 0;

	while (end < count && text[end] > ' ')
		end++;
	if (end < suffix_length)
		return 0;
	for (UINTN i = 0; i < suffix_length; i++) {
		CHAR16 c = text[end - suffix_length + i];

		if (c >= 'A' && c <= 'Z')
			c = (CHAR16)(c + ('a' - 'A'));
		if (c != (CHAR16)suffix[i])
			return 0;
	}
	return end;
}

static void take_options(const EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	const CHAR16 *text = image->LoadOptions;
	UINTN count = image->LoadOptionsSize / sizeof(CHAR16);
	size_t length = 0;

	for (UINTN i = name_length(text, count); i < count && text[i] != 0; i++) {
		if (length != 0 || text[i] > ' ')
			append(info, &length, text[i]);
	}
	finish(info, length);
}

/* Opens a file on the same volume for reading. NULL: it does not exist. */
static EFI_FILE_HANDLE open_file(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, CHAR16 *path)
{
	EFI_GUID filesystem = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_FILE_HANDLE root, file;
	EFI_STATUS status;

	if (EFI_ERROR(system->BootServices->HandleProtocol(image->DeviceHandle, &filesystem,
	                                                   (void **)&volume)) ||
	    EFI_ERROR(volume->OpenVolume(volume, &root)))
		return NULL;
	status = root->Open(root, &file, path, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	return EFI_ERROR(status) ? NULL : file;
}

static void take_cmdline_file(EFI_FILE_HANDLE file, struct boot_info *info)
{
	static char text[BOOT_CMDLINE + 1];
	UINTN bytes = sizeof(text);
	size_t length = 0;

	if (EFI_ERROR(file->Read(file, &bytes, text)))
		return;
	for (UINTN i = 0; i < bytes; i++)
		append(info, &length, (unsigned char)text[i]);
	finish(info, length);
}

void files_read_cmdline(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	EFI_FILE_HANDLE file;

	if (image->LoadOptions != NULL)
		take_options(image, info);
	if (info->cmdline[0] != '\0')
		return;
	file = open_file(system, image, CMDLINE_FILE);
	if (file == NULL)
		return;
	take_cmdline_file(file, info);
	file->Close(file);
}

/* A position of all ones means the end of the file: UEFI 2.10, 13.5.10. */
static UINT64 size_of(EFI_FILE_HANDLE file)
{
	UINT64 size;

	if (EFI_ERROR(file->SetPosition(file, UINT64_MAX)) ||
	    EFI_ERROR(file->GetPosition(file, &size)) || EFI_ERROR(file->SetPosition(file, 0)))
		return 0;
	return size;
}

/* NULL, or what was wrong. */
static const char *load_guest(EFI_SYSTEM_TABLE *system, EFI_FILE_HANDLE file,
                              struct boot_info *info)
{
	UINT64 size = size_of(file);
	UINTN pages = size / MM_PAGE_SIZE + 1, bytes = size;
	EFI_PHYSICAL_ADDRESS where;

	if (size == 0)
		return "guest.bin is empty, or its size cannot be read";
	if (EFI_ERROR(system->BootServices->AllocatePages(AllocateAnyPages, EfiLoaderData, pages,
	                                                  &where)))
		return "guest.bin does not fit into memory";
	if (EFI_ERROR(file->Read(file, &bytes, (void *)(uintptr_t)where)) || bytes != size)
		return "guest.bin cannot be read";
	info->guest_image = mm_hpa_range(mm_hpa_at(where), size);
	return NULL;
}

void files_read_guest(EFI_SYSTEM_TABLE *system, EFI_LOADED_IMAGE *image, struct boot_info *info)
{
	EFI_FILE_HANDLE file = open_file(system, image, GUEST_FILE);

	if (file == NULL)
		return;
	info->error = load_guest(system, file, info);
	file->Close(file);
}
