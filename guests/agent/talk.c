/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU asks another for the value that it reads: see struct agent_talk. Only these two change
 * the words of this struct. They use ordered loads and stores, so that an answer is never older
 * than its question.
 */
#include "agent/agent.h"

static struct agent_talk *talk_of(const struct agent_op *op)
{
	return (struct agent_talk *)(uintptr_t)op->value;
}

static uint64_t talk_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void talk_set(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void ask(struct agent_talk *talk, uint64_t expected)
{
	uint64_t question = talk_get(&talk->asked) + 1;

	talk_set(&talk->asked, question);
	while (talk_get(&talk->answered) != question)
		;
	if (talk_get(&talk->answer) != expected)
		talk_set(&talk->wrong, talk_get(&talk->wrong) + 1);
}

void agent_ask(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	struct agent_talk *talk = talk_of(op);
	bool back = op->stride != 0;

	/* The first question is about the word before any change. After its answer, the other vCPU
	 * is in its loop. Then come the rounds, with two questions each if the word is restored. */
	ask(talk, 0);
	while (talk_get(&talk->round) < op->count * (back ? UINT64_C(2) : UINT64_C(1))) {
		uint64_t turn = talk_get(&talk->round) + 1;
		bool after = back && turn % 2 == 0;

		talk_set(&talk->round, turn);
		guest_call(GUEST_STEP, after ? TALK_AFTER : TALK_BEFORE, 0, 0);
		turn = talk_get(&talk->round);
		after = back && turn % 2 == 0;
		if (!after) {
			/* After its answer, the other vCPU has a translation from after the
			 * step. */
			ask(talk, back ? 0 : turn - 1);
			write64(op->addr, turn);
		}
		ask(talk, after ? 0 : turn);
	}
	talk_set(&talk->asked, TALK_OVER);
	ctx->value = talk_get(&talk->wrong);
}

void agent_echo(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	struct agent_talk *talk = talk_of(op);
	uint64_t asked;

	do {
		(void)read64(op->addr);
		asked = talk_get(&talk->asked);
		if (asked == talk_get(&talk->answered) || asked == TALK_OVER)
			continue;
		talk_set(&talk->answer, read64(op->addr));
		talk_set(&talk->echoes, talk_get(&talk->echoes) + 1);
		talk_set(&talk->answered, asked);
	} while (asked != TALK_OVER);
	ctx->value = talk_get(&talk->echoes);
}
