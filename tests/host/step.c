#include "step.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static bool stepped; /* in the child */
static bool enough;  /* in the parent */

void step_no_more(void)
{
	enough = true;
}

void step_pause(void)
{
	if (stepped)
		raise(SIGUSR1);
}

void step_resume(void)
{
	if (stepped)
		raise(SIGUSR2);
}

/* The child stops before the code and after it, so that only the code is stepped. */
_Noreturn static void be_stepped(void (*code)(void *arg), void *arg)
{
	check_in_child();
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(77);
	stepped = true;
	raise(SIGSTOP);
	code(arg);
	stepped = false;
	raise(SIGSTOP);
	_exit(0);
}

static bool stopped_by(int status, int signal)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

uint64_t step_through(void (*code)(void *arg), void *arg, void (*look)(void *ctx), void *ctx)
{
	uint64_t steps = 0;
	int status;
	fflush(NULL);
	enough = false;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		be_stepped(code, arg);

	CHECK(waitpid(child, &status, 0) == child);
	if (!stopped_by(status, SIGSTOP) || ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		print_message("# this machine cannot single-step\n");
		skip();
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGABRT) {
		bool paused = WSTOPSIG(status) == SIGUSR1;
		if (look && WSTOPSIG(status) == SIGTRAP)
			look(ctx);
		steps += WSTOPSIG(status) == SIGTRAP;
		if (ptrace(paused || enough ? PTRACE_CONT : PTRACE_SINGLESTEP, child, NULL, NULL) !=
		    0)
			break;
	}
	if (look)
		look(ctx);
	bool fine = stopped_by(status, SIGSTOP);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (!fine)
		check_failed(__FILE__, __LINE__, "the code under observation failed: status 0x%x",
		             status);
	return steps;
}
