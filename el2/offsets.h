/*
 * Numbers that enter.S shares with C: vcpu.c asserts that they are true.
 */
#ifndef EL2_OFFSETS_H
#define EL2_OFFSETS_H

/* struct el2_vcpu */
#define VCPU_X  0
#define VCPU_PC 248 /* and PSTATE behind it */

/* What el2_enter() answers: how the guest was left. */
#define LEFT_SYNC   0
#define LEFT_IRQ    1
#define LEFT_FIQ    2
#define LEFT_SERROR 3
#define LEFT_A32    4

#endif
