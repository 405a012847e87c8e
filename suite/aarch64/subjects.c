/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects that only AArch64 has. */
#include "suite/aarch64/arm.h"

extern const struct suite_subject suite_aarch64_published;

const struct suite_subject *const suite_arch_subjects[] = {&suite_arm_state,
                                                           &suite_arm_trap,
                                                           &suite_arm_id,
                                                           &suite_arm_inject,
                                                           &suite_arm_timer,
                                                           &suite_arm_mmio,
                                                           &suite_arm_report,
                                                           &suite_arm_caps,
                                                           &suite_arm_machine,
                                                           &suite_arm_sweep,
                                                           &suite_arm_fault,
                                                           &suite_aarch64_published,
                                                           NULL};
