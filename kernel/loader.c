/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks on a guest image, whose header is not trusted. Pure. */
#include "kernel/loader.h"

#include "kernel/string.h"

/* The RAM is between the devices and the arena. */
#define RAM_MOST (GUEST_ARENA_BASE - GUEST_RAM_BASE)

enum guest_arch guest_arch_of(const char *machine)
{
	static const struct {
		const char *name;
		enum guest_arch arch;
	} archs[] = {
		{"riscv64", GUEST_RISCV64},
		{"aarch64", GUEST_AARCH64},
		{"x86_64", GUEST_X86_64},
	};

	for (size_t i = 0; i < MM_ARRAY_SIZE(archs); i++) {
		if (strcmp(machine, archs[i].name) == 0)
			return archs[i].arch;
	}
	return 0;
}

const char *guest_image_check(const struct guest_image *image, enum guest_arch arch,
                              uint64_t ram_bytes, struct guest_header *header)
{
	if (image->bytes < sizeof(*header))
		return "image truncated: shorter than its header";
	memcpy(header, image->start, sizeof(*header));

	if (header->magic != GUEST_MAGIC)
		return "no guest image: wrong magic";
	if (header->abi != GUEST_ABI)
		return "image built for another guest ABI";
	if (header->arch != arch)
		return "image built for another architecture";
	if (header->image_bytes > image->bytes)
		return "image truncated: shorter than its header says";
	if (header->image_bytes < sizeof(*header) || header->image_bytes > header->memory_bytes)
		return "image sizes make no sense";
	if (header->entry < sizeof(*header) || header->entry >= header->image_bytes)
		return "entry outside the image";
	if (header->memory_bytes > RAM_MOST)
		return "image larger than guest memory can be";
	if (ram_bytes != 0 && header->memory_bytes > ram_bytes)
		return "image larger than the guest's memory";
	return NULL;
}
