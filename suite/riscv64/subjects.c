/* SPDX-License-Identifier: BSD-2-Clause */
/* The subjects that only RISC-V has. */
#include "suite/suite.h"

const struct suite_subject *const suite_arch_subjects[] = {NULL};
