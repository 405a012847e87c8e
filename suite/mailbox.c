/* SPDX-License-Identifier: BSD-2-Clause */
/* See mailbox.h. */
#include "suite/mailbox.h"

#include "kernel/string.h"
#include "log.h"

bool suite_write_script(struct vm *vm, unsigned vcpu, const struct suite_op *script)
{
	static struct agent_mailbox mailbox;
	mm_gpa_t at = mm_gpa_at(AGENT_MAILBOX_BASE + vcpu * AGENT_MAILBOX_SIZE);
	struct mm_aspace_backing backing = {.populate = true};

	memset(&mailbox, 0, sizeof(mailbox));
	mailbox.flags = vm->moves == VM_WANDERS ? AGENT_YIELDS : 0;
	for (; script[mailbox.ops].op.code != AGENT_END; mailbox.ops++) {
		ASSERT(mailbox.ops < AGENT_MAX_OPS);
		mailbox.script[mailbox.ops] = script[mailbox.ops].op;
		mailbox.results[mailbox.ops].trap = AGENT_NOT_RUN;
	}
	return mm_aspace_map_alloc(&vm->as, mm_gpa_range(at, AGENT_MAILBOX_SIZE), MM_RW, backing) ==
	               MM_OK &&
	       mm_aspace_write(&vm->as, at, &mailbox, sizeof(mailbox)) == MM_OK;
}

const struct agent_mailbox *suite_read_mailbox(struct vm *vm, unsigned vcpu)
{
	static struct agent_mailbox mailbox;
	mm_gpa_t at = mm_gpa_at(AGENT_MAILBOX_BASE + vcpu * AGENT_MAILBOX_SIZE);

	if (mm_aspace_read(&vm->as, at, &mailbox, sizeof(mailbox)) != MM_OK)
		memset(&mailbox, 0, sizeof(mailbox));
	return &mailbox;
}
