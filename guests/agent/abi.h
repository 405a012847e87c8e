/*
 * What the target suite (suite/) and its guest payload (guests/agent.c) share: a script
 * of operations that the guest really carries out, one after the other, with real instructions,
 * and what it answers to each.
 *
 *	0x7000_0000  mailbox: one struct agent_mailbox per vCPU, then struct agent_shared
 *
 * The hypervisor writes the scripts before the guest starts, and reads the results after it has
 * ended, however it ended. An operation that takes an exception inside the guest (a page fault
 * of its own tables, an undefined instruction) is over with that; the script goes on with the
 * next one.
 */
#ifndef GUESTS_AGENT_ABI_H
#define GUESTS_AGENT_ABI_H

#include <stdint.h>

#define AGENT_MAILBOX_BASE UINT64_C(0x70000000)
#define AGENT_MAX_OPS      96
#define AGENT_MAX_VCPUS    8

/* What the guest does. `addr`, `value`, `count`, `stride` and `width` are an operation's own. */
enum agent_code {
	AGENT_END,     /* the script is over: the vCPU exits with status 0 */
	AGENT_READ,    /* one load of `width` bytes at addr; AGENT_SIGNED sign-extends */
	AGENT_WRITE,   /* one store of `width` bytes of `value` at addr */
	AGENT_FETCH,   /* calls addr: the value is 1 if it returned. Zeros there are undefined */
	AGENT_PUT_RET, /* writes a return instruction at addr, and makes it fetchable */
	AGENT_RUN_AT,  /* copies code snippet `count` to addr, calls it with `value` as a pointer */
	AGENT_CALL_AT, /* calls addr with `value` as a pointer: the value is what it returns */
	AGENT_TOUCH,   /* `count` loads of 8 bytes from addr on, `stride` apart; the value: their or
	                */
	AGENT_FILL,    /* `count` stores of `value` ^ address, 8 bytes each, `stride` apart */
	AGENT_CHECK,   /* counts the words of a fill that are not as AGENT_FILL left them */
	AGENT_ZERO,    /* counts the words (as in CHECK) that are not zero */
	AGENT_AMO,     /* atomic add of `value` at addr in one instruction; the value: as before */
	AGENT_LLSC,    /* the same by a load-exclusive and store-conditional pair (x86: CMPXCHG) */
	AGENT_FORM,  /* the architecture's load or store form `count` at addr: guests/agent/forms.h
	              */
	AGENT_PRIV,  /* the architecture's privileged instruction `count`: guests/agent/forms.h */
	AGENT_CALL,  /* hypercall `addr` with arguments value, stride, 0; `count` times */
	AGENT_STORM, /* hypercall `addr`, `count` times; then step `value`; and again, until that
	                answers 0, or for the `stride`th time. The value: its last answer */
	AGENT_STEP,  /* hypercall GUEST_STEP with `value`: the case's own hypervisor code runs */
	AGENT_FIRMWARE, /* SBI: extension `addr`, function `count`; PSCI: function `addr`, by SMC
	                   with AGENT_SMC. Arguments value, stride */
	AGENT_STAGE1,   /* turns stage 1 on: identity map of the lower 8 GiB by large leaves;
	                   AGENT_PTE_AD: the CPU updates accessed and dirty bits by itself */
	AGENT_MAP,      /* maps addr to `value` by a leaf of level `count`; AGENT_PTE_* flags;
	                   tables it lacks are made at `stride`, in order of descent, and are only
	                   linked, not cleared, with AGENT_KEEP: they are there already */
	AGENT_FLUSH,    /* stage-1 TLB: everything of this vCPU */
	AGENT_FAR,      /* one load of `width` bytes at guest-physical addr, however high it is */
	AGENT_BARRIER,  /* waits until all vCPUs have come to barrier `value` (each used once) */
	AGENT_WAIT,     /* WFI or HLT */
	AGENT_SPIN,     /* `count` turns of an empty loop; 0: for ever */
	AGENT_IRQS,     /* the value: interrupts that this vCPU has taken */
	AGENT_IRQ_MASK, /* `value` 0 lets interrupts in, 1 keeps them out */
	AGENT_AWAIT,    /* waits until it has taken `value` interrupts; the value: how many */
	AGENT_TIMER,    /* asks for an interrupt `value` microseconds from now */
	AGENT_SWEEP,    /* enum agent_sweep `count`: the value: how many went otherwise than done,
	                   undefined or refused; above bit 32, the cause of the last of them */
	AGENT_VECTOR,   /* exceptions go to addr from now on: nothing good can come of it */
	AGENT_CALL3,    /* hypercall `count` with arguments addr, value, stride */
	AGENT_STEPS, /* carries out `count` struct agent_step from addr on; the value: their number.
	                SWEEP and STEPS cannot be among them */
	AGENT_ASK,   /* `count` rounds of a conversation with ECHO: see struct agent_talk */
	AGENT_ECHO,
	AGENT_CODES,
};

/* agent_op.flags */
#define AGENT_SIGNED   0x01U /* READ: sign-extend */
#define AGENT_BACKWARD 0x02U /* TOUCH, FILL, CHECK: downwards from addr */
#define AGENT_KEEP     0x04U /* MAP: the tables at `stride` are linked as they are */
#define AGENT_SMC      0x08U /* FIRMWARE, on Arm */
#define AGENT_PTE_R    0x10U /* MAP: permissions of the leaf; none of them: an invalid entry */
#define AGENT_PTE_W    0x20U
#define AGENT_PTE_X    0x40U
#define AGENT_PTE_AD   0x80U /* MAP: accessed and dirty set already */
/* FAR: a store of `value`, or a call, instead of a load. */
#define AGENT_STORE 0x10U
#define AGENT_JUMP  0x20U
/* Of MAP alone; the others know these bits by the names above. */
#define AGENT_PTE_A      0x01U /* accessed set already, dirty still due */
#define AGENT_PTE_USER   0x02U /* a user page: in every mode of the agent, somebody else's */
#define AGENT_PTE_NORMAL 0x08U /* Arm: Normal memory, whatever there is at that address */

struct agent_op {
	uint16_t code; /* enum agent_code */
	uint8_t width; /* bytes */
	uint8_t flags;
	uint32_t count;
	uint64_t addr;
	uint64_t value;
	uint64_t stride; /* bytes */
};

/* What became of an operation. */
enum agent_trap {
	AGENT_DONE = 0,
	AGENT_UNSUPPORTED, /* this CPU or architecture has no such instruction */
	AGENT_UNDEFINED,   /* undefined-instruction exception in the guest */
	AGENT_PAGE_FAULT,  /* the guest's own tables refused it */
	AGENT_ACCESS,      /* access fault, external abort, general protection */
	AGENT_ALIGNMENT,   /* misaligned access */
	AGENT_DEBUG,       /* breakpoint or single step */
	AGENT_OTHER_TRAP,  /* agent_result.cause tells */
	AGENT_NOT_RUN,     /* what the hypervisor puts there before */
};

struct agent_result {
	uint64_t value;
	uint32_t trap;  /* enum agent_trap */
	uint32_t cause; /* the machine's own: scause, ESR_EL1, vector */
	uint64_t addr;  /* stval, FAR_EL1, CR2; for AGENT_UNDEFINED the PC */
};

struct agent_mailbox {
	uint32_t ops;  /* in the script */
	uint32_t done; /* finished so far */
	uint64_t pad[3];
	struct agent_op script[AGENT_MAX_OPS];
	struct agent_result results[AGENT_MAX_OPS];
};

/* One of a list of operations that is too long for a mailbox. */
struct agent_step {
	struct agent_op op;
	struct agent_result result;
};

/*
 * A conversation about the word at `addr`, by way of the struct agent_talk at `value`, which
 * lies in memory that no snapshot holds.
 *
 *	ASK   each round: step TALK_BEFORE; asks, for what was there; writes the round's number to
 *	      the word; asks, and the answer is to be that number. With stride 1: then step
 *	      TALK_AFTER; asks again, and 0 is the right answer. At the end it says so.
 *	ECHO  reads the word, so that its translation stays in use, until it is asked: answers with
 *	      one more read. The value: the number of answers
 *
 * ASK's value is the number of wrong answers. What changes is kept in struct agent_talk and in
 * registers, and all steps are called from one place: a snapshot that is restored meanwhile
 * changes nothing in the guest's stack.
 */
#define TALK_BEFORE 100U /* step */
#define TALK_AFTER  101U
#define TALK_OVER   UINT64_MAX

struct agent_talk {
	uint64_t asked;    /* number of the question; TALK_OVER: there are no more */
	uint64_t answered; /* number of the last question that has its answer */
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
#define AGENT_SHARED_BASE  (AGENT_MAILBOX_BASE + AGENT_MAX_VCPUS * AGENT_MAILBOX_SIZE)

_Static_assert(sizeof(struct agent_op) == 32, "both sides lay it out alike");
_Static_assert(sizeof(struct agent_result) == 24, "both sides lay it out alike");
_Static_assert(sizeof(struct agent_step) == 56, "both sides lay it out alike");
_Static_assert(sizeof(struct agent_mailbox) <= AGENT_MAILBOX_SIZE, "one mailbox per stride");

/* Everything that there is of a kind, one after the other. */
enum agent_sweep {
	AGENT_SWEEP_REGISTERS, /* reads every CSR, system register or MSR */
	AGENT_SWEEP_FIRMWARE,  /* SBI or PSCI calls with numbers and arguments of all sorts */
	AGENT_SWEEP_FORBIDDEN, /* writes every CSR or system register that is not a guest's to
	                          write: one that goes through counts as odd */
	AGENT_SWEEPS,
};

/* Snippets for AGENT_RUN_AT. Each loads 4 bytes from its pointer and returns them. */
enum agent_snippet {
	AGENT_LOAD_PLAIN, /* LWU; LDR; MOV r32, m32 */
	AGENT_LOAD_SHORT, /* RISC-V: C.LW; elsewhere the shortest form there is */
	AGENT_SNIPPETS,
};

#endif
