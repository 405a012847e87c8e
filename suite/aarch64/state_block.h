/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory that the routine of state.c works on: offsets in bytes, shared with state_code.S. */
#ifndef SUITE_AARCH64_STATE_BLOCK_H
#define SUITE_AARCH64_STATE_BLOCK_H

#define BLOCK_IN          0    /* system registers: the values to write */
#define BLOCK_BEFORE      256  /* read back at once */
#define BLOCK_AFTER       512  /* after the others have run */
#define BLOCK_X_IN        768  /* [0] is NZCV; x2 to x30 */
#define BLOCK_X_OUT       1024 /* the same, afterwards */
#define BLOCK_VECTORS_IN  1280
#define BLOCK_VECTORS_OUT 1792
#define BLOCK_KEPT        2304 /* what the agent needs */
#define BLOCK_BYTES       2560

#endif
