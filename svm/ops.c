/* SPDX-License-Identifier: BSD-2-Clause */
/* SVM as the rest of the hypervisor uses it. */
#include "svm/svm.h"

const struct virt_ops svm_ops = {
	.name = "svm",
	.probe = svm_probe,
	.cpu_enable = svm_cpu_enable,
	.create = svm_create,
	.destroy = svm_destroy,
	.run = svm_run,
	.park = svm_park,
	.call_return = x86_call_return,
	.given_insn = svm_given_insn,
	.mmio_decode = svm_mmio_decode,
	.mmio_complete = svm_mmio_complete,
	.skip = svm_skip,
	.inject_undefined = svm_inject_undefined,
	.set_interrupt = x86_set_interrupt,
	.translate = svm_translate,
	.pc = svm_pc,
	.registers = svm_registers,
	.flush = svm_flush,
};
