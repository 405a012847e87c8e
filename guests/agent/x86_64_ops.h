/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of AGENT_ARCH on x86-64. The agent and the suite share them. */
#ifndef GUESTS_AGENT_X86_64_OPS_H
#define GUESTS_AGENT_X86_64_OPS_H

enum agent_x86_64_op {
	AGENT_X86_64_OPS,
};

#endif
