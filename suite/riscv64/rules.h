/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects of the RISC-V rules: docs/rules/riscv-h.md lists the rules and their cases. */
#ifndef SUITE_RISCV64_RULES_H
#define SUITE_RISCV64_RULES_H

#include "suite/suite.h"

extern const struct suite_subject suite_rules_csr, suite_rules_virtual, suite_rules_vs,
	suite_rules_interrupt, suite_rules_trap, suite_rules_hlv, suite_rules_stage;

#endif
