/* SPDX-License-Identifier: BSD-2-Clause */
/* Bare guests, see bare.h, and filters of their traps, see filter.h. */
#include "suite/riscv64/bare.h"

#include "cpu_work.h"
#include "kernel/string.h"
#include "machine.h"
#include "machine/riscv64/csr.h"
#include "suite/riscv64/filter.h"
#include "wait_limit.h"

/* For hangs only: seconds of a machine that is not slow (wait_limit.h). */
#define LIMIT_SECONDS 4

static struct vm machines[BARE_VMS];
static struct vm_config configs[BARE_VMS];

static bool place_vcpu(struct vm *vm, unsigned index)
{
	struct vcpu *vcpu = &vm->vcpus[index].vcpu;
	struct vcpu_config config = {
		.as = &vm->as,
		.index = index,
		.entry = BARE_BASE(index),
		.args = {BARE_BASE(index) + BARE_DATA, BARE_A1},
	};

	vm->ops->destroy(vcpu);
	return vm->ops->create(vcpu, &config) == MM_OK;
}

static bool make(struct suite_run *run, unsigned number, unsigned vcpus)
{
	struct vm *vm = &machines[number];
	struct mm_aspace_backing populated = {.populate = true};
	struct mm_gpa_range arena = mm_gpa_range(mm_gpa_at(GUEST_ARENA_BASE), vcpus * BARE_BYTES);

	configs[number] = (struct vm_config){
		.name = "bare",
		.vcpus = vcpus,
		.geometry = suite_geometry(),
	};
	if (!guest_image_find("agent", &configs[number].image) ||
	    !vm_create(vm, run->host, &configs[number]))
		return suite_fail(run, "no VM: %s", vm->error);
	if (mm_aspace_map_alloc(&vm->as, arena, MM_RWX, populated) == MM_OK)
		return true;
	(void)vm_destroy(vm);
	return suite_fail(run, "no memory for a bare guest");
}

bool bare_begin(struct suite_run *run, unsigned vms, unsigned vcpus, struct bare *out)
{
	for (unsigned i = 0; i < vms; i++) {
		if (!make(run, i, vcpus)) {
			bare_end(i);
			return false;
		}
		for (unsigned j = 0; j < vcpus; j++) {
			*out++ = (struct bare){
				.run = run,
				.vm = &machines[i],
				.vcpu = &machines[i].vcpus[j].vcpu,
				.base = BARE_BASE(j),
				.data = BARE_BASE(j) + BARE_DATA,
			};
			if (place_vcpu(&machines[i], j))
				continue;
			bare_end(i + 1);
			return suite_fail(run, "no vCPU");
		}
	}
	return true;
}

void bare_end(unsigned vms)
{
	while (vms-- > 0)
		(void)vm_destroy(&machines[vms]);
}

bool bare_restart(struct bare *b)
{
	return place_vcpu(b->vm, b->vcpu->index) || suite_fail(b->run, "no vCPU");
}

/* --- memory --- */

void bare_write(struct bare *b, uint64_t gpa, const void *from, size_t bytes)
{
	if (mm_aspace_write(&b->vm->as, mm_gpa_at(gpa), from, bytes) != MM_OK)
		suite_fail(b->run, "no guest memory at 0x%" PRIx64, gpa);
}

void bare_read(struct bare *b, uint64_t gpa, void *to, size_t bytes)
{
	if (mm_aspace_read(&b->vm->as, mm_gpa_at(gpa), to, bytes) != MM_OK)
		suite_fail(b->run, "no guest memory at 0x%" PRIx64, gpa);
}

void bare_put(struct bare *b, uint64_t gpa, uint64_t word)
{
	bare_write(b, gpa, &word, sizeof(word));
}

uint64_t bare_get(struct bare *b, uint64_t gpa)
{
	uint64_t word = 0;

	bare_read(b, gpa, &word, sizeof(word));
	return word;
}

void bare_code(struct bare *b, const struct code *code)
{
	bare_write(b, b->base, code->insns, code->count * sizeof(code->insns[0]));
}

/* --- running --- */

/* One second; false: the guest has not exited in that time. */
static bool run_round(struct bare *b)
{
	do {
		b->vm->ops->run(b->vcpu, machine_ticks() + machine_ticks_per_second(), &b->exit);
		wait_alive(machine_cpu_index());
	} while (b->exit.kind == VM_EXIT_INTERRUPT);
	return b->exit.kind != VM_EXIT_DEADLINE;
}

bool bare_run(struct bare *b)
{
	uint64_t used = 0;

	while (!run_round(b)) {
		used += wait_round_worth();
		if (used >= LIMIT_SECONDS * machine_ticks_per_second())
			return suite_fail(b->run, "the guest did not exit: pc=0x%" PRIx64,
			                  b->exit.pc);
	}
	return true;
}

static void run_and_park(void *arg)
{
	struct bare *b = arg;

	(void)bare_run(b);
	b->vm->ops->park(b->vcpu);
}

bool bare_run_on(struct bare *b, unsigned cpu)
{
	if (cpu == machine_cpu_index()) {
		run_and_park(b);
	} else {
		b->vm->ops->park(b->vcpu);
		cpu_work_give(cpu, run_and_park, b);
		cpu_work_wait(cpu);
	}
	return b->exit.kind != VM_EXIT_DEADLINE;
}

static bool is_call(struct bare *b)
{
	if (b->exit.kind == VM_EXIT_FIRMWARE || b->exit.kind == VM_EXIT_HYPERCALL)
		return true;
	return suite_fail(b->run,
	                  "expected an ecall, got exit %d at pc=0x%" PRIx64 " scause=%" PRIu64
	                  " stval=0x%" PRIx64,
	                  (int)b->exit.kind, b->exit.pc, b->exit.raw[0], b->exit.raw[1]);
}

bool bare_call(struct bare *b)
{
	return bare_run(b) && is_call(b);
}

bool bare_call_on(struct bare *b, unsigned cpu)
{
	return bare_run_on(b, cpu) && is_call(b);
}

/* --- registers --- */

uint64_t bare_register(struct bare *b, const char *name)
{
	struct vcpu_register registers[VCPU_REGISTERS];
	size_t count = b->vm->ops->registers(b->vcpu, registers);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(registers[i].name, name) == 0)
			return registers[i].value;
	}
	suite_fail(b->run, "the kill report has no register %s", name);
	return 0;
}

bool bare_expect(struct suite_run *run, const char *what, const char *name, uint64_t got,
                 uint64_t expected)
{
	if (got == expected)
		return true;
	return suite_fail(run, "%s: %s: expected 0x%" PRIx64 ", got 0x%" PRIx64, what, name,
	                  expected, got);
}

bool bare_expect_register(struct bare *b, const char *name, uint64_t expected)
{
	return bare_expect(b->run, "report", name, bare_register(b, name), expected);
}

/* --- filters: filter.h --- */

static uint64_t vector; /* 0: no filter */

void filter_begin(void (*filter)(void))
{
	vector = csr_read(stvec);
	csr_write(stvec, (uint64_t)(uintptr_t)filter);
}

void filter_end(void)
{
	if (vector != 0)
		csr_write(stvec, vector);
	vector = 0;
}
