/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/step.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/host/check.h"

static bool stepped;   /* in the child */
static bool enough;    /* in the parent */
static pid_t stepping; /* in the parent: the child */
static volatile bool stopping;

void step_no_more(void)
{
	enough = true;
}

/* As raise(), which keeps signals blocked for a while around it. */
static void stop_with(int signal)
{
	stopping = true;
	syscall(SYS_tgkill, getpid(), gettid(), signal);
	stopping = false;
}

uint64_t step_peek(const void *at)
{
	errno = 0;

	long value = ptrace(PTRACE_PEEKDATA, stepping, at, NULL);

	CHECK(errno == 0);
	return (uint64_t)value;
}

void step_poke(void *at, uint64_t value)
{
	CHECK(ptrace(PTRACE_POKEDATA, stepping, at, value) == 0);
}

void step_pause(void)
{
	if (stepped)
		stop_with(SIGUSR1);
}

void step_resume(void)
{
	if (stepped)
		stop_with(SIGUSR2);
}

/* The child's end is sudden: what it has reached would be lost to make coverage. */
static void save_coverage(void)
{
#ifdef COVERAGE
	int __llvm_profile_write_file(void);

	step_pause();
	__llvm_profile_write_file();
#endif
}

/* The child stops before the code and after it, so that only the code is stepped. */
_Noreturn static void be_stepped(void (*code)(void *arg), void *arg)
{
	check_in_child();
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(77);
	stepped = true;
	stop_with(SIGSTOP);
	code(arg);
	save_coverage();
	stepped = false;
	stop_with(SIGSTOP);
	_exit(0);
}

static bool stopped_by(int status, int signal)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

/* --- watching one word --- */

/* x86-64 Linux: where struct user has DR0 (u_debugreg), and what DR7 says to enable it for reads
 * and writes of eight bytes (Intel SDM, volume 3, "Debug Registers"). */
#define USER_DR0   848
#define WATCH_WORD (1U | 3U << 16 | 2U << 18)

static bool set_debug_register(size_t number, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, stepping, USER_DR0 + number * sizeof(uint64_t), value) == 0;
}

/* The child traps after each access to the word. False if this machine cannot do that. */
static bool watch(const void *word)
{
	struct utsname machine;

	return uname(&machine) == 0 && strcmp(machine.machine, "x86_64") == 0 &&
	       set_debug_register(0, (uintptr_t)word) && set_debug_register(7, WATCH_WORD);
}

static void watch_no_more(void)
{
	CHECK(set_debug_register(7, 0));
}

/* --- the loop --- */

static uint64_t step_or_watch(void (*code)(void *arg), void *arg, const void *word,
                              void (*look)(void *ctx), void *ctx)
{
	uint64_t steps = 0;
	bool watching;
	int status;
	fflush(NULL);
	enough = false;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		be_stepped(code, arg);
	stepping = child;

	CHECK(waitpid(child, &status, 0) == child);
	watching = word && stopped_by(status, SIGSTOP) && watch(word);
	if (!stopped_by(status, SIGSTOP) ||
	    ptrace(watching ? PTRACE_CONT : PTRACE_SINGLESTEP, child, NULL, NULL) != 0) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		print_message("# this machine cannot single-step\n");
		skip();
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGABRT) {
		bool paused = WSTOPSIG(status) == SIGUSR1;
		if (look && !enough && WSTOPSIG(status) == SIGTRAP)
			look(ctx);
		steps += WSTOPSIG(status) == SIGTRAP;
		if (enough && watching)
			watch_no_more();
		if (ptrace(paused || enough || watching ? PTRACE_CONT : PTRACE_SINGLESTEP, child,
		           NULL, NULL) != 0)
			break;
	}
	if (look && !word)
		look(ctx);
	bool fine = stopped_by(status, SIGSTOP);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (!fine)
		check_failed(__FILE__, __LINE__, "the code under observation failed: status 0x%x",
		             status);
	return steps;
}

uint64_t step_through(void (*code)(void *arg), void *arg, void (*look)(void *ctx), void *ctx)
{
	return step_or_watch(code, arg, NULL, look, ctx);
}

void step_watch(void (*code)(void *arg), void *arg, const void *word, void (*look)(void *ctx),
                void *ctx)
{
	step_or_watch(code, arg, word, look, ctx);
}

/* --- branches --- */

#define SIG_BRANCH (SIGRTMIN + 1) /* to the child: make a copy here */
#define SIG_BACK   (SIGRTMIN + 2) /* by the child: it is made, and has ended */
#define SIG_END    (SIGRTMIN + 3) /* by the child: the code has ended */
#define HANG       3000           /* seconds: for a copy that hangs, and for nothing else */

struct branch {
	void (*code)(void *arg);
	void (*other)(void *arg);
	void (*check)(void *arg);
	void *arg;
};

static struct branch branch; /* in the child */
static bool is_copy;
static volatile bool finished; /* from here on there is nothing to come between */

/* In the child, between two of its instructions. */
static void make_copy(int number)
{
	int status;

	(void)number;
	if (finished || stopping) {
		syscall(SYS_tgkill, getpid(), gettid(), SIG_BACK);
		return;
	}
	pid_t copy = fork();
	if (copy == 0) {
		stepped = false;
		is_copy = true;
		signal(SIGUSR1, SIG_IGN); /* which it may be about to raise */
		signal(SIGUSR2, SIG_IGN);
		alarm(HANG);
		branch.other(branch.arg);
		return; /* to the next instruction */
	}
	if (copy < 0 || waitpid(copy, &status, 0) != copy || status != 0)
		_exit(1);
	syscall(SYS_tgkill, getpid(), gettid(), SIG_BACK);
}

static void run_and_check(void *arg)
{
	branch.code(arg);
	finished = true;
	if (is_copy) {
		branch.check(arg);
		fflush(NULL);
		_exit(0);
	}
	stop_with(SIG_END);
}

/* Where the child is: its program counter and its stack pointer. */
struct place {
	uint64_t pc, sp;
};

static struct place place_of(pid_t child)
{
	struct __ptrace_syscall_info info = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof(info), &info) <= 0)
		return (struct place){0, 0};
	return (struct place){info.instruction_pointer, info.stack_pointer};
}

static bool resume(pid_t child, enum __ptrace_request how, int signal, int *status)
{
	return ptrace(how, child, NULL, (void *)(uintptr_t)signal) == 0 &&
	       waitpid(child, status, 0) == child && WIFSTOPPED(*status);
}

/* The child has stopped before an instruction. Makes it fork there, and brings it back. Signals
 * of its own may have been on their way already: for a pause, which is made afterwards, or its
 * end. */
static bool branch_here(pid_t child, int *status)
{
	struct place before = place_of(child), now = {0, 0};
	bool paused = false;

	if (!resume(child, PTRACE_CONT, SIG_BRANCH, status))
		return false;
	while (!stopped_by(*status, SIG_BACK)) {
		if (stopped_by(*status, SIG_END))
			return true;
		paused |= stopped_by(*status, SIGUSR1);
		if (!stopped_by(*status, SIGUSR1) && !stopped_by(*status, SIGUSR2) &&
		    !stopped_by(*status, SIGCHLD))
			return false;
		if (!resume(child, PTRACE_CONT, 0, status))
			return false;
	}
	for (unsigned i = 0; i < 10000; i++) { /* out of the signal's handler */
		if (!resume(child, PTRACE_SINGLESTEP, 0, status))
			return false;
		now = place_of(child);
		if (now.pc == before.pc && now.sp == before.sp)
			return !paused || (resume(child, PTRACE_CONT, 0, status) &&
			                   stopped_by(*status, SIGUSR2));
	}
	return false;
}

uint64_t step_branch(void (*code)(void *arg), void (*other)(void *arg), void (*check)(void *arg),
                     void *arg, unsigned stride)
{
	uint64_t steps = 0, copies = 0;
	int status;

	branch = (struct branch){code, other, check, arg};
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		signal(SIG_BRANCH, make_copy);
		be_stepped(run_and_check, arg);
	}
	CHECK(waitpid(child, &status, 0) == child);
	bool fine = stopped_by(status, SIGSTOP) && resume(child, PTRACE_SINGLESTEP, 0, &status);
	while (fine && !stopped_by(status, SIG_END)) {
		bool trap = stopped_by(status, SIGTRAP);

		/* Once the code has ended, the child makes no copies, but steps on to SIG_END. */
		if (trap && steps++ % stride == 0) {
			fine = branch_here(child, &status);
			copies += fine;
		}
		if (stopped_by(status, SIG_END))
			break;
		fine = fine &&
		       (trap || stopped_by(status, SIGUSR1) || stopped_by(status, SIGUSR2)) &&
		       resume(child, stopped_by(status, SIGUSR1) ? PTRACE_CONT : PTRACE_SINGLESTEP,
		              0, &status);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (!fine)
		check_failed(__FILE__, __LINE__, "with another CPU after instruction %llu it fails",
		             (unsigned long long)steps);
	return copies;
}
