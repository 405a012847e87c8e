/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine and the log for host tests: one CPU, a log of one line, panics that are caught. */
#include "tests/host/kernel_stubs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/vm.h"
#include "log.h"
#include "machine.h"

char stubs_log[400];
unsigned stubs_lines;
jmp_buf *stubs_panic;
uint64_t stubs_ticks = UINT64_C(1) << 40;
uint64_t stubs_ticks_step;

void stubs_clear(void)
{
	stubs_log[0] = '\0';
	stubs_lines = 0;
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(stubs_log, sizeof(stubs_log), format, args);
	va_end(args);
	stubs_lines++;
}

void panic(const char *format, ...)
{
	va_list args;

	if (stubs_panic != NULL)
		longjmp(*stubs_panic, 1);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	abort();
}

void machine_relax(void)
{
}

void machine_zero(void *ctx, void *page, size_t bytes)
{
	(void)ctx;
	memset(page, 0, bytes);
}

unsigned machine_cpu_index(void)
{
	return 0;
}

uint64_t machine_ticks(void)
{
	return stubs_ticks += stubs_ticks_step;
}

uint64_t machine_ticks_per_second(void)
{
	return 1000000000;
}

uint64_t machine_cycles(void)
{
	return 7;
}

void vm_vcpu_exit(struct vm_vcpu *v, uint64_t status)
{
	v->vm->exit_status = status;
}
