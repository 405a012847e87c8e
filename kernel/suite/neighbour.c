/* See neighbour.h. Its script touches the very addresses that hostile guests go for. */
#include "kernel/suite/neighbour.h"

#include "kernel/suite/mailbox.h"

#define PATTERN UINT64_C(0x6e65696768626f72)

static const struct suite_op script[] = {
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

static struct vm vm;
static struct vm_config config;

struct vm *neighbour_vm(void)
{
	return &vm;
}

bool neighbour_begin(struct suite_run *run)
{
	config = (struct vm_config){.name = "neighbour", .geometry = suite_geometry()};
	if (!guest_image_find("agent", &config.image) || !vm_create(&vm, run->host, &config))
		return suite_fail(run, "no neighbour: %s", vm.error);
	if (aspace_map_alloc(&vm.as, gpa_range(gpa_at(ARENA), 64 * PAGE), MM_RW,
	                     (struct aspace_backing){.populate = false}) == MM_OK &&
	    suite_write_script(&vm, 0, script))
		return true;
	(void)vm_destroy(&vm);
	return suite_fail(run, "no memory for the neighbour");
}

void neighbour_end(struct suite_run *run)
{
	const struct agent_mailbox *mailbox = suite_read_mailbox(&vm, 0);

	if (vm.outcome != VM_EXITED || vm.exit_status != 0)
		suite_fail(run, "the neighbour was killed: %s", vm_kill_name(vm.reason));
	if (mailbox->done != ARRAY_SIZE(script) - 1)
		suite_fail(run, "the neighbour did %u operations of %zu", mailbox->done,
		           ARRAY_SIZE(script) - 1);
	for (uint32_t i = 0; i < mailbox->done; i++) {
		if (mailbox->results[i].trap != AGENT_DONE || mailbox->results[i].value != 0)
			suite_fail(run, "the neighbour's operation %u answered 0x%" PRIx64, i,
			           mailbox->results[i].value);
	}
	(void)vm_destroy(&vm);
}
