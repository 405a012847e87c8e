/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets and sizes that assembly shares with C. start.c and trap.c assert that they are right. */
#ifndef MACHINE_AARCH64_OFFSETS_H
#define MACHINE_AARCH64_OFFSETS_H

#define CPU_MAX 64 /* MACHINE_MAX_CPUS */

/* struct cpu */
#define CPU_TRAP_STACK 8
#define CPU_STACK      16
#define CPU_MPIDR      24
#define CPU_SIZE       48

/* One slot of cpu_stacks per CPU: an unmapped page, the stack, the stack for traps. */
#define STACK_GUARD     4096
#define STACK_SIZE      20480
#define STACK_TRAP_SIZE 8192
#define STACK_SLOT      (STACK_GUARD + STACK_SIZE + STACK_TRAP_SIZE)

/* struct trap_frame */
#define TRAP_X          0
#define TRAP_SP         248
#define TRAP_VECTOR     256
#define TRAP_FRAME_SIZE 272

/* struct mmu_registers */
#define MMU_MAIR  0
#define MMU_TCR   8
#define MMU_TTBR  16
#define MMU_SCTLR 24

#endif
