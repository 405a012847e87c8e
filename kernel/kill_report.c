/*
 * The report on a killed guest: one line of what happened, its registers, and the
 * way that the hardware went through the nested page table.
 */
#include "kernel/kill_report.h"

#include "log.h"

/* Of text, and where a line has no room for one more register. */
#define LINE      160
#define LINE_FULL 68

static void report_headline(const struct vm_vcpu *v, const struct vm_exit *exit)
{
	const struct vm *vm = v->vm;
	bool has_fault = exit->kind == VM_EXIT_NESTED_FAULT || exit->kind == VM_EXIT_MISCONFIG;

	log_line(LOG_INFO,
	         "kill vm=%s vcpu=%u pc=0x%" PRIx64 " gpa=0x%" PRIx64 " access=%s reason=%s "
	         "exit=%s raw=%" PRIx64 ",%" PRIx64 ",%" PRIx64 ",%" PRIx64,
	         vm->config->name, v->vcpu.index, exit->pc, vm->kill_gpa.raw,
	         has_fault ? mm_perm_name(exit->fault.access) : "---", vm_kill_name(vm->reason),
	         vm_exit_name(exit->kind), exit->raw[0], exit->raw[1], exit->raw[2], exit->raw[3]);
	if (exit->kind == VM_EXIT_FAILURE)
		log_line(LOG_INFO, "kill failure=\"%s\"", exit->failure);
}

/* As many to a line as fit. */
static void report_registers(const struct vm_vcpu *v)
{
	struct vcpu_register registers[VCPU_REGISTERS];
	size_t count = v->vm->ops->registers(&v->vcpu, registers);
	char text[LINE];
	int length = 0;

	for (size_t i = 0; i < count; i++) {
		length += format_string(text + length, sizeof(text) - (size_t)length,
		                        " %s=%" PRIx64, registers[i].name, registers[i].value);
		if (length > LINE_FULL || i + 1 == count) {
			log_line(LOG_INFO, "registers%s", text);
			length = 0;
		}
	}
}

/* level[index]=entry, from the root to the entry that stopped the hardware. */
static void report_walk(const struct vm_vcpu *v, gpa_t gpa)
{
	struct npt_step steps[NPT_MAX_LEVELS];
	size_t count = aspace_steps(&v->vm->as, gpa, steps);
	char text[NPT_MAX_LEVELS * 40] = "";
	int length = 0;

	for (size_t i = 0; i < count; i++)
		length += format_string(text + length, sizeof(text) - (size_t)length,
		                        " %u[%u]=0x%" PRIx64, steps[i].level, steps[i].index,
		                        steps[i].entry);
	if (count != 0)
		log_line(LOG_INFO, "walk gpa=0x%" PRIx64 "%s", gpa.raw, text);
	else
		log_line(LOG_INFO, "walk gpa=0x%" PRIx64 " beyond the tables", gpa.raw);
}

void kill_report(const struct vm_vcpu *v, const struct vm_exit *exit)
{
	report_headline(v, exit);
	report_registers(v);
	if (exit->kind == VM_EXIT_NESTED_FAULT || exit->kind == VM_EXIT_MISCONFIG)
		report_walk(v, v->vm->kill_gpa);
}
