/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch of the hypervisor extension, and the loop around it.
 *
 *	void hext_enter(struct hext_vcpu *v, struct vm_exit *exit)
 *
 * Enters the guest, which is loaded on this hart, and calls hext_handle_exit() each time it traps,
 * until that returns EXIT_RETURN. The guest's CSRs stay in the hart: hext.h.
 *
 * sscratch is 0 while the hypervisor runs, and the address of the vCPU while the guest runs. The
 * trap vector uses this to distinguish their traps.
 */
#include "hext/offsets.h"

/* The stack frame of hext_enter: s0 to s11, which belong to the caller, ra, and the argument
   `exit`. */
#define FRAME_BYTES 112
#define FRAME_RA    96
#define FRAME_EXIT  104

	.text
	.balign 64
	.globl hext_enter
hext_enter:
	/* 1. Save the caller's registers. hext_load() has saved tp. */
	addi	sp, sp, -FRAME_BYTES
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd	s\n, (8 * \n)(sp)
	.endr
	sd	ra, FRAME_RA(sp)
	sd	a1, FRAME_EXIT(sp)
	sd	sp, VCPU_HOST_SP(a0)

	/* 2. Load the guest's registers, a0 last. */
1:	csrw	sscratch, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,10
	ld	x\n, VCPU_X(\n)(a0)
	.endr

	/* 3. Enter VS or VU at sepc, by hstatus.SPV and sstatus.SPP, which are the guest's. */
	sret

	/* 7. EXIT_RESUME: enter again. */
2:	mv	a0, s0
	j	1b

	.balign 64
	.globl hext_trap
hext_trap:
	/* 4. If the guest trapped, a0 becomes its vCPU, and sscratch its a0. */
	csrrw	a0, sscratch, a0
	beqz	a0, 3f

	/* 5. Save the guest's registers. */
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, VCPU_X(\n)(a0)
	.endr
	csrrw	t0, sscratch, zero
	sd	t0, VCPU_X(10)(a0)

	/* 6. Decide what the exit is. Step 7 needs the vCPU, in s0. */
	ld	sp, VCPU_HOST_SP(a0)
	ld	tp, VCPU_HOST_TP(a0)
	ld	a1, FRAME_EXIT(sp)
	mv	s0, a0
	call	hext_handle_exit
	beqz	a0, 2b

	/* 8. EXIT_RETURN: restore the caller's registers. */
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld	s\n, (8 * \n)(sp)
	.endr
	ld	ra, FRAME_RA(sp)
	addi	sp, sp, FRAME_BYTES
	ret

	/* 9. The hypervisor trapped: restore a0 and sscratch, and go to the machine layer's
	   vector, which expects every register as it was. */
3:	csrrw	a0, sscratch, a0
	j	host_trap
