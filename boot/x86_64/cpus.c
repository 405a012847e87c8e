/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the CPUs: those that firmware's MP services list (PI 1.7, vol. 2, 13.4), which are the CPUs
 * that firmware itself has started, and those in ACPI's tables.
 */
#include "boot/x86_64/boot.h"
#include "mm/bits.h"
#include "mm/compiler.h"

#define MP_SERVICES_GUID                                                                           \
	{                                                                                          \
		0x3fdda605, 0xa76e, 0x4f46,                                                        \
		{                                                                                  \
			0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08                             \
		}                                                                                  \
	}

#define PROCESSOR_ENABLED BIT(1)

struct processor_information {
	UINT64 id; /* local APIC id */
	UINT32 status;
	UINT32 package, core, thread;
	UINT32 extended[6]; /* the location in newer versions */
};

/* The first two of its seven functions. The others are not called. */
struct mp_services {
	EFI_STATUS(EFIAPI *count)(struct mp_services *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get)
	(struct mp_services *self, UINTN index, struct processor_information *out);
};

/* The APIC id of this CPU. SDM vol. 2, CPUID: leaf 0xb has all 32 bits, leaf 1 the lower 8. */
static uint32_t this_cpu(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (eax >= 0xb) {
		eax = 0xb;
		ecx = 0;
		__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
		if (ebx != 0)
			return edx;
	}
	eax = 1;
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx >> 24;
}

/* Adds a CPU by its APIC id, unless it is in the list already. If there is no room, it is only
 * counted. */
static void add_cpu(struct boot_info *info, uint64_t id)
{
	for (unsigned i = 0; i < info->cpus; i++) {
		if (info->cpu_ids[i] == id)
			return;
	}
	if (info->cpus < MM_ARRAY_SIZE(info->cpu_ids))
		info->cpu_ids[info->cpus++] = id;
	else
		info->cpus_left_out++;
}

static void ask_mp_services(EFI_SYSTEM_TABLE *system, struct boot_info *info)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	struct mp_services *mp;
	UINTN all, enabled;

	if (EFI_ERROR(system->BootServices->LocateProtocol(&guid, NULL, (void **)&mp)) ||
	    EFI_ERROR(mp->count(mp, &all, &enabled)))
		return;
	for (UINTN i = 0; i < all; i++) {
		struct processor_information p;

		if (!EFI_ERROR(mp->get(mp, i, &p)) && (p.status & PROCESSOR_ENABLED))
			add_cpu(info, p.id);
	}
}

void cpus_find(EFI_SYSTEM_TABLE *system, struct boot_info *info)
{
	unsigned left_out;

	info->boot_cpu = this_cpu();
	add_cpu(info, info->boot_cpu);
	ask_mp_services(system, info);
	left_out = info->cpus_left_out;
	info->cpus_left_out = 0;
	acpi_for_each_cpu(system, info, add_cpu);
	/* Both lists have the same CPUs. */
	if (info->cpus_left_out < left_out)
		info->cpus_left_out = left_out;
}
