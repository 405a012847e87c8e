/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of AGENT_ARCH on AArch64. The agent and the suite share them. */
#ifndef GUESTS_AGENT_AARCH64_OPS_H
#define GUESTS_AGENT_AARCH64_OPS_H

enum agent_aarch64_op {
	AGENT_AARCH64_OPS,
};

#endif
