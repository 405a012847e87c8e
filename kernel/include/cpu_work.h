/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work for the other CPUs: one piece of work per CPU at a time.
 *
 *	sender		cpu_work_give(cpu, fn, arg)	stores the work, kicks the CPU
 *	receiver	cpu_work_loop()			sleeps; runs fn(arg); again
 *	sender		cpu_work_wait(cpu)		returns when fn has returned
 *
 * The machine layer starts a CPU, which ends its start-up in cpu_work_loop(). The machine layer
 * also sends kicks and puts a CPU to sleep: machine_kick(), machine_sleep() and machine_pause().
 */
#ifndef CPU_WORK_H
#define CPU_WORK_H

#include <stdbool.h>

#include "mm/compiler.h"

/* Runs fn(arg) on another CPU, which has no work, and returns at once. */
void cpu_work_give(unsigned cpu, void (*fn)(void *arg), void *arg);
/* Waits until the CPU has finished its work. Kicks it again if it does not begin: wait_limit.h. */
void cpu_work_wait(unsigned cpu);

/* The end of a secondary CPU's start-up. Runs work until the machine is switched off. */
_Noreturn void cpu_work_loop(void);
/* By the CPU that started `cpu`: waits until that is in cpu_work_loop(). False: it did not arrive
 * within WAIT_ARRIVAL rounds (wait_limit.h). */
bool cpu_work_arrives(unsigned cpu) MM_MUST_CHECK;

#endif
