/* SPDX-License-Identifier: BSD-2-Clause */
/* x86_64_event.c and x86_64_event.S: events in the guest, and what their handler receives. */
#ifndef AGENT_X86_64_EVENT_H
#define AGENT_X86_64_EVENT_H

#include "agent/agent.h"

agent_fn agent_event, agent_event_after, agent_copy_idt;

/* Loads the general registers but RSP from before[], executes the exit (enum agent_x86_exit), and
 * stores them to after[]. */
void agent_gprs(unsigned exit, const uint64_t before[16], uint64_t after[16]);

#endif
