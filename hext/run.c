/*
 * One stay in the guest, and what ended it.
 *
 * A hypercall's round trip through here is counted in instructions (make bench, T1): the common
 * causes are asked for first, and nothing is read that the exit does not need.
 */
#include "hext/run.h"

#include "decode/riscv64_insn.h"
#include "guests/abi.h"
#include "hext/fields.h"
#include "hext/guest_walk.h"
#include "hext/hext.h"
#include "hext/virtual_insn.h"
#include "machine/riscv64/smp.h"
#include "machine/riscv64/timer.h"
#include "mm/bits.h"

/* Registers by the names of the calling convention, in x[]. */
enum {
	A0 = 10,
	A1 = 11,
	A2 = 12,
	A3 = 13,
	A4 = 14,
	A6 = 16,
	A7 = 17,
};

/* The ecall is four bytes long, whatever the extensions: there is no compressed form. */
#define ECALL_BYTES 4

static void decode_call(struct hext_vcpu *v, struct vm_exit *exit)
{
	struct vm_exit_call *call = &exit->call;

	csr_write(sepc, exit->pc + ECALL_BYTES);
	call->args[0] = v->x[A0];
	call->args[1] = v->x[A1];
	call->args[2] = v->x[A2];
	if (MM_LIKELY(v->x[A7] == GUEST_SBI_EXTENSION)) {
		exit->kind = VM_EXIT_HYPERCALL;
		call->function = v->x[A6];
		return;
	}
	exit->kind = VM_EXIT_FIRMWARE;
	call->function = v->x[A7];
	call->args[3] = v->x[A3];
	call->args[4] = v->x[A4];
	call->args[5] = v->x[A6];
	call->smc = false;
}

/* What the guest did, by scause; MM_NONE: it was no guest-page fault. */
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

/* 8.6.3: the access was one of the VS-stage walk's own. htval is where the entry is; scause and
 * stval are of what the guest did. */
static void decode_walk(uint64_t htinst, struct vm_exit *exit)
{
	if (htinst != HTINST_WALK_READ && htinst != HTINST_WALK_WRITE)
		return;
	exit->fault.stage1_walk = true;
	exit->fault.access = htinst == HTINST_WALK_WRITE ? MM_W : MM_R;
	exit->fault.gpa = gpa_align_down(exit->fault.gpa, 4);
}

/* 8.2.9: an implementation may leave htval 0; then the guest's tables say where stval leads. What
 * they forbid would not have come here. */
static MM_NOINLINE void find_gpa(struct hext_vcpu *v, struct vm_exit *exit)
{
	struct vm_exit_fault *fault = &exit->fault;
	gpa_t gpa;

	if (!fault->stage1_walk && walk_translate(v, fault->gva, fault->access, &gpa) == MM_OK)
		fault->gpa = gpa;
}

/* 8.6.2: where a guest-page fault was. htval is the guest-physical address >> 2, and the two bits
 * below are stval's. */
static MM_ALWAYS_INLINE void decode_fault(struct hext_vcpu *v, enum mm_perm access,
                                          struct vm_exit *exit)
{
	struct vm_exit_fault *fault = &exit->fault;
	uint64_t stval = csr_read(stval), htval = csr_read(htval), htinst = csr_read(htinst);

	exit->raw[1] = stval;
	exit->raw[2] = htval;
	exit->raw[3] = htinst;
	exit->kind = VM_EXIT_NESTED_FAULT;
	fault->gpa = gpa_at(htval << 2 | (stval & 3));
	fault->gva = gva_at(stval);
	fault->access = access;
	fault->gva_valid = true;
	fault->gpa_is_page = false;
	fault->stage1_walk = false;
	fault->present = false;
	if (MM_UNLIKELY(htinst != 0))
		decode_walk(htinst, exit);
	if (MM_UNLIKELY(htval == 0))
		find_gpa(v, exit);
}

static void decode_interrupt(uint64_t scause, struct vm_exit *exit)
{
	switch (scause & ~SCAUSE_INTERRUPT) {
	case IRQ_TIMER:
		exit->kind = timer_is_due(this_cpu()) ? VM_EXIT_DEADLINE : VM_EXIT_INTERRUPT;
		return;
	case IRQ_SOFTWARE:
		smp_take_kick();
		exit->kind = VM_EXIT_INTERRUPT;
		return;
	default:
		exit->kind = VM_EXIT_FAILURE;
		exit->failure = "an interrupt that was not enabled";
		return;
	}
}

static MM_NOINLINE void decode_rest(struct hext_vcpu *v, uint64_t scause, struct vm_exit *exit)
{
	exit->raw[1] = csr_read(stval);
	exit->raw[2] = csr_read(htval);
	exit->raw[3] = csr_read(htinst);
	if ((scause & SCAUSE_INTERRUPT) != 0) {
		decode_interrupt(scause, exit);
		return;
	}
	switch (scause) {
	case CAUSE_VIRTUAL_INSTRUCTION:
		virtual_insn_decode(v, exit);
		return;
	case CAUSE_ILLEGAL: /* of a hart that does not delegate it */
		exit->kind = VM_EXIT_UNDEFINED;
		return;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		exit->kind = VM_EXIT_FAILURE;
		exit->failure = "access fault: the host-physical address refuses the access";
		return;
	default:
		exit->kind = VM_EXIT_FAILURE;
		exit->failure = "a trap of an unexpected cause";
		return;
	}
}

void hext_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit)
{
	struct hext_vcpu *v = vcpu->arch;
	struct cpu *cpu = this_cpu();
	uint64_t scause;

	if (MM_UNLIKELY(cpu->guest != v))
		state_load(cpu, v);
	timer_set(cpu, deadline);

	scause = hext_enter(v);

	exit->pc = csr_read(sepc);
	exit->raw[0] = scause;
	if (MM_LIKELY(scause == CAUSE_ECALL_VS)) {
		decode_call(v, exit);
		return;
	}

	enum mm_perm access = access_of(scause);

	if (MM_LIKELY(access != MM_NONE))
		decode_fault(v, access, exit);
	else
		decode_rest(v, scause, exit);
}
