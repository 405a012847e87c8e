/* The list of CPUs that several sources of firmware add to. */
#include "boot/x86_64/boot.h"
#include "mm/compiler.h"

void cpu_list_add(struct boot_info *info, uint64_t id)
{
	for (unsigned i = 0; i < info->cpus; i++) {
		if (info->cpu_ids[i] == id)
			return;
	}
	if (info->cpus < MM_ARRAY_SIZE(info->cpu_ids))
		info->cpu_ids[info->cpus++] = id;
}
