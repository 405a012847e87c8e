/*
 * The serial log. A line is composed in full on the caller's stack and then written under one
 * lock, so that lines of several CPUs never mix. Bytes that a terminal could take for a command
 * are replaced: part of what is logged comes from guests.
 *
 * Once a CPU panics the log is its own: a line in flight is given a moment to end, and the other
 * CPUs' next line never comes.
 */
#include "log.h"

#include "kernel/log_panic.h"
#include "machine.h"
#include "spinlock.h"

#define LINE_BYTES 400
#define NO_CPU     UINT32_MAX
/* How often a panic looks whether another CPU's line has ended: some 10 ms at 115200 baud. */
#define PANIC_PATIENCE 10000000

enum log_level log_level = LOG_INFO;

static struct spinlock lock;
static _Atomic uint32_t panic_cpu = NO_CPU;

static void write_bytes(const char *prefix, const char *text)
{
	while (*prefix != '\0')
		machine_console_put(*prefix++);
	for (; *text != '\0'; text++)
		machine_console_put(*text >= ' ' && *text <= '~' ? *text : '?');
	machine_console_put('\n');
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

	if (level > log_level)
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

bool log_panic_begin(void)
{
	uint32_t owner = NO_CPU;

	if (!atomic_compare_exchange_strong(&panic_cpu, &owner, machine_cpu_index())) {
		while (owner != machine_cpu_index())
			machine_relax();
		return false;
	}
	for (int i = 0; i < PANIC_PATIENCE && !spin_try(&lock); i++)
		machine_relax();
	return true;
}
