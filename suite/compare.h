/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the result of a case with the expected result. */
#ifndef SUITE_COMPARE_H
#define SUITE_COMPARE_H

#include "suite/run.h"

/* Compares every fault that the VM took. The order counts unless the case says otherwise. */
void compare_faults(struct suite_run *run);

/* Compares the results of the agent on one vCPU, one by one. Sets run->skip if the CPU does not
 * have an instruction of the script. */
void compare_results(struct suite_run *run, unsigned vcpu, const struct agent_mailbox *mailbox);

/* The same for any script. `due` operations of it must be finished. */
void compare_script(struct suite_run *run, const char *who, const struct suite_op *script,
                    const struct agent_mailbox *mailbox, size_t due);
/* The number of operations before the END. */
size_t script_length(const struct suite_op *script);

/* Compares how the VM ended. */
void compare_end(struct suite_run *run);

#endif
