/*
 * The end of a run that cannot go on: a mistake of our own, or a trap that the host took. Says
 * why in TAP's words, so that whoever reads the log knows that the rest of the plan is missing.
 */
#include "kernel/log_panic.h"
#include "log.h"
#include "machine.h"

void (*panic_report)(void);

void panic(const char *format, ...)
{
	char text[256];
	va_list args;

	/* A trap on the way below leads here again: say no more, end it. */
	if (!log_panic_begin())
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
