/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of AGENT_ARCH on RISC-V. The agent and the suite share them. */
#ifndef GUESTS_AGENT_RISCV64_OPS_H
#define GUESTS_AGENT_RISCV64_OPS_H

enum agent_riscv64_op {
	AGENT_RISCV64_OPS,
};

#endif
