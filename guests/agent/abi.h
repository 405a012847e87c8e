/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface between the target suite (suite/) and its guest payload (guests/agent.c). A script
 * is a list of operations. The guest executes them one after the other, with real instructions, and
 * stores the result of each.
 *
 *	0x7000_0000  mailbox: one struct agent_mailbox per vCPU, then struct agent_shared
 *
 * The hypervisor writes the scripts before the guest starts. It reads the results after the guest
 * has ended for any reason. An exception inside the guest (a page fault of its own tables, an
 * undefined instruction) ends the current operation. The script continues with the next operation.
 */
#ifndef GUESTS_AGENT_ABI_H
#define GUESTS_AGENT_ABI_H

#include <stdint.h>

#define AGENT_MAILBOX_BASE UINT64_C(0x70000000)
#define AGENT_MAX_OPS      96
#define AGENT_MAX_VCPUS    64

/* The operations. `addr`, `value`, `count`, `stride` and `width` are fields of the operation. */
enum agent_code {
	AGENT_END,     /* ends the script: the vCPU exits with status 0 */
	AGENT_READ,    /* one load of `width` bytes at addr; AGENT_SIGNED sign-extends */
	AGENT_WRITE,   /* one store of `width` bytes of `value` at addr */
	AGENT_FETCH,   /* calls addr; value: 1 if it returned. Zeros there are undefined */
	AGENT_PUT_RET, /* writes a return instruction at addr and makes it fetchable */
	AGENT_RUN_AT,  /* copies code snippet `count` to addr, calls it with `value` as a pointer */
	AGENT_CALL_AT, /* calls addr with `value` as a pointer; value: its return value */
	AGENT_TOUCH, /* `count` loads of 8 bytes from addr, `stride` apart; value: all words ORed */
	AGENT_FILL,  /* `count` stores of `value` ^ address, 8 bytes each, `stride` apart */
	AGENT_CHECK, /* counts the words that differ from those of AGENT_FILL */
	AGENT_ZERO,  /* counts the words (as in CHECK) that are not zero */
	AGENT_AMO,   /* atomic add of `value` at addr in one instruction; value: the old word */
	AGENT_LLSC,  /* the same by a load-exclusive and store-conditional pair (x86: CMPXCHG) */
	AGENT_FORM,  /* the architecture's load or store form `count` at addr: guests/agent/forms.h
	              */
	AGENT_PRIV,  /* the architecture's privileged instruction `count`: guests/agent/forms.h */
	AGENT_CALL,  /* hypercall `addr` with arguments value, stride, 0; `count` times */
	AGENT_STORM, /* hypercall `addr`, `count` times, then step `value`. Repeats until the step
	                returns 0, at most `stride` times. Value: the last result of the step */
	AGENT_STEP,  /* hypercall GUEST_STEP with `value`: runs the case's hypervisor code */
	AGENT_FIRMWARE, /* SBI: extension `addr`, function `count`; PSCI: function `addr`, by SMC
	                   with AGENT_SMC. Arguments value, stride */
	AGENT_STAGE1,   /* turns stage 1 on: identity map of the lower 8 GiB by large leaves.
	                   AGENT_PTE_AD: the CPU updates accessed and dirty bits by itself */
	AGENT_MAP,   /* maps addr to `value` by a leaf of level `count`; AGENT_PTE_* flags. Missing
	                tables are made at `stride`, in order of descent. With AGENT_KEEP they exist
	                already: they are linked and not cleared */
	AGENT_FLUSH, /* stage-1 TLB: flushes everything of this vCPU */
	AGENT_FAR,   /* one load of `width` bytes at any guest-physical addr */
	AGENT_BARRIER,  /* waits until all vCPUs have reached barrier `value` (each used once) */
	AGENT_WAIT,     /* WFI or HLT */
	AGENT_SPIN,     /* `count` iterations of an empty loop; 0: for ever */
	AGENT_IRQS,     /* value: the number of interrupts that this vCPU has taken */
	AGENT_IRQ_MASK, /* `value` 0 enables interrupts, 1 masks them */
	AGENT_AWAIT,    /* waits until it has taken `value` interrupts; value: their number.
	                   `count` 1: in a loop that never exits */
	AGENT_TIMER,    /* requests an interrupt after `value` microseconds */
	AGENT_SWEEP,    /* enum agent_sweep `count`; value: the number of results other than done,
	                   undefined or refused; bits 63:32: the cause of the last of them */
	AGENT_VECTOR,   /* sets the address of the exception vectors to addr */
	AGENT_CALL3,    /* hypercall `count` with arguments addr, value, stride */
	AGENT_STEPS, /* executes `count` struct agent_step from addr; value: their number. SWEEP and
	                STEPS cannot be among them */
	AGENT_ASK,   /* `count` rounds with ECHO: see struct agent_talk */
	AGENT_ECHO,
	AGENT_ARCH, /* operation `count` of this architecture: guests/agent/<arch>_ops.h */
	AGENT_POLL, /* loads of 8 bytes at addr until one reads `value`. No hypercall in between */
	AGENT_CODES,
};

/* agent_op.flags */
#define AGENT_SIGNED   0x01U /* READ: sign-extend */
#define AGENT_BACKWARD 0x02U /* TOUCH, FILL, CHECK: downwards from addr */
#define AGENT_KEEP     0x04U /* MAP: the tables at `stride` are linked as they are */
#define AGENT_SMC      0x08U /* FIRMWARE, on Arm */
#define AGENT_PTE_R    0x10U /* MAP: permissions of the leaf; none: an invalid entry */
#define AGENT_PTE_W    0x20U
#define AGENT_PTE_X    0x40U
#define AGENT_PTE_AD   0x80U /* MAP: accessed and dirty are set */
/* FAR: a store of `value`, or a call, instead of a load. */
#define AGENT_STORE 0x10U
#define AGENT_JUMP  0x20U
/* For MAP only. Other operations use these bits with the names above. */
#define AGENT_PTE_A      0x01U /* accessed is set, dirty is clear */
#define AGENT_PTE_USER   0x02U /* a user page; the agent never runs in user mode */
#define AGENT_PTE_NORMAL 0x08U /* Arm: Normal memory at any address */

struct agent_op {
	uint16_t code; /* enum agent_code */
	uint8_t width; /* bytes */
	uint8_t flags;
	uint32_t count;
	uint64_t addr;
	uint64_t value;
	uint64_t stride; /* bytes */
};

/* The result of an operation. */
enum agent_trap {
	AGENT_DONE = 0,
	AGENT_UNSUPPORTED, /* this CPU or architecture has no such instruction */
	AGENT_UNDEFINED,   /* undefined-instruction exception in the guest */
	AGENT_PAGE_FAULT,  /* the guest's own tables refused it */
	AGENT_ACCESS,      /* access fault, external abort, general protection */
	AGENT_ALIGNMENT,   /* misaligned access */
	AGENT_DEBUG,       /* breakpoint or single step */
	AGENT_OTHER_TRAP,  /* see agent_result.cause */
	AGENT_NOT_RUN,     /* initial value, written by the hypervisor */
};

struct agent_result {
	uint64_t value;
	uint32_t trap;  /* enum agent_trap */
	uint32_t cause; /* scause, ESR_EL1 or vector */
	uint64_t addr;  /* stval, FAR_EL1, CR2; for AGENT_UNDEFINED the PC */
};

/* agent_mailbox.flags: hypercall GUEST_YIELD after each operation. */
#define AGENT_YIELDS 1U

struct agent_mailbox {
	uint32_t ops;   /* number of operations in the script */
	uint32_t done;  /* number of finished operations */
	uint64_t flags; /* AGENT_YIELDS */
	uint64_t pad[2];
	struct agent_op script[AGENT_MAX_OPS];
	struct agent_result results[AGENT_MAX_OPS];
};

/* An element of a list of operations that is too long for a mailbox. */
struct agent_step {
	struct agent_op op;
	struct agent_result result;
};

/*
 * Two vCPUs exchange values of the word at `addr`. They use the struct agent_talk at `value`, in
 * memory that is not part of any snapshot.
 *
 *	ASK   each round: runs step TALK_BEFORE, asks for the current word, writes the round's
 *	      number to the word, and asks again: the answer must be that number. With stride 1 it
 *	      then runs step TALK_AFTER and asks again: the answer must be 0. At the end it writes
 *	      TALK_OVER. Value: the number of wrong answers
 *	ECHO  reads the word in a loop, so that its translation stays in use. At each question it
 *	      answers with one more read. Value: the number of answers
 *
 * The state is in struct agent_talk and in registers, and all steps are called from one place. So
 * restoring a snapshot changes nothing in the guest's stack.
 */
#define TALK_BEFORE 100U /* step */
#define TALK_AFTER  101U
#define TALK_OVER   UINT64_MAX

struct agent_talk {
	uint64_t asked;    /* number of the question; TALK_OVER: no more questions */
	uint64_t answered; /* number of the last answered question */
	uint64_t answer;
	uint64_t round;
	uint64_t wrong;
	uint64_t echoes;
	uint64_t pad[2];
};

#define AGENT_BARRIERS 8

struct agent_shared {
	uint32_t arrived[AGENT_BARRIERS];
};

#define AGENT_MAILBOX_SIZE UINT64_C(0x2000)
/* The end of a mailbox's pages is the vCPU's own: struct agent_frame. */
#define AGENT_FRAME_OFFSET UINT64_C(0x1e00)
#define AGENT_SHARED_BASE  (AGENT_MAILBOX_BASE + AGENT_MAX_VCPUS * AGENT_MAILBOX_SIZE)

_Static_assert(sizeof(struct agent_op) == 32, "both sides lay it out alike");
_Static_assert(sizeof(struct agent_result) == 24, "both sides lay it out alike");
_Static_assert(sizeof(struct agent_step) == 56, "both sides lay it out alike");
_Static_assert(sizeof(struct agent_mailbox) <= AGENT_FRAME_OFFSET, "one mailbox per stride");

/* All items of one kind, one after the other. */
enum agent_sweep {
	AGENT_SWEEP_REGISTERS, /* reads every CSR, system register or MSR */
	AGENT_SWEEP_FIRMWARE,  /* SBI or PSCI calls with many numbers and arguments */
	AGENT_SWEEP_FORBIDDEN, /* writes every CSR or system register that a guest may not write: a
	                          write that succeeds counts as wrong */
	AGENT_SWEEPS,
};

/* Snippets for AGENT_RUN_AT. Each loads 4 bytes from its pointer and returns them. */
enum agent_snippet {
	AGENT_LOAD_PLAIN, /* LWU; LDR; MOV r32, m32 */
	AGENT_LOAD_SHORT, /* RISC-V: C.LW; elsewhere the shortest form */
	AGENT_SNIPPETS,
};

#endif
