/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers that enter.S shares with C. vcpu.c asserts the offsets. */
#ifndef EL2_OFFSETS_H
#define EL2_OFFSETS_H

/* struct el2_vcpu */
#define VCPU_X  0
#define VCPU_PC 248 /* pstate follows */

/* The vector by which the guest exited (Arm ARM D1.3.1.6). */
#define VECTOR_SYNC    0
#define VECTOR_IRQ     1
#define VECTOR_FIQ     2
#define VECTOR_SERROR  3
#define VECTOR_AARCH32 4

#endif
