/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the machine layer, by what the device tree says of the console, the timer, the harts
 * and their instruction set; and how the machine identifies itself.
 */
#include "machine.h"

#include "boot_info.h"
#include "fdt.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/init.h"
#include "machine/riscv64/isa.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/timer.h"
#include "machine/riscv64/zero.h"
#include "vcpu.h"

const struct virt_ops *const virt_candidates[] = {&hext_ops, NULL};

void machine_init(const struct boot_info *info)
{
	struct fdt fdt;

	cpu_build_page_table();
	/* Without a device tree, the SBI console reports that there is none. */
	if (info->fdt != NULL && fdt_open(&fdt, info->fdt, UINT32_MAX) == FDT_OK) {
		console_init(&fdt);
		power_init(&fdt);
		timer_read_frequency(&fdt);
		isa_init(&fdt, info->boot_cpu);
		zero_init();
	}
	start_init(info);
	cpu_init();
}

/* --- identification: the M-mode registers, read by the firmware --- */

static uint64_t ask(enum sbi_function function)
{
	struct sbi_result result = sbi_call(SBI_BASE, function, 0, 0, 0, 0, 0);

	return result.error == SBI_SUCCESS ? (uint64_t)result.value : 0;
}

void machine_read_signs(struct machine_signs *out)
{
	*out = (struct machine_signs){
		.kind = SIGNS_RISCV64,
		.mvendorid = ask(SBI_BASE_MVENDORID),
		.marchid = ask(SBI_BASE_MARCHID),
		.mimpid = ask(SBI_BASE_MIMPID),
	};
}
