/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a piece of code one instruction at a time, with a look at memory between any two: what an
 * observer on another CPU could see at the worst of moments.
 *
 * The code runs in a forked child under ptrace; what the observer is to see lies in memory that
 * both share (hal_test_options.shared), or is read word by word (step_peek).
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stdint.h>

/* Runs code(arg) in a child, and look(ctx) here before each of its instructions and once after
 * the last. Answers how many there were; fails the test if the child does. Skips it, aloud, where
 * the machine cannot step. */
uint64_t step_through(void (*code)(void *arg), void *arg, void (*look)(void *ctx), void *ctx);

/* The same with a look() after each access of the code to the eight bytes at `word`, and with no
 * other stop, where the hardware can watch them; else before each instruction. The last look before
 * one that finds the word changed comes after the code has read it for the last time. */
void step_watch(void (*code)(void *arg), void *arg, const void *word, void (*look)(void *ctx),
                void *ctx);

/* Called by look(): has seen enough, the rest of the code runs at full speed. */
void step_no_more(void);

/*
 * Another CPU between any two instructions: runs code(arg) in a child, one instruction at a time.
 * After every `stride`-th a copy of the child is forked, which calls other(arg), then goes on with
 * the code at full speed, and calls check(arg); memory that they share with others is not for this.
 * A copy that fails or hangs fails the test, with the number of the instruction. Answers how many
 * copies there were.
 */
uint64_t step_branch(void (*code)(void *arg), void (*other)(void *arg), void (*check)(void *arg),
                     void *arg, unsigned stride);

/* Called by look(), for a word in the child's own memory: reads it; writes it, as another CPU
 * would between two instructions of the code. */
uint64_t step_peek(const void *at);
void step_poke(void *at, uint64_t value);

/* Called in the stepped code, around what an observer has no interest in: it runs at full speed.
 * Nothing elsewhere. */
void step_pause(void);
void step_resume(void);

#endif
