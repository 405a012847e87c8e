/*
 * Start-up of the machine layer: what the device tree says of the console, the timer, the harts
 * and their instruction set.
 */
#include "machine.h"

#include "boot_info.h"
#include "fdt.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/init.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/paging.h"
#include "machine/riscv64/smp.h"
#include "machine/riscv64/timer.h"
#include "vcpu.h"

const struct virt_ops *const virt_candidates[] = {&hext_ops, NULL};

/* Walkers may keep that an entry is absent: the library answers the fault that follows with a
 * flush. Stores reach the walkers of other harts without a fence. */
void (*const machine_publish)(void *ctx) = NULL;

void machine_init(const struct boot_info *info)
{
	struct fdt fdt;

	paging_build();
	/* Without a device tree there is still the SBI console to say so on. */
	if (info->fdt != NULL && fdt_open(&fdt, info->fdt, UINT32_MAX) == FDT_OK) {
		console_init(&fdt);
		power_init(&fdt);
		timer_read_frequency(&fdt);
		isa_init(&fdt, info->boot_cpu);
	}
	smp_init(info);
	cpu_init();
}
