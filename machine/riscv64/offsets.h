/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets and sizes that assembly shares with C. cpu.h and trap.h assert that they are right. */
#ifndef MACHINE_RISCV64_OFFSETS_H
#define MACHINE_RISCV64_OFFSETS_H

/* struct cpu */
#define CPU_STACK_TOP      0
#define CPU_TRAP_STACK_TOP 8
#define CPU_CATCH_PC       16
#define CPU_TRAP_T0        24
#define CPU_TRAP_SP        32

/* struct trap_frame: x0 to x31 */
#define TRAP_FRAME_BYTES 256

#endif
