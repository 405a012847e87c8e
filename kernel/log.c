/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial log, and panic(). A line is formatted completely on the caller's stack and then
 * written under one lock, so that the lines of several CPUs do not mix. Part of the text comes from
 * guests: bytes that are not printable ASCII are replaced, because a terminal could execute them.
 *
 * When a CPU panics, it waits a short time for the line that another CPU is writing. From then on
 * only the CPU in panic() writes, without the lock, which it may hold itself. The others stop at
 * their next line.
 */
#include "log.h"

#include "machine.h"
#include "spinlock.h"

#define LINE_BYTES 400
#define NO_CPU     UINT32_MAX
/* How often panic() tries to take the lock before it writes without it. A line takes up to 35 ms at
 * 115200 baud. */
#define PANIC_TRIES 10000000

enum log_level log_level = LOG_INFO;

static struct spinlock lock;
static _Atomic uint32_t panic_cpu = NO_CPU;

/* log_divert(): where the log goes; NULL: to the console. */
static struct {
	char *_Atomic text;
	size_t size;
	size_t length;
} diverted;

static void put(char c)
{
	char *text = atomic_load(&diverted.text);

	if (text == NULL) {
		machine_console_put(c);
	} else if (diverted.length + 1 < diverted.size) {
		text[diverted.length++] = c;
		text[diverted.length] = '\0';
	}
}

static void write_bytes(const char *prefix, const char *text)
{
	while (*prefix != '\0')
		put(*prefix++);
	for (; *text != '\0'; text++)
		put(*text >= ' ' && *text <= '~' ? *text : '?');
	put('\n');
}

static void write_line(const char *prefix, const char *text)
{
	uint32_t owner = atomic_load_explicit(&panic_cpu, memory_order_acquire);

	if (owner == NO_CPU) {
		spin_lock(&lock);
		write_bytes(prefix, text);
		spin_unlock(&lock);
		return;
	}
	while (owner != machine_cpu_index())
		machine_relax();
	write_bytes(prefix, text);
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	if (level > log_level && (level > LOG_INFO || atomic_load(&diverted.text) == NULL))
		return;
	va_start(args, format);
	format_string_v(text, sizeof(text), format, args);
	va_end(args);
	write_line("# ", text);
}

void log_raw(const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	format_string_v(text, sizeof(text), format, args);
	va_end(args);
	write_line("", text);
}

void log_divert(char *text, size_t size)
{
	spin_lock(&lock);
	if (text != NULL)
		text[0] = '\0';
	diverted.size = size;
	diverted.length = 0;
	atomic_store(&diverted.text, text);
	spin_unlock(&lock);
}

/* --- panic --- */

void (*panic_report)(void);

/* Takes the log for this CPU. False: this CPU was in panic() already. Does not return on a CPU that
 * comes second. */
static bool take_log(void)
{
	uint32_t owner = NO_CPU;

	if (!atomic_compare_exchange_strong(&panic_cpu, &owner, machine_cpu_index())) {
		while (owner != machine_cpu_index())
			machine_relax();
		return false;
	}
	for (int i = 0; i < PANIC_TRIES && !spin_try(&lock); i++)
		machine_relax();
	atomic_store(&diverted.text, NULL);
	return true;
}

void panic(const char *format, ...)
{
	char text[256];
	va_list args;

	/* A trap in the code below calls panic() again. */
	if (!take_log())
		machine_power_off(STATUS_PANIC);

	va_start(args, format);
	format_string_v(text, sizeof(text), format, args);
	va_end(args);
	if (panic_report != NULL)
		panic_report();
	log_raw("Bail out! %s", text);
	log_raw("# RESULT: FAIL");
	machine_console_drain();
	machine_power_off(STATUS_PANIC);
}
