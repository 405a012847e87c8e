/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations of the agent that only x86-64 has (guests/agent/x86_64_ops.h), for its cases. */
#ifndef SUITE_X86_64_X86_H
#define SUITE_X86_64_X86_H

#include "guests/agent/x86_64_ops.h"
#include "suite/run.h"
#include "suite/suite.h"

#define X86_OP(name, ...) .op = {.code = AGENT_ARCH, .count = AGENT_X86_##name, __VA_ARGS__}

#define RDMSR(msr, expected)                                                                       \
	{                                                                                          \
		X86_OP(RDMSR, .addr = (msr)), .value = (expected)                                  \
	}
#define WRMSR(msr, what)                                                                           \
	{                                                                                          \
		X86_OP(WRMSR, .addr = (msr), .value = (what))                                      \
	}
#define XSETBV(what)                                                                               \
	{                                                                                          \
		X86_OP(XSETBV, .value = (what))                                                    \
	}
#define READ_CR(n, expected)                                                                       \
	{                                                                                          \
		X86_OP(READ_CR, .addr = (n)), .value = (expected)                                  \
	}
#define WRITE_CR(n, what)                                                                          \
	{                                                                                          \
		X86_OP(WRITE_CR, .addr = (n), .value = (what))                                     \
	}
#define COPY_IDT(at)                                                                               \
	{                                                                                          \
		X86_OP(COPY_IDT, .addr = (at))                                                     \
	}
/* AGENT_X86_EVENT: 8 bytes of code, its registers, enum AGENT_X86_GOT. */
#define EVENT(code_bytes, how, rsp_or_rcx, operand, got)                                           \
	{                                                                                          \
		X86_OP(EVENT, .width = (how), .addr = (rsp_or_rcx), .value = (code_bytes),         \
		       .stride = (operand)),                                                       \
			.value = (got)                                                             \
	}
#define AFTER(which, expected)                                                                     \
	{                                                                                          \
		X86_OP(AFTER, .addr = AGENT_X86_##which), .value = (expected)                      \
	}
#define YIELD() CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0)
#define IRQ_MASK(masked)                                                                           \
	{                                                                                          \
		OP(IRQ_MASK, .value = (masked))                                                    \
	}
#define TIMER(microseconds)                                                                        \
	{                                                                                          \
		OP(TIMER, .value = (microseconds))                                                 \
	}

static inline bool x86_is_svm(const struct host *host)
{
	return host->ops->name[0] == 's';
}

/* move.c: a step. The guest's next operations, until its next hypercall, run on another CPU. */
uint64_t x86_move(struct suite_run *run, uint64_t number);

#endif
