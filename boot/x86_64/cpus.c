/*
 * Which CPUs there are: what the firmware's MP services say (PI 1.7, vol. 2, 13.4), which know
 * the CPUs that firmware itself has started, and what ACPI's tables add.
 */
#include "boot/x86_64/boot.h"
#include "mm/bits.h"

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
	UINT32 extended[6]; /* newer firmware's fuller location */
};

/* The first two of its seven functions are all that we call. */
struct mp_services {
	EFI_STATUS(EFIAPI *count)(struct mp_services *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get)
	(struct mp_services *self, UINTN index, struct processor_information *out);
};

/* SDM vol. 2, CPUID: leaf 0xb has all 32 bits of the id, leaf 1 the first 8. */
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
			cpu_list_add(info, p.id);
	}
}

void cpus_find(EFI_SYSTEM_TABLE *system, struct boot_info *info)
{
	info->boot_cpu = this_cpu();
	cpu_list_add(info, info->boot_cpu);
	ask_mp_services(system, info);
	acpi_add_cpus(system, info);
}
