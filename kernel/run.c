/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop. One nested fault, top to bottom:
 *
 *	guest     ld a0, (a1)                     no entry for this page
 *	hext/...  ops->run() returns an exit      kind = VM_EXIT_NESTED_FAULT, gpa, access
 *	here      on_nested_fault()
 *	mm/       mm_aspace_fault()                  finds the area, takes and zeroes a frame,
 *installs the entry here      ops->run() again                the same instruction, which now
 *succeeds
 *
 * This path and the path of a hypercall are the fast paths. What only the log or a test needs is
 * done if vm->watched is set (trace.c).
 */
#include "kernel/run.h"

#include "cpu_work.h"
#include "kernel/hang.h"
#include "kick.h"
#include "log.h"
#include "machine.h"
#include "wait_limit.h"

/* The length of a slice, if several vCPUs share a CPU. */
#define SLICES_PER_SECOND 500

/* Why run_vcpu() returns. */
enum stop {
	STOP_ENDED, /* it exited, or its VM has ended */
	STOP_SLICE, /* its slice is over */
	STOP_WAIT,  /* it gave the rest of its slice away */
};

static MM_NOINLINE void kill(struct vm_vcpu *v, const struct vm_exit *exit, enum vm_kill reason,
                             mm_gpa_t gpa)
{
	struct vm *vm = v->vm;

	if (!vm_kill(vm, reason, gpa))
		return;
	trace_kill(v, exit);
	/* The other vCPUs read the outcome at their next exit. A kick makes them exit now. */
	for (unsigned cpu = 0; vm->vcpu_count > 1 && cpu < vm->host->cpus; cpu++) {
		if (cpu == machine_cpu_index())
			continue;
		kick_owe(cpu, KICK_RUN);
		machine_kick(cpu);
	}
}

/* --- faults --- */

static enum vm_kill kill_for_fault(enum mm_fault result)
{
	switch (result) {
	case MM_FAULT_PERMISSION:
		return KILL_PERMISSION;
	case MM_FAULT_NO_MEMORY:
		return KILL_NO_MEMORY;
	case MM_FAULT_QUOTA:
		return KILL_QUOTA;
	case MM_FAULT_OUT_OF_RANGE:
		return KILL_OUT_OF_RANGE;
	case MM_FAULT_IS_DEVICE: /* the guest uses it as a page table */
		return KILL_MMIO_REFUSED;
	case MM_FAULT_INVALID: /* the exit was decoded wrongly: a defect of the hypervisor */
		return KILL_MISCONFIG;
	default:
		return KILL_NOT_MAPPED;
	}
}

/* The bus refuses a width that is none. */
static enum mm_error ask_bus(struct vm *vm, const struct mmio_access *access, uint64_t *value)
{
	enum mm_width width = (enum mm_width)access->width;

	if (access->write)
		return mm_device_bus_write_mmio(&vm->bus, access->gpa, width, access->value);
	return mm_device_bus_read_mmio(&vm->bus, access->gpa, width, value);
}

/* One instruction on a device: usually one access, sometimes several. */
static void on_mmio(struct vm_vcpu *v, const struct vm_exit *exit)
{
	const struct virt_ops *ops = v->vm->ops;
	struct mmio_access access;
	uint64_t value = 0;

	do {
		enum mm_error error = ops->mmio_decode(&v->vcpu, exit, &access);

		if (MM_UNLIKELY(error != MM_OK)) {
			/* Run it again: another vCPU has changed the guest's own tables, or the
			 * guest gets an exception, which the extension has injected. */
			if (error != MM_NOT_MAPPED && error != MM_DENIED)
				kill(v, exit, KILL_MMIO_UNDECODED, exit->fault.gpa);
			return;
		}
		if (MM_UNLIKELY(ask_bus(v->vm, &access, &value) != MM_OK)) {
			kill(v, exit, KILL_MMIO_REFUSED, access.gpa);
			return;
		}
	} while (ops->mmio_complete(&v->vcpu, &access, value));
}

/*
 * The tables permit the access, and the hardware refused it. That is normal after a change by
 * another CPU: the fault came before the change was complete, or from a stale TLB entry. If the
 * same fault repeats without a change, the hardware takes the entry for malformed, on a machine
 * that reports no misconfiguration.
 */
static MM_NOINLINE void on_spurious_fault(struct vm_vcpu *v, const struct vm_exit *exit)
{
	struct mm_aspace_stats stats;

	mm_aspace_get_stats(&v->vm->as, &stats);
	if (v->futile_pc != exit->pc || v->futile_gpa.raw != exit->fault.gpa.raw ||
	    v->futile_changes != stats.changes)
		v->futile_faults = 0;
	v->futile_pc = exit->pc;
	v->futile_gpa = exit->fault.gpa;
	v->futile_changes = stats.changes;
	if (++v->futile_faults >= RUN_FUTILE_FAULTS)
		kill(v, exit, KILL_MISCONFIG, exit->fault.gpa);
}

static MM_ALWAYS_INLINE void after_fault(struct vm_vcpu *v, const struct vm_exit *exit,
                                         enum mm_fault result)
{
	const struct vm *vm = v->vm;

	if (MM_LIKELY(result == MM_FAULT_MAPPED) || result == MM_FAULT_UNSHARED)
		return;
	if (result == MM_FAULT_SPURIOUS)
		on_spurious_fault(v, exit);
	else if (result == MM_FAULT_IS_DEVICE && !exit->fault.stage1_walk)
		on_mmio(v, exit);
	else if (vm->hooks == NULL || !vm->hooks->repair(vm->hooks->ctx, v, exit))
		kill(v, exit, kill_for_fault(result), exit->fault.gpa);
}

/* True: a test moves the vCPU to another CPU now. */
static MM_NOINLINE bool on_watched_fault(struct vm_vcpu *v, const struct vm_exit *exit)
{
	after_fault(v, exit, trace_fault(v, &exit->fault));
	return v->next_cpu != atomic_load(&v->cpu);
}

/* True: the slice ends. */
static bool on_nested_fault(struct vm_vcpu *v, const struct vm_exit *exit)
{
	if (MM_UNLIKELY(v->vm->watched))
		return on_watched_fault(v, exit);
	after_fault(v, exit, mm_aspace_fault(&v->vm->as, exit->fault.gpa, exit->fault.access));
	return false;
}

/* --- registers, ports, firmware --- */

static void on_port(struct vm_vcpu *v, const struct vm_exit *exit)
{
	struct mm_device_bus *bus = &v->vm->bus;
	const struct vm_exit_port *port = &exit->port;
	mm_port_t at = mm_port_at(port->port);
	enum mm_width width = (enum mm_width)port->width;
	uint64_t value = UINT64_MAX; /* of a read without a device */
	enum mm_error error;

	if (port->string) {
		kill(v, exit, KILL_MMIO_UNDECODED, mm_gpa_at(port->port));
		return;
	}
	if (port->write)
		error = mm_device_bus_write_port(bus, at, width, port->value);
	else
		error = mm_device_bus_read_port(bus, at, width, &value);
	/* MM_INVALID: the access extends beyond port 0xffff (SDM vol. 1, 19.3). */
	if (error != MM_OK && error != MM_NOT_MAPPED && error != MM_INVALID)
		kill(v, exit, KILL_MMIO_REFUSED, mm_gpa_at(port->port));
	else
		v->vm->ops->skip(&v->vcpu, exit, value);
}

/* A system register that is not emulated does not exist for the guest. */
static void on_sysreg(struct vm_vcpu *v, const struct vm_exit *exit)
{
	struct mm_device_bus *bus = &v->vm->bus;
	mm_sysreg_t reg = mm_sysreg_at(exit->sysreg.reg);
	uint64_t value = 0;
	enum mm_error error;

	if (exit->sysreg.write)
		error = mm_device_bus_write_sysreg(bus, reg, exit->sysreg.value);
	else
		error = mm_device_bus_read_sysreg(bus, reg, &value);
	if (error == MM_OK)
		v->vm->ops->skip(&v->vcpu, exit, value);
	else
		v->vm->ops->inject_undefined(&v->vcpu);
}

/* The guest's timer has expired, or its slice has ended. */
static void on_deadline(struct vm_vcpu *v)
{
	if (machine_ticks() >= v->timer) {
		v->timer = UINT64_MAX;
		v->vm->ops->set_interrupt(&v->vcpu, true);
	}
}

/* --- the loop --- */

/* An exit that is neither a nested fault nor a hypercall. */
static MM_NOINLINE enum stop on_rare_exit(struct vm_vcpu *v, const struct vm_exit *exit)
{
	struct vm *vm = v->vm;

	if (exit->kind == VM_EXIT_FIRMWARE || exit->kind == VM_EXIT_PORT ||
	    exit->kind == VM_EXIT_SYSREG || exit->kind == VM_EXIT_UNDEFINED)
		atomic_fetch_add_explicit(&vm->calls, 1, memory_order_relaxed);
	switch (exit->kind) {
	case VM_EXIT_FIRMWARE:
		vm->ops->call_return(&v->vcpu, vm->ops->firmware_unknown, 0);
		break;
	case VM_EXIT_PORT:
		on_port(v, exit);
		break;
	case VM_EXIT_SYSREG:
		on_sysreg(v, exit);
		break;
	case VM_EXIT_HALT:
		vm->ops->skip(&v->vcpu, exit, 0);
		return STOP_WAIT;
	case VM_EXIT_INTERRUPT:
		break;
	case VM_EXIT_DEADLINE:
		on_deadline(v);
		return STOP_SLICE;
	case VM_EXIT_UNDEFINED:
		vm->ops->inject_undefined(&v->vcpu);
		break;
	case VM_EXIT_SHUTDOWN:
		kill(v, exit, KILL_SHUTDOWN, mm_gpa_at(0));
		break;
	case VM_EXIT_MISCONFIG:
		kill(v, exit, KILL_MISCONFIG, exit->fault.gpa);
		break;
	default:
		kill(v, exit, KILL_FAILURE, mm_gpa_at(0));
		break;
	}
	return STOP_ENDED; /* run_vcpu() goes on unless the VM has ended */
}

static MM_NOINLINE enum stop run_vcpu(struct vm_vcpu *v, uint64_t deadline)
{
	struct vm *vm = v->vm;
	const struct virt_ops *ops = vm->ops;
	struct vm_exit exit;

	while (MM_LIKELY(vm_outcome(vm) == VM_RUNNING) && MM_LIKELY(!v->exited)) {
		ops->run(&v->vcpu, deadline < v->timer ? deadline : v->timer, &exit);
		if (MM_UNLIKELY(vm->watched))
			trace_exit(v, &exit);
		switch (exit.kind) {
		case VM_EXIT_NESTED_FAULT:
			if (MM_UNLIKELY(on_nested_fault(v, &exit)))
				return STOP_SLICE;
			break;
		case VM_EXIT_HYPERCALL:
			if (MM_UNLIKELY(hypercall(v, &exit.call)))
				return STOP_WAIT;
			break;
		default: {
			enum stop stop = on_rare_exit(v, &exit);

			if (stop != STOP_ENDED)
				return stop;
		}
		}
	}
	return STOP_ENDED;
}

/* --- CPUs --- */

/* The VMs of a run, and their vCPUs. Each vCPU has the CPU that runs it: vm_vcpu.cpu. */
struct group {
	struct vm *const *vms;
	size_t vm_count;
	struct vm_vcpu *vcpus[VM_RUN_VCPUS];
	unsigned count;
	unsigned cpus; /* CPUs that take part: 0 to cpus - 1 */
	bool moves;    /* vCPUs move between the CPUs */
};

/* The deadline of a vCPU that is alone on its CPU changes only when it has passed, because a new
 * deadline is slow (vcpu.h). */
static uint64_t slice_end(struct vm_vcpu *v, bool alone)
{
	uint64_t now = machine_ticks();

	hang_enter(v, now);
	if (!alone)
		v->slice_end = now + machine_ticks_per_second() / SLICES_PER_SECOND;
	else if (now >= v->slice_end)
		v->slice_end = now + hang_slice(v->vm);
	return v->slice_end;
}

static MM_NOINLINE void end_hung(struct vm_vcpu *v, enum vm_kill reason)
{
	struct vm_exit exit = {.kind = VM_EXIT_DEADLINE, .pc = v->vm->ops->pc(&v->vcpu)};

	kill(v, &exit, reason, mm_gpa_at(0));
}

/* The vCPU that each CPU ran last; NULL: the CPU is idle. For run_report_cpus(). */
static struct vm_vcpu *_Atomic on_cpu[MACHINE_MAX_CPUS];

static void note_slice(struct vm_vcpu *v, unsigned cpu)
{
	atomic_store_explicit(&v->seen_pc, v->vm->ops->pc(&v->vcpu), memory_order_relaxed);
	atomic_store(&on_cpu[cpu], v);
	machine_allow_stop();
}

/* Gives a vCPU to its next CPU. That CPU sees everything that was done here. waits: the vCPU has
 * given the rest of its slice away. */
static void move_on(struct vm_vcpu *v, unsigned cpu, bool waits)
{
	const struct vm *vm = v->vm;

	if (vm->moves == VM_WANDERS && waits && v->next_cpu == cpu)
		v->next_cpu = (cpu + 1) % vm->host->cpus;
	if (v->next_cpu == cpu)
		return;
	if (vm->ops->park != NULL)
		vm->ops->park(&v->vcpu);
	atomic_store(&v->cpu, v->next_cpu);
}

/* Runs one slice of a vCPU. True: it has not ended. */
static bool run_slice(struct vm_vcpu *v, bool alone)
{
	unsigned cpu = machine_cpu_index();
	enum stop stop;

	note_slice(v, cpu);
	stop = run_vcpu(v, slice_end(v, alone));
	/* No other vCPU needs this CPU, but other CPUs of an emulator may need the host's. */
	if (stop == STOP_WAIT && alone)
		machine_pause();
	wait_alive(cpu);
	wait_watch(cpu);
	if (stop == STOP_ENDED)
		return false;
	switch (hang_check(v, stop == STOP_WAIT)) {
	case HANG_NO_PROGRESS:
		end_hung(v, KILL_HANG);
		break;
	case HANG_TOO_LONG:
	case HANG_BUDGET:
		end_hung(v, KILL_BUDGET);
		break;
	default:
		break;
	}
	move_on(v, cpu, stop == STOP_WAIT);
	return true;
}

/* Notes the place of a vCPU whose VM did not end by itself, for reports. On the CPU that ran it. */
static void note_place(struct vm_vcpu *v)
{
	struct vm *vm = v->vm;
	uint64_t bytes;
	mm_gpa_t at;

	if (v->exited || (vm_outcome(vm) == VM_EXITED && vm->exit_status == 0))
		return;
	v->last_cpu = machine_cpu_index();
	v->last_pc = vm->ops->pc(&v->vcpu);
	v->last_code_bytes = 0;
	if (vm->ops->translate(&v->vcpu, mm_gva_at(v->last_pc), MM_X, &at) != MM_OK)
		return;
	bytes = MM_PAGE_SIZE - at.raw % MM_PAGE_SIZE;
	if (bytes > VM_CODE_BYTES)
		bytes = VM_CODE_BYTES;
	if (mm_aspace_read(&vm->as, at, v->last_code, (size_t)bytes) == MM_OK)
		v->last_code_bytes = (unsigned)bytes;
}

static bool has_ended(const struct group *group)
{
	for (size_t i = 0; i < group->vm_count; i++) {
		if (vm_outcome(group->vms[i]) == VM_RUNNING)
			return false;
	}
	return true;
}

/* One slice of each vCPU of this CPU. True: one of them has not ended. */
static bool run_round(struct group *group, unsigned cpu)
{
	/* Without moves, the CPUs have vCPUs in turn: cpu, cpu + cpus, ... */
	bool alone = !group->moves && cpu + group->cpus >= group->count, more = false;

	for (unsigned i = 0; i < group->count; i++) {
		struct vm_vcpu *v = group->vcpus[i];

		if (atomic_load(&v->cpu) == cpu && run_slice(v, alone))
			more = true;
	}
	return more;
}

/* Waits a moment for a vCPU that may move here. False: none will. */
static bool await_move(const struct group *group, unsigned cpu)
{
	if (!group->moves || has_ended(group))
		return false;
	wait_alive(cpu);
	wait_watch(cpu);
	machine_pause();
	return true;
}

static void run_on_this_cpu(void *arg)
{
	struct group *group = arg;
	unsigned cpu = machine_cpu_index();

	while (run_round(group, cpu) || await_move(group, cpu))
		continue;
	for (unsigned i = 0; i < group->count; i++) {
		struct vm_vcpu *v = group->vcpus[i];

		if (atomic_load(&v->cpu) != cpu)
			continue;
		note_place(v);
		if (v->vm->ops->park != NULL)
			v->vm->ops->park(&v->vcpu);
	}
	atomic_store(&on_cpu[cpu], NULL);
}

/* --- the report on a hang --- */

static void report_cpu(unsigned cpu)
{
	char place[48] = "pc=unknown, it cannot be interrupted there", guest[96] = "no guest";
	const struct vm_vcpu *v = atomic_load(&on_cpu[cpu]);
	uint64_t pc;

	if (cpu == machine_cpu_index())
		format_string(place, sizeof(place), "pc=0x%" PRIx64 ", it reports this",
		              (uint64_t)(uintptr_t)report_cpu);
	else if (machine_stop_cpu(cpu, &pc))
		format_string(place, sizeof(place), "pc=0x%" PRIx64, pc);
	if (v != NULL)
		format_string(guest, sizeof(guest), "guest vm=%s vcpu=%u pc=0x%" PRIx64,
		              v->vm->config->name, v->vcpu.index,
		              atomic_load_explicit(&v->seen_pc, memory_order_relaxed));
	log_raw("# cpu %u: hypervisor %s; %s", cpu, place, guest);
}

void run_report_cpus(void)
{
	for (unsigned cpu = 0; cpu < machine_cpu_count(); cpu++)
		report_cpu(cpu);
}

/*
 * Has each kick arrived? The other CPUs are idle, and this one takes its pending kicks. A kick
 * that has not arrived after WAIT_KICK rounds (wait_limit.h) was lost.
 */
static void settle_kicks(unsigned cpu)
{
	struct wait_limit limit;

	wait_begin(&limit, machine_cpu_index(), cpu);
	while (kick_owed(cpu) && wait_more(&limit, WAIT_KICK))
		machine_pause();
	if (kick_owed(cpu))
		wait_complain(kick_forgive(cpu) == KICK_FLUSH ? "the kick of a flush was lost"
		                                              : "a kick was lost",
		              cpu);
}

static uint64_t first_run; /* machine_cycles(); 0: no VM has run yet */

uint64_t vm_first_run(void)
{
	return first_run;
}

static void begin(struct vm *vm)
{
	vm->watched = vm->trace != NULL || log_level >= LOG_FAULTS;
	hang_begin(vm);
}

/* Lists the vCPUs of all VMs. */
static void gather(struct group *group)
{
	for (size_t i = 0; i < group->vm_count; i++) {
		struct vm *vm = group->vms[i];

		begin(vm);
		if (vm->moves != VM_STAYS)
			group->moves = true;
		ASSERT(group->count + vm->vcpu_count <= VM_RUN_VCPUS);
		for (unsigned j = 0; j < vm->vcpu_count; j++)
			group->vcpus[group->count++] = &vm->vcpus[j];
	}
}

/* Chooses the CPU on which each vCPU begins. */
static void place(struct group *group, unsigned host_cpus)
{
	ASSERT(host_cpus != 0);
	group->cpus = group->moves || host_cpus < group->count ? host_cpus : group->count;
	for (unsigned i = 0; i < group->count; i++) {
		unsigned cpu = group->moves ? 0 : i % group->cpus;

		group->vcpus[i]->next_cpu = cpu;
		atomic_store(&group->vcpus[i]->cpu, cpu);
	}
}

void vm_run_all(struct vm *const vms[], size_t count)
{
	struct group group = {.vms = vms, .vm_count = count};
	unsigned host_cpus = vms[0]->host->cpus;

	gather(&group);
	place(&group, host_cpus);
	if (first_run == 0)
		first_run = machine_cycles();
	for (unsigned cpu = 1; cpu < group.cpus; cpu++)
		cpu_work_give(cpu, run_on_this_cpu, &group);
	run_on_this_cpu(&group);
	for (unsigned cpu = 1; cpu < group.cpus; cpu++)
		cpu_work_wait(cpu);
	for (unsigned cpu = 0; cpu < host_cpus; cpu++)
		settle_kicks(cpu);
}

void vm_run(struct vm *vm)
{
	vm_run_all(&vm, 1);
}
