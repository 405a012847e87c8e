/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides what an exit is, by scause: privileged manual, 8.6.
 *
 * The most frequent causes come first, and each path reads only the CSRs that it uses: a
 * hypercall's round trip through this file is counted in instructions (make bench, T1).
 */
#include "guests/abi.h"
#include "hext/hext.h"
#include "machine/riscv64/smp.h"
#include "machine/riscv64/timer.h"

_Static_assert(EXIT_RESUME == 0, "enter.S");

/* --- calls --- */

/* ecall has no compressed form. */
#define ECALL_BYTES 4

static enum exit_action decode_call(struct hext_vcpu *v, struct vm_exit *exit)
{
	struct vm_exit_call *call = &exit->call;

	csr_write(sepc, exit->pc + ECALL_BYTES);
	call->args[0] = v->x[X_A0];
	call->args[1] = v->x[X_A1];
	call->args[2] = v->x[X_A2];
	if (MM_LIKELY(v->x[X_A7] == GUEST_SBI_EXTENSION)) {
		exit->kind = VM_EXIT_HYPERCALL;
		call->function = v->x[X_A6];
		return EXIT_RETURN;
	}
	exit->kind = VM_EXIT_FIRMWARE;
	call->function = v->x[X_A7];
	call->args[3] = v->x[X_A3];
	call->args[4] = v->x[X_A4];
	call->args[5] = v->x[X_A6];
	call->smc = false;
	return EXIT_RETURN;
}

void hext_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second)
{
	struct hext_vcpu *v = hext_of(vcpu);

	v->x[X_A0] = first;
	v->x[X_A1] = second;
}

/* --- guest-page faults --- */

/* The guest's access, by scause. MM_NONE: this is no guest-page fault. */
static MM_ALWAYS_INLINE enum mm_perm access_of(uint64_t scause)
{
	switch (scause) {
	case CAUSE_FETCH_GUEST_PAGE:
		return MM_X;
	case CAUSE_LOAD_GUEST_PAGE:
		return MM_R;
	case CAUSE_STORE_GUEST_PAGE:
		return MM_W;
	default:
		return MM_NONE;
	}
}

/* 8.6.3: the VS-stage walk made the access. htval is the address of the entry; scause and stval
 * are those of the guest's own access. */
static void decode_walk(uint64_t htinst, struct vm_exit *exit)
{
	if (htinst != HTINST_WALK_READ && htinst != HTINST_WALK_WRITE)
		return;
	exit->fault.stage1_walk = true;
	exit->fault.access = htinst == HTINST_WALK_WRITE ? MM_W : MM_R;
	exit->fault.gpa = mm_gpa_align_down(exit->fault.gpa, 4);
}

/* 8.6.2: htval is the guest-physical address >> 2; stval has its two lowest bits. */
static MM_ALWAYS_INLINE enum exit_action decode_fault(enum mm_perm access, uint64_t htval,
                                                      struct vm_exit *exit)
{
	struct vm_exit_fault *fault = &exit->fault;
	uint64_t stval = csr_read(stval), htinst = csr_read(htinst);

	exit->raw[1] = stval;
	exit->raw[2] = htval;
	exit->raw[3] = htinst;
	exit->kind = VM_EXIT_NESTED_FAULT;
	fault->gpa = mm_gpa_at(htval << 2 | (stval & 3));
	fault->gva = mm_gva_at(stval);
	fault->access = access;
	fault->gva_valid = true;
	fault->gpa_is_page = false;
	fault->stage1_walk = false;
	fault->present = false;
	if (MM_UNLIKELY(htinst != 0))
		decode_walk(htinst, exit);
	return EXIT_RETURN;
}

/* 8.2.9: a hart may write 0 to htval. Then the guest's tables translate stval. They permit the
 * access, or the guest would have taken a page fault. */
static enum exit_action decode_fault_without_htval(struct hext_vcpu *v, enum mm_perm access,
                                                   struct vm_exit *exit)
{
	struct vm_exit_fault *fault = &exit->fault;
	enum exit_action action = decode_fault(access, 0, exit);
	mm_gpa_t gpa;

	if (!fault->stage1_walk && hext_guest_walk(v, fault->gva, fault->access, &gpa) == MM_OK)
		fault->gpa = gpa;
	return action;
}

/* --- interrupts, and all other causes --- */

static enum exit_action decode_interrupt(uint64_t scause, struct vm_exit *exit)
{
	switch (scause & ~SCAUSE_INTERRUPT) {
	case IRQ_TIMER:
		if (!timer_is_due(this_cpu()))
			return EXIT_RESUME;
		exit->kind = VM_EXIT_DEADLINE;
		return EXIT_RETURN;
	case IRQ_SOFTWARE:
		smp_take_kick();
		exit->kind = VM_EXIT_INTERRUPT;
		return EXIT_RETURN;
	default:
		return vm_exit_failure(exit, "an interrupt that was not enabled");
	}
}

static MM_NOINLINE enum exit_action decode_other(struct hext_vcpu *v, uint64_t scause,
                                                 struct vm_exit *exit)
{
	enum mm_perm access = access_of(scause);

	if (access != MM_NONE)
		return decode_fault_without_htval(v, access, exit);
	exit->raw[1] = csr_read(stval);
	exit->raw[2] = csr_read(htval);
	exit->raw[3] = csr_read(htinst);
	if ((scause & SCAUSE_INTERRUPT) != 0)
		return decode_interrupt(scause, exit);
	switch (scause) {
	case CAUSE_VIRTUAL_INSTRUCTION:
		return hext_decode_virtual_instruction(v, exit);
	case CAUSE_ILLEGAL: /* on a hart that does not delegate it */
		exit->kind = VM_EXIT_UNDEFINED;
		return EXIT_RETURN;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		return vm_exit_failure(
			exit, "access fault: the host-physical address refuses the access");
	default:
		return vm_exit_failure(exit, "a trap of an unexpected cause");
	}
}

enum exit_action hext_handle_exit(struct hext_vcpu *v, struct vm_exit *exit)
{
	uint64_t scause = csr_read(scause), htval;
	enum mm_perm access;

	exit->pc = csr_read(sepc);
	exit->raw[0] = scause;
	if (MM_LIKELY(scause == CAUSE_ECALL_VS))
		return decode_call(v, exit);
	access = access_of(scause);
	htval = csr_read(htval);
	if (MM_LIKELY(access != MM_NONE) && MM_LIKELY(htval != 0))
		return decode_fault(access, htval, exit);
	return decode_other(v, scause, exit);
}
