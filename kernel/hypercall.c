/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls. A guest passes only numbers. The address space checks those that are addresses. A
 * buffer is copied once, and only the copy is used.
 */
#include "kernel/run.h"
#include "log.h"
#include "machine.h"

#define PRINT_BYTES 128

static enum guest_error guest_error_of(enum mm_error error)
{
	switch (error) {
	case MM_OK:
		return GUEST_OK;
	case MM_INVALID:
	case MM_MISALIGNED:
		return GUEST_BAD_ARGUMENT;
	case MM_OUT_OF_RANGE:
	case MM_NOT_MAPPED:
	case MM_DENIED:
	case MM_IS_DEVICE:
		return GUEST_BAD_ADDRESS;
	case MM_NO_MEMORY:
	case MM_QUOTA:
		return GUEST_NO_MEMORY;
	default:
		return GUEST_REFUSED;
	}
}

static enum guest_error print(struct vm *vm, mm_gpa_t buffer, uint64_t bytes)
{
	char text[PRINT_BYTES + 1];
	enum mm_error error;

	if (bytes > PRINT_BYTES)
		return GUEST_BAD_ARGUMENT;
	error = mm_aspace_read(&vm->as, buffer, text, (size_t)bytes);
	if (error != MM_OK)
		return guest_error_of(error);
	text[bytes] = '\0';
	log_line(LOG_INFO, "guest vm=%s: %s", vm->config->name, text);
	return GUEST_OK;
}

/* If two vCPUs report under the same key, the later value is kept. */
static enum guest_error report(struct vm *vm, uint64_t key, uint64_t value)
{
	if (key >= VM_REPORTS)
		return GUEST_BAD_ARGUMENT;
	vm->reports[key] = value;
	atomic_fetch_or(&vm->reported, 1U << key);
	return GUEST_OK;
}

static enum guest_error protect(struct vm *vm, struct mm_gpa_range range, uint64_t perm)
{
	if (perm >= MM_PERM_SETS)
		return GUEST_BAD_ARGUMENT;
	return guest_error_of(mm_aspace_protect(&vm->as, range, (enum mm_perm)perm));
}

static uint64_t fault_count(struct vm *vm)
{
	struct mm_aspace_stats stats;
	uint64_t faults = 0;

	mm_aspace_get_stats(&vm->as, &stats);
	for (size_t i = 0; i < MM_FAULTS; i++)
		faults += stats.faults[i];
	return faults;
}

/* One hour, in microseconds. */
#define TIMER_MOST (UINT64_C(3600) * 1000000)

static enum guest_error set_timer(struct vm_vcpu *v, uint64_t microseconds)
{
	if (microseconds > TIMER_MOST)
		return GUEST_BAD_ARGUMENT;
	v->vm->ops->set_interrupt(&v->vcpu, false);
	v->timer = UINT64_MAX;
	if (microseconds != 0)
		v->timer = machine_ticks() + microseconds * machine_ticks_per_second() / 1000000;
	return GUEST_OK;
}

static enum guest_error move(struct vm_vcpu *v, uint64_t cpu)
{
	if (v->vm->moves == VM_STAYS)
		return GUEST_REFUSED;
	if (cpu >= v->vm->host->cpus)
		return GUEST_BAD_ARGUMENT;
	v->next_cpu = (unsigned)cpu;
	return GUEST_OK;
}

/* Not inlined: the fast path of GUEST_NOP then has a small stack frame. */
static MM_NOINLINE bool answer(struct vm_vcpu *v, const struct vm_exit_call *call)
{
	struct vm *vm = v->vm;
	enum guest_error error = GUEST_OK;
	uint64_t value = 0;

	if (call->function != GUEST_YIELD)
		atomic_fetch_add_explicit(&vm->calls, 1, memory_order_relaxed);
	switch (call->function) {
	case GUEST_YIELD:
		break;
	case GUEST_EXIT:
		vm_vcpu_exit(v, call->args[0]);
		return false;
	case GUEST_PRINT:
		error = print(vm, mm_gpa_at(call->args[0]), call->args[1]);
		break;
	case GUEST_REPORT:
		error = report(vm, call->args[0], call->args[1]);
		break;
	case GUEST_PROTECT:
		error = protect(vm, mm_gpa_range(mm_gpa_at(call->args[0]), call->args[1]),
		                call->args[2]);
		break;
	case GUEST_UNMAP:
		error = guest_error_of(mm_aspace_unmap(
			&vm->as, mm_gpa_range(mm_gpa_at(call->args[0]), call->args[1])));
		break;
	case GUEST_CYCLES:
		value = machine_cycles();
		break;
	case GUEST_FAULTS:
		value = fault_count(vm);
		break;
	case GUEST_TIMER:
		error = set_timer(v, call->args[0]);
		break;
	case GUEST_MOVE:
		error = move(v, call->args[0]);
		break;
	case GUEST_STEP:
		if (vm->hooks == NULL)
			error = GUEST_UNKNOWN_CALL;
		else
			value = vm->hooks->step(vm->hooks->ctx, v, call->args[0]);
		break;
	default:
		error = GUEST_UNKNOWN_CALL;
	}
	vm->ops->call_return(&v->vcpu, error, value);
	return call->function == GUEST_YIELD || call->function == GUEST_MOVE;
}

bool hypercall(struct vm_vcpu *v, const struct vm_exit_call *call)
{
	if (MM_UNLIKELY(call->function != GUEST_NOP))
		return answer(v, call);
	v->vm->ops->call_return(&v->vcpu, GUEST_OK, 0);
	return false;
}
