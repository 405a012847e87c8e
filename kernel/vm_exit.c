/* The names of exits, for the log. */
#include "vm_exit.h"

#include "mm/compiler.h"

static const char *const names[VM_EXIT_KINDS] = {
	[VM_EXIT_NESTED_FAULT] = "nested-fault",
	[VM_EXIT_MISCONFIG] = "misconfig",
	[VM_EXIT_HYPERCALL] = "hypercall",
	[VM_EXIT_FIRMWARE] = "firmware",
	[VM_EXIT_PORT] = "port",
	[VM_EXIT_SYSREG] = "sysreg",
	[VM_EXIT_HALT] = "halt",
	[VM_EXIT_INTERRUPT] = "interrupt",
	[VM_EXIT_DEADLINE] = "deadline",
	[VM_EXIT_UNDEFINED] = "undefined",
	[VM_EXIT_SHUTDOWN] = "shutdown",
	[VM_EXIT_FAILURE] = "failure",
};

const char *vm_exit_name(enum vm_exit_kind kind)
{
	return (unsigned)kind < MM_ARRAY_SIZE(names) ? names[kind] : "unknown";
}
