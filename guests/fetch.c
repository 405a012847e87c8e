/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes pages: the first access to each is an instruction fetch. A new page contains zeros,
 * which are an undefined instruction. The payload catches the exception.
 *
 * Arguments: 1 = bytes from one page to the next, 2 = pages. Reports: 0 = pages, 1 = pages with
 * another result than an undefined instruction.
 */
#include "agent/agent.h"
#include "guest.h"

static struct agent_frame frames[GUEST_MAX_VCPUS];

void agent_fatal(const struct agent_frame *frame)
{
	guest_exit(UINT64_C(0xdead0000) | frame->cause);
}

static void fetch(struct agent_context *ctx)
{
	ctx->value = agent_call(ctx->op->addr, 0);
}

static bool is_undefined(struct agent_context *ctx, uint64_t at)
{
	struct agent_op op = {.code = AGENT_FETCH, .addr = at};

	ctx->op = &op;
	return !agent_try(ctx->frame, fetch, ctx) && agent_arch_trap(ctx) == AGENT_UNDEFINED;
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	struct agent_context ctx = {.vcpu = vcpu, .info = info, .frame = &frames[vcpu]};
	uint64_t at = info->arena_base, wrong = 0;

	agent_arch_init(vcpu, ctx.frame);
	for (uint64_t i = 0; i < info->args[2]; i++, at += info->args[1])
		wrong += !is_undefined(&ctx, at);
	guest_report(1, wrong);
	guest_report(0, info->args[2]);
}
