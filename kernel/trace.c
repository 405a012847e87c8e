/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is recorded and logged of a guest: a line per exit, a record or a line per nested fault, and
 * the report on a guest that is killed.
 */
#include "kernel/run.h"
#include "log.h"
#include "machine.h"

/* --- exits --- */

static const char *const exit_names[VM_EXIT_KINDS] = {
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

static const char *exit_name(enum vm_exit_kind kind)
{
	return (unsigned)kind < MM_ARRAY_SIZE(exit_names) ? exit_names[kind] : "unknown";
}

void trace_exit(struct vm_vcpu *v, const struct vm_exit *exit)
{
	const struct vm_hooks *hooks = v->vm->hooks;

	if (hooks != NULL && hooks->seen != NULL)
		hooks->seen(hooks->ctx, v, exit);
	atomic_store_explicit(&v->seen_pc, exit->pc, memory_order_relaxed);
	machine_allow_stop();
	log_line(LOG_EXITS,
	         "exit vm=%s vcpu=%u kind=%s pc=0x%" PRIx64 " raw=%" PRIx64 ",%" PRIx64 ",%" PRIx64
	         ",%" PRIx64,
	         v->vm->config->name, v->vcpu.index, exit_name(exit->kind), exit->pc, exit->raw[0],
	         exit->raw[1], exit->raw[2], exit->raw[3]);
}

/* --- faults --- */

static void record(struct fault_trace *trace, const struct fault_record *fault)
{
	size_t at = atomic_fetch_add_explicit(&trace->count, 1, memory_order_relaxed);

	if (at < trace->capacity)
		trace->records[at] = *fault;
}

static const char *cause_name(const struct fault_record *fault)
{
	switch (fault->result) {
	case MM_FAULT_MAPPED:
		return fault->stage1_walk ? "lazy-stage1-walk" : "lazy";
	case MM_FAULT_SPURIOUS:
		return "spurious";
	case MM_FAULT_UNSHARED:
		return "write-protected";
	case MM_FAULT_IS_DEVICE:
		return "device";
	default:
		return mm_fault_name(fault->result);
	}
}

static const char *action_name(enum mm_fault result)
{
	switch (result) {
	case MM_FAULT_MAPPED:
		return "alloc";
	case MM_FAULT_SPURIOUS:
		return "retry";
	case MM_FAULT_UNSHARED:
		return "unshare";
	case MM_FAULT_IS_DEVICE:
		return "emulate";
	default:
		return "kill";
	}
}

void trace_log_fault(const struct vm *vm, const struct fault_record *fault)
{
	log_line(LOG_QUIET,
	         "fault vm=%s vcpu=%u gpa=0x%" PRIx64 " access=%c cause=%s action=%s size=%" PRIu64
	         " cycles=%" PRIu64,
	         vm->config->name, fault->vcpu, fault->gpa.raw,
	         "?rw?x"[fault->access <= MM_X ? fault->access : 0], cause_name(fault),
	         action_name(fault->result), fault -> size, fault -> cycles);
}

/* The size of the leaf that maps the page now; 0: none. */
static uint64_t size_of(struct vm *vm, const struct fault_record *fault)
{
	struct mm_aspace_translation t;

	if (fault->result > MM_FAULT_UNSHARED ||
	    mm_aspace_translate(&vm->as, fault->gpa, &t) != MM_OK)
		return 0;
	return t.page_size;
}

enum mm_fault trace_fault(struct vm_vcpu *v, const struct vm_exit_fault *fault)
{
	const struct vm_hooks *hooks = v->vm->hooks;
	struct fault_record written = {
		.gpa = fault->gpa,
		.access = fault->access,
		.stage1_walk = fault->stage1_walk,
		.gpa_is_page = fault->gpa_is_page,
		.vcpu = v->vcpu.index,
	};
	enum mm_fault result;
	uint64_t start;

	if (hooks != NULL)
		hooks->meanwhile(hooks->ctx, v, fault);
	start = machine_cycles();
	result = mm_aspace_fault(&v->vm->as, fault->gpa, fault->access);
	written.cycles = machine_cycles() - start;
	written.result = result;
	written.size = size_of(v->vm, &written);
	if (v->vm->trace != NULL)
		record(v->vm->trace, &written);
	if (log_level >= LOG_FAULTS)
		trace_log_fault(v->vm, &written);
	return result;
}

/* --- the report on a killed guest: one line of what happened, its registers, and the entries of
 * the nested page table that the hardware read --- */

/* Bytes of a line of registers, and the length from which no further register fits in it. */
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
	         exit_name(exit->kind), exit->raw[0], exit->raw[1], exit->raw[2], exit->raw[3]);
	if (exit->kind == VM_EXIT_FAILURE)
		log_line(LOG_INFO, "kill failure=\"%s\"", exit->failure);
}

/* As many registers on a line as fit. */
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
static void report_walk(const struct vm_vcpu *v, mm_gpa_t gpa)
{
	struct mm_npt_step steps[MM_NPT_MAX_LEVELS];
	size_t count = mm_aspace_steps(&v->vm->as, gpa, steps);
	char text[MM_NPT_MAX_LEVELS * 40] = "";
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

void trace_kill(const struct vm_vcpu *v, const struct vm_exit *exit)
{
	report_headline(v, exit);
	report_registers(v);
	if (exit->kind == VM_EXIT_NESTED_FAULT || exit->kind == VM_EXIT_MISCONFIG)
		report_walk(v, v->vm->kill_gpa);
}
