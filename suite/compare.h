/* What came of a case, against what must come of it. */
#ifndef SUITE_COMPARE_H
#define SUITE_COMPARE_H

#include "suite/run.h"

/* Every fault that the VM took, in order unless the case says otherwise. */
void compare_faults(struct suite_run *run);

/* What the agent on one vCPU answered, operation by operation. Sets run->skip where the CPU has
 * no such instruction. */
void compare_results(struct suite_run *run, unsigned vcpu, const struct agent_mailbox *mailbox);

/* The same for any script: `due` operations of it must be finished. */
void compare_script(struct suite_run *run, const char *who, const struct suite_op *script,
                    const struct agent_mailbox *mailbox, size_t due);
/* Operations before the END. */
size_t script_length(const struct suite_op *script);

/* How the VM ended. */
void compare_end(struct suite_run *run);

#endif
