/* SPDX-License-Identifier: BSD-2-Clause */
/* AGENT_ARCH on x86-64: operations of the agent that no other architecture has. */
#include "guests/agent/x86_64_ops.h"

#include "agent/agent.h"

static agent_fn *const ops[AGENT_X86_64_OPS + 1] = {NULL};

void agent_arch_op(struct agent_context *ctx)
{
	agent_fn *op = ctx->op->count < AGENT_X86_64_OPS ? ops[ctx->op->count] : NULL;

	ctx->supported = op != NULL;
	if (op != NULL)
		op(ctx);
}
