/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's walk of table formats that the agent, which is in long mode, does not use:
 * 32-bit and PAE paging, with large pages, and no paging (SDM vol. 3, 4.3 and 4.4). And the
 * register of a hypercall that has 32 bits.
 */
#include "machine/x86_64/bits.h"
#include "suite/x86_64/x86.h"
#include "x86/stage1.h"

#define LOW UINT64_C(0x80000000) /* CR3 has 32 bits */

#define ENTRIES_MOST 3

static const struct row {
	const char *name;
	uint64_t cr0, cr3, cr4;
	struct {
		uint64_t at, value; /* in the tables at LOW */
	} entries[ENTRIES_MOST];
	unsigned entry_size;
	uint64_t gva, gpa;
} rows[] = {
	{"off", 0, LOW, CR4_PAE, {{0, 0}}, 8, UINT64_C(0x7fff00001234), 0x1234},
	/* The table of PAE paging is aligned to 32 bytes. Bits 4:3 of CR3 are PCD and PWT. */
	{"pae",
         CR0_PG,
         (LOW + 0x7e0) | 0x18,
         CR4_PAE,
         {{0x7e8, (LOW + PAGE) | 1}, {PAGE + 8, (LOW + 2 * PAGE) | 7}, {2 * PAGE + 8, 0x12345007}},
         8,
         0x40201678,
         0x12345678},
	{"pae.2m",
         CR0_PG,
         LOW + 0x20,
         CR4_PAE,
         {{0x38, (LOW + PAGE) | 1}, {PAGE + 16, UINT64_C(0x155400087)}},
         8,
         0xc0412345,
         UINT64_C(0x155412345)},
	{"32-bit",
         CR0_PG,
         LOW | 0x18,
         0,
         {{12, (LOW + PAGE) | 7}, {PAGE + 12, 0x76543007}},
         4,
         0xc03456,
         0x76543456},
	/* Bits 39:32 of the address are in bits 20:13. */
	{"32-bit.4m",
         CR0_PG,
         LOW,
         CR4_PSE,
         {{20, 0x40006087}},
         4,
         0x1412345,
         UINT64_C(0x340012345)},
	/* Without CR4.PSE the same bit is ignored. */
	{"32-bit.no-pse",
         CR0_PG,
         LOW,
         0,
         {{20, (LOW + PAGE) | 0x87}, {PAGE + 72, 0x76543007}},
         4,
         0x1412345,
         0x76543345},
};

static uint64_t walk(struct suite_run *run, uint64_t number)
{
	const struct row *r = run->c->data;
	struct stage1 state = {.as = &run->vm->as, .cr0 = r->cr0, .cr3 = r->cr3, .cr4 = r->cr4};
	mm_gpa_t gpa = mm_gpa_at(0);
	enum mm_error error = MM_OK;

	(void)number;
	for (unsigned i = 0; i < ENTRIES_MOST && r->entries[i].value != 0 && error == MM_OK; i++)
		error = mm_aspace_write(&run->vm->as, mm_gpa_at(LOW + r->entries[i].at),
		                        &r->entries[i].value, r->entry_size);
	if (error == MM_OK)
		error = stage1_translate(&state, mm_gva_at(r->gva), MM_W, &gpa);
	if (error != MM_OK || gpa.raw != r->gpa)
		suite_fail(run, "%s, expected 0x%" PRIx64 ", got 0x%" PRIx64, mm_error_name(error),
		           r->gpa, gpa.raw);
	return 0;
}

/* NOT RAX; VMCALL or VMMCALL. The number is EAX. */
static void draft_call(const struct host *host, struct suite_draft *d)
{
	uint64_t code =
		x86_is_svm(host) ? UINT64_C(0x9090d9010fd0f748) : UINT64_C(0x9090c1010fd0f748);

	draft_name(d, "host.call.upper-half");
	draft_area(d, (struct suite_area)POPULATED(ARENA, PAGE, MM_RW));
	d->c.uncounted = true;
	draft_op(d, (struct suite_op)COPY_IDT(ARENA));
	draft_op(d, (struct suite_op)EVENT(code, AGENT_X86_MASKED, 0,
	                                   (uint32_t) ~(GUEST_X86_BASE | GUEST_NOP), 0));
	draft_op(d, (struct suite_op)AFTER(RAX, GUEST_OK));
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	if (index > MM_ARRAY_SIZE(rows))
		return false;
	if (index == MM_ARRAY_SIZE(rows)) {
		draft_call(host, d);
		return true;
	}
	draft_name(d, "host.walk.%s", rows[index].name);
	draft_area(d, (struct suite_area)POPULATED(LOW, 4 * PAGE, MM_RW));
	d->c.data = &rows[index];
	d->c.uncounted = true;
	d->c.step = walk;
	draft_op(d, (struct suite_op)STEP(0));
	return true;
}

const struct suite_subject suite_x86_formats = {
	.name = "host",
	.generate = generate,
	.generated = "host.",
};
