/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes scripts into a VM and reads results from it. */
#ifndef SUITE_MAILBOX_H
#define SUITE_MAILBOX_H

#include "suite/suite.h"

/* Maps the mailbox of this vCPU and writes a script, up to its END, into it. */
bool suite_write_script(struct vm *vm, unsigned vcpu, const struct suite_op *script) MM_MUST_CHECK;

/* The results that the agent stored; all zero if they cannot be read. Valid until the next call. */
const struct agent_mailbox *suite_read_mailbox(struct vm *vm, unsigned vcpu);

#endif
