/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's trap vector on RISC-V, and agent_try().
 *
 * sscratch holds this vCPU's struct agent_frame. agent_try() saves its caller's registers there. If
 * an exception occurs while the frame is armed, the handler restores these registers, and
 * agent_try() returns false. The interrupt handler counts the interrupt and clears its enable bits.
 * Then the guest continues.
 */
#define FRAME_ARMED 0
#define FRAME_CAUSE 8
#define FRAME_ADDR  16
#define FRAME_PC    24
#define FRAME_IRQS  32
#define FRAME_SAVED 40
#define FRAME_SP    56
#define FRAME_KEEP  64

#define SIE_ALL     0x222 /* SSIE, STIE, SEIE */
#define SSTATUS_SPIE 0x20

	.text
	.globl	agent_try
agent_try:
	sd	sp, FRAME_SP(a0)
	sd	ra, FRAME_KEEP(a0)
	sd	s0, FRAME_KEEP + 8(a0)
	sd	s1, FRAME_KEEP + 16(a0)
	sd	s2, FRAME_KEEP + 24(a0)
	sd	s3, FRAME_KEEP + 32(a0)
	sd	s4, FRAME_KEEP + 40(a0)
	sd	s5, FRAME_KEEP + 48(a0)
	sd	s6, FRAME_KEEP + 56(a0)
	sd	s7, FRAME_KEEP + 64(a0)
	sd	s8, FRAME_KEEP + 72(a0)
	sd	s9, FRAME_KEEP + 80(a0)
	sd	s10, FRAME_KEEP + 88(a0)
	sd	s11, FRAME_KEEP + 96(a0)
	mv	s0, a0
	li	t0, 1
	sd	t0, FRAME_ARMED(s0)
	mv	a0, a2
	jalr	a1
	li	a0, 1
	/* Only s0 and ra differ from the caller's values. */
	sd	zero, FRAME_ARMED(s0)
	ld	ra, FRAME_KEEP(s0)
	ld	s0, FRAME_KEEP + 8(s0)
	ret

	/* 1. t0 holds the frame; t1 is free. */
	.balign	4
	.globl	agent_vector
agent_vector:
	csrrw	t0, sscratch, t0
	sd	t1, FRAME_SAVED(t0)
	csrr	t1, scause
	bltz	t1, agent_irq

	/* 2. Store the exception. */
	sd	t1, FRAME_CAUSE(t0)
	csrr	t1, stval
	sd	t1, FRAME_ADDR(t0)
	csrr	t1, sepc
	sd	t1, FRAME_PC(t0)
	csrw	sscratch, t0
	ld	t1, FRAME_ARMED(t0)
	beqz	t1, agent_unawaited
	sd	zero, FRAME_ARMED(t0)

	/* 3. The trap masked interrupts. Enable them again if they were enabled. */
	csrr	t1, sstatus
	andi	t1, t1, SSTATUS_SPIE
	srli	t1, t1, 4
	csrs	sstatus, t1

	/* 4. Return false from agent_try(). */
	ld	sp, FRAME_SP(t0)
	ld	ra, FRAME_KEEP(t0)
	ld	s0, FRAME_KEEP + 8(t0)
	ld	s1, FRAME_KEEP + 16(t0)
	ld	s2, FRAME_KEEP + 24(t0)
	ld	s3, FRAME_KEEP + 32(t0)
	ld	s4, FRAME_KEEP + 40(t0)
	ld	s5, FRAME_KEEP + 48(t0)
	ld	s6, FRAME_KEEP + 56(t0)
	ld	s7, FRAME_KEEP + 64(t0)
	ld	s8, FRAME_KEEP + 72(t0)
	ld	s9, FRAME_KEEP + 80(t0)
	ld	s10, FRAME_KEEP + 88(t0)
	ld	s11, FRAME_KEEP + 96(t0)
	li	a0, 0
	ret

agent_unawaited:
	mv	a0, t0
	tail	agent_fatal

agent_irq:
	li	t1, SIE_ALL
	csrc	sie, t1
	ld	t1, FRAME_IRQS(t0)
	addi	t1, t1, 1
	sd	t1, FRAME_IRQS(t0)
	ld	t1, FRAME_SAVED(t0)
	csrrw	t0, sscratch, t0
	sret

	/* The snippets of AGENT_RUN_AT. The load is the first instruction, uncompressed. */
	.globl	agent_load_plain, agent_load_plain_end
agent_load_plain:
	.option	push
	.option	norvc
	lwu	a0, 0(a0)
	ret
	.option	pop
agent_load_plain_end:

	.globl	agent_load_short, agent_load_short_end
agent_load_short:
	c.lw	a0, 0(a0)
	c.jr	ra
agent_load_short_end:
