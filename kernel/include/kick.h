/*
 * The account of kicks: each kick that is sent must arrive as an interrupt.
 *
 *	sender		kick_owe(cpu, kind), then the interrupt is sent
 *	receiver	takes the interrupt, then kick_came(cpu, kind)
 *	later		kick_owed(cpu): has each kick that was sent arrived?
 *
 * A kick that does not arrive delays its sender until the receiver's next timer interrupt, and then
 * everything goes on. So the sender cannot tell, but the account can: kernel/run.c looks at it
 * when the VMs have ended, and a kick that is still owed fails the case.
 *
 * One interrupt may answer several kicks of a kind, since those that are pending merge. A kick of
 * one kind never answers for another.
 */
#ifndef KICK_H
#define KICK_H

#include <stdbool.h>

enum kick {
	KICK_RUN,   /* there is work, or the guest's VM has ended */
	KICK_FLUSH, /* leave the guest: its tables have changed. x86-64 alone */
	KICK_KINDS,
};

/* Before the interrupt is sent to `cpu`. */
void kick_owe(unsigned cpu, enum kick kind);
/* On `cpu`, after the interrupt is acknowledged, so that a later kick raises it again. */
void kick_came(unsigned cpu, enum kick kind);
bool kick_owed(unsigned cpu);
/* Forgets what is still owed to `cpu`, once that was reported. Answers the kind. */
enum kick kick_forgive(unsigned cpu);

/* The next so many kicks of a kind are not sent: for the suite's cases of its own alarms. */
extern _Atomic unsigned kick_lose[KICK_KINDS];
/* Is the kick that is about to be sent one of those? */
bool kick_is_lost(enum kick kind);

#endif
