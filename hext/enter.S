/*
 * Into the guest and out again.
 *
 * sscratch is 0 while the hypervisor runs and points at the vCPU while the guest does: the trap
 * vector tells the two apart by it. The guest's CSRs stay in the hart: see hext.h.
 */
#include "hext/offsets.h"

/* What a function of C keeps for its caller, on the stack from entry to exit. */
#define FRAME_BYTES 112
#define FRAME_RA    96

	.text

/*
 * uint64_t hext_enter(struct hext_vcpu *v): a0 = the vCPU, which is loaded on this hart. Comes
 * back with scause when the guest traps.
 */
	.balign 64
	.globl hext_enter
hext_enter:
	/* 1. The hypervisor's registers. tp was noted when the vCPU was loaded. */
	addi	sp, sp, -FRAME_BYTES
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd	s\n, (8 * \n)(sp)
	.endr
	sd	ra, FRAME_RA(sp)
	sd	sp, VCPU_HOST_SP(a0)

	/* 2. The guest's, a0 last. */
	csrw	sscratch, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,10
	ld	x\n, VCPU_X(\n)(a0)
	.endr

	/* 3. sstatus.SPP, hstatus.SPV and sepc are the guest's: to VS or VU at its pc. */
	sret

/* The trap vector of a hart that runs guests. */
	.balign 64
	.globl hext_trap
hext_trap:
	/* 1. From the guest? Then a0 becomes its vCPU, and sscratch holds its a0. */
	csrrw	a0, sscratch, a0
	beqz	a0, 1f

	/* 2. The guest's registers. */
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, VCPU_X(\n)(a0)
	.endr
	csrrw	t0, sscratch, zero
	sd	t0, VCPU_X(10)(a0)

	/* 3. The hypervisor's, and back to the caller of hext_enter. */
	ld	sp, VCPU_HOST_SP(a0)
	ld	tp, VCPU_HOST_TP(a0)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld	s\n, (8 * \n)(sp)
	.endr
	ld	ra, FRAME_RA(sp)
	addi	sp, sp, FRAME_BYTES
	csrr	a0, scause
	ret

	/* 4. From the hypervisor itself: sscratch is 0 again, and the machine layer's vector
	 *    sees every register as it was. */
1:	csrrw	a0, sscratch, a0
	j	host_trap
