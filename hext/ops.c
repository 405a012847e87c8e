/* SPDX-License-Identifier: BSD-2-Clause */
/* RISC-V's hypervisor extension: its struct virt_ops. */
#include "hext/hext.h"
#include "machine/riscv64/sbi.h"

const struct virt_ops hext_ops = {
	.name = "hext",
	.firmware_unknown = (uint64_t)SBI_NOT_SUPPORTED,
	.probe = hext_probe,
	.cpu_enable = hext_cpu_enable,
	.create = hext_create,
	.destroy = hext_destroy,
	.run = hext_run,
	.park = hext_park,
	.call_return = hext_call_return,
	.given_insn = hext_given_insn,
	.mmio_decode = hext_mmio_decode,
	.mmio_complete = hext_mmio_complete,
	.skip = hext_skip,
	.inject_undefined = hext_inject_undefined,
	.set_interrupt = hext_set_interrupt,
	.translate = hext_translate,
	.pc = hext_pc,
	.registers = hext_registers,
	.flush = hext_flush,
};
