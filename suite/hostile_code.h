/* SPDX-License-Identifier: BSD-2-Clause */
/* Code that changes between an exit and its decoding: what its subjects share. */
#ifndef SUITE_HOSTILE_CODE_H
#define SUITE_HOSTILE_CODE_H

#include <stdbool.h>

struct suite_run;

/* Did the hardware report the instruction of the exit that vCPU 0 is in? Then the old one counts.
 */
bool suite_reports_insn(struct suite_run *run);

#endif
