/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects that only RISC-V has. */
#include "suite/riscv64/subjects.h"

#include <stddef.h>

#include "suite/riscv64/rules.h"

extern const struct suite_subject suite_riscv64_published, suite_riscv64_published_insn;

const struct suite_subject *const suite_arch_subjects[] = {
	&suite_riscv_state,
	&suite_riscv_trap,
	&suite_riscv_exit,
	&suite_riscv_interrupt,
	&suite_riscv_walk,
	&suite_riscv_fence,
	&suite_riscv_machine,
	&suite_rules_csr,
	&suite_rules_virtual,
	&suite_rules_vs,
	&suite_rules_interrupt,
	&suite_rules_trap,
	&suite_rules_hlv,
	&suite_rules_stage,
	&suite_riscv64_published,
	&suite_riscv64_published_insn,
	NULL,
};
