/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch of the laboratory: see rules_lab.h, which has the offsets.
 *
 *	void lab_switch(struct lab *lab)
 *
 * Enters the mode that sstatus.SPP and hstatus.SPV of *lab select. Returns after the next trap into
 * HS-mode. Both stages of the switch run at addresses that virtual = physical maps, so satp may
 * change between them.
 */
#define LAB_PC      256
#define LAB_SSTATUS 264
#define LAB_HSTATUS 272
#define LAB_SATP    280
#define LAB_SCAUSE  288
#define LAB_STVAL   296
#define LAB_HTVAL   304
#define LAB_HTINST  312
#define LAB_SP      320
#define LAB_TP      328
#define HOST_SATP   336
#define HOST_STVEC  344
#define HOST_STATUS 352

	.text
	.balign 4
	.globl lab_switch
lab_switch:
	/* 1. Save what belongs to the caller. */
	addi	sp, sp, -128
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd	s\n, (8 * \n)(sp)
	.endr
	sd	ra, 96(sp)
	sd	gp, 104(sp)
	sd	sp, LAB_SP(a0)
	sd	tp, LAB_TP(a0)
	csrr	t0, satp
	sd	t0, HOST_SATP(a0)
	csrr	t0, stvec
	sd	t0, HOST_STVEC(a0)
	csrr	t0, sstatus
	sd	t0, HOST_STATUS(a0)

	/* 2. Load the run's registers. */
	la	t0, lab_trap
	csrw	stvec, t0
	ld	t0, LAB_SATP(a0)
	csrw	satp, t0
	sfence.vma
	ld	t0, LAB_PC(a0)
	csrw	sepc, t0
	ld	t0, LAB_HSTATUS(a0)
	csrw	hstatus, t0
	ld	t0, LAB_SSTATUS(a0)
	csrw	sstatus, t0
	csrw	sscratch, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,10
	ld	x\n, (8 * \n)(a0)
	.endr
	sret

	.balign 4
lab_trap:
	/* 3. Save the run's registers. */
	csrrw	a0, sscratch, a0
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd	x\n, (8 * \n)(a0)
	.endr
	csrrw	t0, sscratch, zero
	sd	t0, 80(a0)
	csrr	t0, sepc
	sd	t0, LAB_PC(a0)
	csrr	t0, sstatus
	sd	t0, LAB_SSTATUS(a0)
	csrr	t0, hstatus
	sd	t0, LAB_HSTATUS(a0)
	csrr	t0, scause
	sd	t0, LAB_SCAUSE(a0)
	csrr	t0, stval
	sd	t0, LAB_STVAL(a0)
	csrr	t0, htval
	sd	t0, LAB_HTVAL(a0)
	csrr	t0, htinst
	sd	t0, LAB_HTINST(a0)

	/* 4. Restore what belongs to the caller. */
	ld	t0, HOST_SATP(a0)
	csrw	satp, t0
	sfence.vma
	ld	t0, HOST_STVEC(a0)
	csrw	stvec, t0
	ld	t0, HOST_STATUS(a0)
	csrw	sstatus, t0
	ld	tp, LAB_TP(a0)
	ld	sp, LAB_SP(a0)
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld	s\n, (8 * \n)(sp)
	.endr
	ld	ra, 96(sp)
	ld	gp, 104(sp)
	addi	sp, sp, 128
	ret
