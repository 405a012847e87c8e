/*
 * Into the guest and out again.
 *
 * sscratch is 0 while the hypervisor runs and points at the vCPU while the guest does: the trap
 * vector tells the two apart by it. What of the guest stays in the registers all the while
 * (gp, s2..s11, its CSRs) is listed in vcpu_state.h.
 */
#include "hext/offsets.h"

	.text

/*
 * hext_enter: a0 = the vCPU, which is loaded on this hart. Comes back with a0 = the vCPU and
 * a1 = scause. Keeps sp and tp, and of the others only those that C does not use: its caller
 * (run.c) says so to the compiler, which saves what it needs of s0 and s1 itself.
 */
	.balign 64
	.globl hext_enter
hext_enter:
	/* 1. Where to go on. tp was noted when the vCPU was loaded. */
	sd	ra, VCPU_HOST_RA(a0)
	sd	sp, VCPU_HOST_SP(a0)

	/* 2. The guest's registers, a0 last. */
	csrw	sscratch, a0
	.irp	n, 1,2,4,5,6,7,8,9,11,12,13,14,15,16,17,28,29,30,31,10
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

	/* 2. The guest's registers that C may change. */
	.irp	n, 1,2,4,5,6,7,8,9,11,12,13,14,15,16,17,28,29,30,31
	sd	x\n, VCPU_X(\n)(a0)
	.endr
	csrrw	t0, sscratch, zero
	sd	t0, VCPU_X(10)(a0)

	/* 3. The hypervisor's, and back to the caller of hext_enter. */
	ld	sp, VCPU_HOST_SP(a0)
	ld	tp, VCPU_HOST_TP(a0)
	ld	ra, VCPU_HOST_RA(a0)
	csrr	a1, scause
	ret

	/* 4. From the hypervisor itself: sscratch is 0 again, and the machine layer's vector
	 *    sees every register as it was. */
1:	csrrw	a0, sscratch, a0
	j	host_trap

/* void hext_spill(struct hext_vcpu *v) */
	.globl hext_spill
hext_spill:
	.irp	n, 3,18,19,20,21,22,23,24,25,26,27
	sd	x\n, VCPU_X(\n)(a0)
	.endr
	ret

/* void hext_fill(const struct hext_vcpu *v) */
	.globl hext_fill
hext_fill:
	.irp	n, 3,18,19,20,21,22,23,24,25,26,27
	ld	x\n, VCPU_X(\n)(a0)
	.endr
	ret

/*
 * One of those registers alone: xN is entry N of a table of 8 bytes each. Those that are not on
 * the hart while C runs have an entry that is never used.
 */
	.option	norvc
/* uint64_t hext_live(unsigned n) */
	.globl hext_live
hext_live:
	slli	a0, a0, 3
	la	t0, 1f
	add	t0, t0, a0
	jr	t0
1:	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27
	mv	a0, x\n
	ret
	.endr

/* void hext_set_live(unsigned n, uint64_t value) */
	.globl hext_set_live
hext_set_live:
	slli	a0, a0, 3
	la	t0, 1f
	add	t0, t0, a0
	jr	t0
1:	.rept	3
	nop
	ret
	.endr
	mv	x3, a1
	ret
	.rept	14
	nop
	ret
	.endr
	.irp	n, 18,19,20,21,22,23,24,25,26,27
	mv	x\n, a1
	ret
	.endr
