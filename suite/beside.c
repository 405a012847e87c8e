/* SPDX-License-Identifier: BSD-2-Clause */
/* See beside.h. */
#include "suite/beside.h"

#include "kernel/run.h"
#include "suite/compare.h"
#include "suite/mailbox.h"

#define ARENA_PAGES 64
#define PATTERN     UINT64_C(0x6e65696768626f72)

/* It uses the same addresses that hostile guests attack. */
const struct suite_op beside_neighbour[] = {
	FILL(ARENA, 16, PAGE, PATTERN),
	SPIN(2000),
	CHECK(ARENA, 16, PAGE, PATTERN),
	CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0),
	FILL(ARENA + 8, 32, PAGE, ~PATTERN),
	CALL(GUEST_YIELD, 0, 0, GUEST_OK, 0),
	CHECK(ARENA, 16, PAGE, PATTERN),
	SPIN(2000),
	CHECK(ARENA + 8, 32, PAGE, ~PATTERN),
	ZEROS(ARENA + 16, 16, PAGE),
	{OP(END)},
};

static struct vm vms[SUITE_BESIDE];
static struct vm_config configs[SUITE_BESIDE];

size_t beside_count(const struct suite_run *run)
{
	size_t n = 0;

	while (n < SUITE_BESIDE && run->c->beside[n] != NULL)
		n++;
	return n;
}

struct vm *beside_vm(size_t index)
{
	return &vms[index];
}

static bool make(struct suite_run *run, size_t index, const struct suite_op *script)
{
	struct vm *vm = &vms[index];
	struct mm_aspace_backing lazy = {.populate = false};
	struct mm_gpa_range arena = mm_gpa_range(mm_gpa_at(ARENA), ARENA_PAGES * PAGE);

	configs[index] = (struct vm_config){.name = "beside", .geometry = suite_geometry()};
	if (!guest_image_find("agent", &configs[index].image) ||
	    !vm_create(vm, run->host, &configs[index]))
		return suite_fail(run, "no VM beside: %s", vm->error);
	vm->moves = run->c->moves;
	if (mm_aspace_map_alloc(&vm->as, arena, MM_RWX, lazy) == MM_OK &&
	    suite_write_script(vm, 0, script))
		return true;
	(void)vm_destroy(vm);
	return suite_fail(run, "no memory for a VM beside");
}

static void judge(struct suite_run *run, size_t index, const struct suite_op *script)
{
	const struct vm *vm = &vms[index];

	if (vm->outcome != VM_EXITED || vm->exit_status != 0)
		suite_fail(run, "a VM beside was killed: %s", vm_kill_name(vm->reason));
	compare_script(run, "beside", script, suite_read_mailbox(&vms[index], 0),
	               script_length(script));
	(void)vm_destroy(&vms[index]);
}

bool beside_intact(struct suite_run *run, size_t index)
{
	for (uint64_t at = ARENA; at < ARENA + 32 * PAGE; at += PAGE) {
		uint64_t first = at < ARENA + 16 * PAGE ? PATTERN ^ at : 0;
		uint64_t words[3] = {0};

		if (mm_aspace_read(&vms[index].as, mm_gpa_at(at), words, sizeof(words)) != MM_OK ||
		    words[0] != first || words[1] != (~PATTERN ^ (at + 8)) || words[2] != 0)
			return suite_fail(run, "the neighbour's page at 0x%" PRIx64 " has changed",
			                  at);
	}
	return true;
}

bool beside_begin(struct suite_run *run)
{
	for (size_t i = 0; i < beside_count(run); i++) {
		if (make(run, i, run->c->beside[i]))
			continue;
		while (i-- > 0)
			(void)vm_destroy(&vms[i]);
		return false;
	}
	return true;
}

void beside_end(struct suite_run *run)
{
	for (size_t i = 0; i < beside_count(run); i++)
		judge(run, i, run->c->beside[i]);
}

bool beside_alone(struct suite_run *run, const struct suite_op *script, uint32_t *tag)
{
	unsigned complaints = run->complaints;

	if (!make(run, 0, script))
		return false;
	*tag = vms[0].tag;
	vm_run(&vms[0]);
	judge(run, 0, script);
	return run->complaints == complaints;
}
