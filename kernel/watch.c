/* Faults and exits, written down as they come: see watch.h. */
#include "kernel/watch.h"

#include "log.h"
#include "machine.h"

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

void watch_log_fault(const struct vm *vm, const struct fault_record *fault)
{
	log_line(LOG_QUIET,
	         "fault vm=%s vcpu=%u gpa=0x%" PRIx64 " access=%c cause=%s action=%s size=%" PRIu64
	         " cycles=%" PRIu64,
	         vm->config->name, fault->vcpu, fault->gpa.raw,
	         "?rw?x"[fault->access <= MM_X ? fault->access : 0], cause_name(fault),
	         action_name(fault->result), fault -> size, fault -> cycles);
}

/* The size of the leaf that serves the page now; 0 if none does. */
static uint64_t size_of(struct vm *vm, const struct fault_record *fault)
{
	struct aspace_translation t;

	if (fault->result > MM_FAULT_UNSHARED || aspace_translate(&vm->as, fault->gpa, &t) != MM_OK)
		return 0;
	return t.page_size;
}

enum mm_fault watch_fault(struct vm_vcpu *v, const struct vm_exit_fault *fault)
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
	result = aspace_fault(&v->vm->as, fault->gpa, fault->access);
	written.cycles = machine_cycles() - start;
	written.result = result;
	written.size = size_of(v->vm, &written);
	if (v->vm->trace != NULL)
		record(v->vm->trace, &written);
	if (log_level >= LOG_FAULTS)
		watch_log_fault(v->vm, &written);
	return result;
}

void watch_exit(struct vm_vcpu *v, const struct vm_exit *exit)
{
	atomic_store_explicit(&v->seen_pc, exit->pc, memory_order_relaxed);
	machine_allow_stop();
	log_line(LOG_EXITS,
	         "exit vm=%s vcpu=%u kind=%s pc=0x%" PRIx64 " raw=%" PRIx64 ",%" PRIx64 ",%" PRIx64
	         ",%" PRIx64,
	         v->vm->config->name, v->vcpu.index, vm_exit_name(exit->kind), exit->pc,
	         exit->raw[0], exit->raw[1], exit->raw[2], exit->raw[3]);
}
