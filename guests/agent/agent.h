/*
 * Inside the agent: what guests/agent/<arch>.c does for the interpreter in guests/agent.c.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "guests/agent/abi.h"

/*
 * One per vCPU. While `armed`, an exception in the guest does not end it: it is written down
 * here, and agent_try() returns. The assembly of each architecture (aarch64_trap.S,
 * riscv64_trap.S, x86_64_trap.S) uses the same offsets.
 */
struct agent_frame {
	uint64_t armed;
	uint64_t cause;    /* scause, ESR_EL1, vector and error code */
	uint64_t addr;     /* stval, FAR_EL1, CR2 */
	uint64_t pc;       /* of the instruction */
	uint64_t irqs;     /* interrupts taken */
	uint64_t saved[2]; /* of the vector's own use */
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

extern struct agent_frame agent_frames[AGENT_MAX_VCPUS];

struct agent_context {
	unsigned vcpu;
	const struct guest_info *info;
	struct agent_frame *frame;
	struct agent_mailbox *mailbox;
	const struct agent_op *op; /* the one in hand */
	uint64_t value;            /* its result */
	bool supported;
	uint32_t attempt; /* of a sweep */
};

/* An operation: leaves its result in ctx->value. */
typedef void agent_fn(struct agent_context *ctx);

/* Calls fn(ctx) with the vector armed: false if an exception ended it. In <arch>_trap.S. */
bool agent_try(struct agent_frame *frame, agent_fn *fn, struct agent_context *ctx);

/* --- guests/agent/talk.c --- */

agent_fn agent_ask, agent_echo;

/* --- guests/agent/<arch>.c --- */

/* Installs the vectors of this vCPU. */
void agent_arch_init(unsigned vcpu, struct agent_frame *frame);
/* What the frame's cause means. */
enum agent_trap agent_arch_trap(const struct agent_context *ctx);

/* Calls the code at `entry` with one argument. Zeros there are an undefined instruction. */
uint64_t agent_call(uint64_t entry, uint64_t arg);
/* An atomic add in one instruction, and by a pair; false: there is no such instruction. */
bool agent_amo(uint64_t at, uint64_t value, unsigned width, uint64_t *old);
bool agent_llsc(uint64_t at, uint64_t value, unsigned width, uint64_t *old);
/* Form or privileged instruction number n; false: the list ends before. */
bool agent_form(unsigned n, uint64_t at, uint64_t *value);
bool agent_priv(unsigned n, uint64_t *value);
/* The code of a snippet: where it is, its bytes. */
const void *agent_snippet(unsigned n, uint64_t *bytes);
bool agent_firmware(const struct agent_op *op, uint64_t *value);
/* Interrupts out, or in. Taking one keeps the others out. */
void agent_irq_mask(bool masked);

/* One attempt of a sweep, for agent_try(): number ctx->attempt. */
agent_fn agent_sweep_register, agent_sweep_firmware, agent_sweep_write;
/* Is attempt number ctx->attempt of AGENT_SWEEP_FORBIDDEN one? */
bool agent_sweep_forbidden(struct agent_context *ctx);
/* How many attempts a sweep has; 0: there is no such thing here. */
uint32_t agent_sweep_length(unsigned sweep);
void agent_vector_base(uint64_t at);

/* Stage-1 entries, as stage1.c needs them. Levels as everywhere: 0 is 4 KiB. */
uint64_t agent_pte_table(uint64_t table);
uint64_t agent_pte_leaf(uint64_t pa, unsigned level, uint8_t flags);
uint64_t agent_pte_target(uint64_t entry);
/* Has this CPU stage-1 leaves of that level? */
bool agent_pte_can(unsigned level);
/* The entry that maps GiB number `gib` to itself, everything permitted. */
uint64_t agent_pte_gib(unsigned gib);
/* Loads tables of which gib_table maps the lower 512 GiB, an entry for each. False: the CPU
 * cannot update accessed and dirty bits by itself. */
bool agent_stage1_load(uint64_t *gib_table, bool with_ad);
bool agent_stage1_is_on(void);
void agent_stage1_flush(void);

/* An exception that nobody awaited ends the guest with status 0xdead0000 | cause. */
_Noreturn void agent_fatal(const struct agent_frame *frame);

#endif
