/* SPDX-License-Identifier: BSD-2-Clause */
/* VMX as the rest of the hypervisor uses it. */
#include "vmx/vmx.h"

const struct virt_ops vmx_ops = {
	.name = "vmx",
	.probe = vmx_probe,
	.cpu_enable = vmx_cpu_enable,
	.create = vmx_create,
	.destroy = vmx_destroy,
	.run = vmx_run,
	.park = vmx_park,
	.call_return = x86_call_return,
	.mmio_decode = vmx_mmio_decode,
	.mmio_complete = vmx_mmio_complete,
	.skip = vmx_skip,
	.inject_undefined = vmx_inject_undefined,
	.set_interrupt = x86_set_interrupt,
	.log_writes = vmx_log_writes,
	.take_writes = vmx_take_writes,
	.translate = vmx_translate,
	.pc = vmx_pc,
	.registers = vmx_registers,
	.flush = vmx_flush,
};
