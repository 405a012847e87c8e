/* SPDX-License-Identifier: BSD-2-Clause */
/* AArch64 at EL2: its struct virt_ops. */
#include "el2/el2.h"

/* Arm DEN 0022 (PSCI) 5.2.2 and DEN 0028 (SMCCC) 5.2: the result of an unknown function. */
#define PSCI_NOT_SUPPORTED UINT64_MAX

const struct virt_ops el2_ops = {
	.name = "el2",
	.firmware_unknown = PSCI_NOT_SUPPORTED,
	.probe = el2_probe,
	.cpu_enable = el2_cpu_enable,
	.create = el2_create,
	.destroy = el2_destroy,
	.run = el2_run,
	.park = el2_park,
	.call_return = el2_call_return,
	.mmio_decode = el2_mmio_decode,
	.mmio_complete = el2_mmio_complete,
	.skip = el2_skip,
	.inject_undefined = el2_inject_undefined,
	.set_interrupt = el2_set_interrupt,
	.translate = el2_translate,
	.pc = el2_pc,
	.registers = el2_registers,
	.flush = el2_flush,
};
