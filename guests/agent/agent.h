/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's internal interface: the functions that guests/agent/<arch>.c provides for the
 * interpreter in guests/agent.c.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "guests/agent/abi.h"

/*
 * One per vCPU. If an exception occurs in the guest while `armed` is set, the vector stores it
 * here, and agent_try() returns. Otherwise the exception ends the guest. The assembly of each
 * architecture (aarch64_trap.S, riscv64_trap.S, x86_64_trap.S) uses the same offsets.
 */
struct agent_frame {
	uint64_t armed;
	uint64_t cause;    /* scause, ESR_EL1, vector and error code */
	uint64_t addr;     /* stval, FAR_EL1, CR2 */
	uint64_t pc;       /* of the faulting instruction */
	uint64_t irqs;     /* interrupts taken */
	uint64_t saved[2]; /* scratch space of the vector */
	uint64_t sp;
	uint64_t keep[14]; /* callee-saved registers, return address */
};

#define FRAME_ARMED 0
#define FRAME_CAUSE 8
#define FRAME_ADDR  16
#define FRAME_PC    24
#define FRAME_IRQS  32
#define FRAME_SAVED 40
#define FRAME_SP    56
#define FRAME_KEEP  64

_Static_assert(__builtin_offsetof(struct agent_frame, irqs) == FRAME_IRQS, "the assembly");
_Static_assert(__builtin_offsetof(struct agent_frame, sp) == FRAME_SP, "the assembly");
_Static_assert(__builtin_offsetof(struct agent_frame, keep) == FRAME_KEEP, "the assembly");

struct agent_context {
	unsigned vcpu;
	const struct guest_info *info;
	struct agent_frame *frame;
	struct agent_mailbox *mailbox;
	const struct agent_op *op; /* the current operation */
	uint64_t value;            /* its result */
	bool supported;
	uint32_t attempt; /* number of the attempt in a sweep */
};

/* An operation. It stores its result in ctx->value. */
typedef void agent_fn(struct agent_context *ctx);

/* Calls fn(ctx) with the vector armed. False: an exception ended it. In <arch>_trap.S. */
bool agent_try(struct agent_frame *frame, agent_fn *fn, struct agent_context *ctx);

/* --- guests/agent/talk.c --- */

agent_fn agent_ask, agent_echo;

/* --- guests/agent/<arch>_ops.c --- */

/* AGENT_ARCH: operation number op->count of this architecture. */
agent_fn agent_arch_op;

/* --- guests/agent/<arch>.c --- */

/* Installs the vectors of this vCPU. */
void agent_arch_init(unsigned vcpu, struct agent_frame *frame);
/* Converts the frame's cause. */
enum agent_trap agent_arch_trap(const struct agent_context *ctx);

/* Calls the code at `entry` with one argument. Zeros there are an undefined instruction. */
uint64_t agent_call(uint64_t entry, uint64_t arg);
/* An atomic add in one instruction, and by an exclusive pair. False: there is no such
 * instruction. */
bool agent_amo(uint64_t at, uint64_t value, unsigned width, uint64_t *old);
bool agent_llsc(uint64_t at, uint64_t value, unsigned width, uint64_t *old);
/* Executes form or privileged instruction number n. False: the list has no such number. */
bool agent_form(unsigned n, uint64_t at, uint64_t *value);
bool agent_priv(unsigned n, uint64_t *value);
/* The code of a snippet: its address, and its size in *bytes. */
const void *agent_snippet(unsigned n, uint64_t *bytes);
bool agent_firmware(const struct agent_op *op, uint64_t *value);
/* Masks or enables interrupts. Taking an interrupt masks the others. */
void agent_irq_mask(bool masked);

/* One attempt of a sweep, for agent_try(): number ctx->attempt. */
agent_fn agent_sweep_register, agent_sweep_firmware, agent_sweep_write;
/* True if attempt number ctx->attempt belongs to AGENT_SWEEP_FORBIDDEN. */
bool agent_sweep_forbidden(struct agent_context *ctx);
/* The number of attempts of a sweep; 0: this architecture has no such sweep. */
uint32_t agent_sweep_length(unsigned sweep);
void agent_vector_base(uint64_t at);

/* Stage-1 entries, for stage1.c. Level 0 is 4 KiB, as everywhere. */
uint64_t agent_pte_table(uint64_t table);
uint64_t agent_pte_leaf(uint64_t pa, unsigned level, uint8_t flags);
uint64_t agent_pte_target(uint64_t entry);
/* True if this CPU has stage-1 leaves of that level. */
bool agent_pte_can(unsigned level);
/* The entry that maps GiB number `gib` to itself, with all permissions. */
uint64_t agent_pte_gib(unsigned gib);
/* Loads the tables. gib_table maps the lower 512 GiB, one GiB per entry. False: the CPU cannot
 * update accessed and dirty bits by itself. */
bool agent_stage1_load(uint64_t *gib_table, bool with_ad);
bool agent_stage1_is_on(void);
void agent_stage1_flush(void);

/* Ends the guest with status 0xdead0000 | cause after an unexpected exception. */
_Noreturn void agent_fatal(const struct agent_frame *frame);

#endif
