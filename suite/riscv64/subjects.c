/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects that only RISC-V has. */
#include "suite/riscv64/subjects.h"

#include <stddef.h>

const struct suite_subject *const suite_arch_subjects[] = {
	&suite_riscv_state,
	&suite_riscv_trap,
	&suite_riscv_interrupt,
	&suite_riscv_walk,
	&suite_riscv_fence,
	&suite_riscv_machine,
	NULL,
};
