/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts kicks: each kick that is sent must arrive as an interrupt.
 *
 *	sender		kick_owe(cpu, kind), then the interrupt is sent
 *	receiver	takes the interrupt, then kick_came(cpu, kind)
 *	later		kick_owed(cpu): is there a kick that was sent and has not arrived?
 *
 * A kick that does not arrive delays its sender until the receiver's next timer interrupt. Nothing
 * else happens, so the sender cannot see the loss. kernel/run.c compares the counters when the VMs
 * have ended, and a kick that has not arrived fails the case.
 *
 * Pending interrupts of one kind merge, so one interrupt may stand for several kicks of its kind.
 */
#ifndef KICK_H
#define KICK_H

#include <stdbool.h>

enum kick {
	KICK_RUN,   /* there is work, or the VM of the guest has ended */
	KICK_FLUSH, /* leave the guest: its tables have changed. x86-64 only */
	KICK_KINDS,
};

/* Before the interrupt is sent to `cpu`. */
void kick_owe(unsigned cpu, enum kick kind);
/* On `cpu`, after the interrupt is acknowledged: a later kick then raises it again. */
void kick_came(unsigned cpu, enum kick kind);
bool kick_owed(unsigned cpu);
/* Clears what is owed to `cpu`, after it was reported. Answers the kind. */
enum kick kick_forgive(unsigned cpu);

/* So many of the next kicks of a kind are not sent: the suite tests that their loss is found. */
extern _Atomic unsigned kick_lose[KICK_KINDS];
/* Is the kick that is about to be sent one of those? */
bool kick_is_lost(enum kick kind);

#endif
