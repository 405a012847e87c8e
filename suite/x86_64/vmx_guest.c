/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the code of vmx_code.S and its IDT into a guest, and reads its record. */
#include "suite/x86_64/vmx_guest.h"

#define GATES          256U
#define GATE_INTERRUPT UINT64_C(0x8e00) /* SDM vol. 3A, figure 6-8: present, DPL 0 */
#define CODE_SELECTOR  UINT64_C(0x08)

static uint64_t idt[GATES][2];

static void build_idt(void)
{
	for (unsigned i = 0; i < VMX_STUBS; i++) {
		uint64_t at = CODE_AT(vmx_stubs) + 16 * i;

		idt[i][0] = (at & 0xffff) | CODE_SELECTOR << 16 | GATE_INTERRUPT << 32 |
		            (at >> 16 & 0xffff) << 48;
		idt[i][1] = at >> 32;
	}
}

bool vmx_put_code(struct suite_run *run)
{
	const uint64_t idtr[2] = {(sizeof(idt) - 1) | IDT << 16, IDT >> 48};
	uint64_t record = CODE_AT(vmx_record);
	size_t size = (size_t)(vmx_code_end - vmx_code);

	ASSERT(size <= CODE_PAGES * PAGE);
	build_idt();
	return mm_aspace_write(&run->vm->as, mm_gpa_at(CODE), vmx_code, size) == MM_OK &&
	       mm_aspace_write(&run->vm->as, mm_gpa_at(IDT), idt, sizeof(idt)) == MM_OK &&
	       mm_aspace_write(&run->vm->as, mm_gpa_at(record + RECORD_NEW), idtr, sizeof(idtr)) ==
	               MM_OK;
}

bool vmx_get_record(struct suite_run *run, struct vmx_record *out)
{
	if (mm_aspace_read(&run->vm->as, mm_gpa_at(CODE_AT(vmx_record)), out, sizeof(*out)) ==
	    MM_OK)
		return true;
	return suite_fail(run, "the record cannot be read");
}

uint64_t vmx_line_step(struct suite_run *run, uint64_t number)
{
	struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;

	vcpu->ops->set_interrupt(vcpu, number == VMX_RAISE);
	return 0;
}
