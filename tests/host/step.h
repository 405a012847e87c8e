/*
 * Runs a piece of code one instruction at a time, with a look at memory between any two: what an
 * observer on another CPU could see at the worst of moments.
 *
 * The code runs in a forked child under ptrace; what the observer is to see lies in memory that
 * both share (hal_test_options.shared).
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stdint.h>

/* Runs code(arg) in a child, and look(ctx) here before each of its instructions and once after
 * the last. Answers how many there were; fails the test if the child does. Skips it, aloud, where
 * the machine cannot step. */
uint64_t step_through(void (*code)(void *arg), void *arg, void (*look)(void *ctx), void *ctx);

/* Called by look(): has seen enough, the rest of the code runs at full speed. */
void step_no_more(void);

/* Called in the stepped code, around what an observer has no interest in: it runs at full speed.
 * Nothing elsewhere. */
void step_pause(void);
void step_resume(void);

#endif
