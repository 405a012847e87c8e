/* Scripts into a VM, results out of it. */
#ifndef SUITE_MAILBOX_H
#define SUITE_MAILBOX_H

#include "suite/suite.h"

/* Maps the mailbox of this vCPU and writes a script, up to its END, into it. */
bool suite_write_script(struct vm *vm, unsigned vcpu, const struct suite_op *script) MM_MUST_CHECK;

/* What the agent left there; all zero if it cannot be read. Valid until the next call. */
const struct agent_mailbox *suite_read_mailbox(struct vm *vm, unsigned vcpu);

#endif
