/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects of this folder, one file each. */
#ifndef SUITE_RISCV64_SUBJECTS_H
#define SUITE_RISCV64_SUBJECTS_H

#include "suite/suite.h"

extern const struct suite_subject suite_riscv_state;
extern const struct suite_subject suite_riscv_trap;
extern const struct suite_subject suite_riscv_exit;
extern const struct suite_subject suite_riscv_interrupt;
extern const struct suite_subject suite_riscv_walk;
extern const struct suite_subject suite_riscv_fence;
extern const struct suite_subject suite_riscv_machine;

#endif
