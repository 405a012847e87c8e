/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic instructions on memory that faults: one instruction (AMO, LSE, LOCK), and pairs of a
 * load-exclusive and a store-conditional. A fault in the middle must not lose the operation and
 * must not repeat it.
 *
 * A single instruction both reads and writes. The architecture decides which of the two the
 * hardware reports. Arm reports a read if a read would have faulted too. Both are correct here.
 */
#include "suite/run.h"
#include "suite/suite.h"

#define WORD   (ARENA + 0x140)
#define START  UINT64_C(40)
#define ADDEND UINT64_C(2)

enum state {
	STATE_LAZY,
	STATE_POPULATED,
	STATE_WRITTEN, /* by an earlier atomic operation */
	STATE_READONLY,
	STATE_UNMAPPED,
	STATES,
};

static const char *const state_names[STATES] = {"lazy", "populated", "twice", "readonly",
                                                "unmapped"};

static struct suite_op operation(bool pair, unsigned width, uint64_t before)
{
	struct suite_op op = {OP(AMO, .addr = WORD, .value = ADDEND)};

	op.op.code = pair ? AGENT_LLSC : AGENT_AMO;
	op.op.width = (uint8_t)width;
	op.value = before;
	return op;
}

static void expect_refusal(struct suite_draft *d, enum state state, bool pair)
{
	d->c.end = SUITE_DIES;
	if (state == STATE_UNMAPPED) {
		draft_fault(d, (struct suite_fault)FAULT(WORD, pair ? MM_R : MM_RW,
		                                         MM_FAULT_NOT_MAPPED));
		return;
	}
	/* The load succeeds, and then the store is refused. A single instruction may behave in the
	 * same way. */
	draft_fault(d, (struct suite_fault)MAPPED(WORD, MM_R));
	d->faults[0].optional = !pair;
	draft_fault(d, (struct suite_fault)FAULT(WORD, MM_W, MM_FAULT_PERMISSION));
}

/* 2 kinds x 2 widths x the states. Stage 1 is on: on Arm, exclusives require Normal memory. */
static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	enum state state = (enum state)(index % STATES);
	unsigned width = index / STATES % 2 == 0 ? 4 : 8;
	size_t kind = index / STATES / 2;
	bool pair = kind == 1;

	(void)host;
	if (kind > 1)
		return false;
	draft_name(d, "atomic.%s.%u.%s", pair ? "pair" : "single", 8 * width, state_names[state]);
	if (state != STATE_UNMAPPED)
		draft_area(d,
		           (struct suite_area){
				   .kind = state == STATE_POPULATED ? SUITE_POPULATED : SUITE_LAZY,
				   .base = ARENA,
				   .size = PAGE,
				   .perm = state == STATE_READONLY ? MM_R : MM_RW,
			   });
	draft_op(d, (struct suite_op)STAGE1());
	draft_op(d, operation(pair, width, 0));
	if (state == STATE_READONLY || state == STATE_UNMAPPED) {
		expect_refusal(d, state, pair);
		return true;
	}
	if (state != STATE_POPULATED)
		draft_fault(d, (struct suite_fault)MAPPED(WORD, pair ? MM_R : MM_RW));
	if (state == STATE_WRITTEN) {
		draft_op(d, operation(pair, width, ADDEND));
		draft_op(d, (struct suite_op)READ(8, WORD, 2 * ADDEND));
	} else {
		draft_op(d, (struct suite_op)READ(8, WORD, ADDEND));
	}
	return true;
}

const struct suite_subject suite_atomics = {
	.name = "atomics",
	.generate = generate,
	.generated = "atomic.",
};
