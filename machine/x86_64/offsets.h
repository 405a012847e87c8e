/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets and sizes that assembly shares with C. start.c asserts that they are right. */
#ifndef MACHINE_X86_64_OFFSETS_H
#define MACHINE_X86_64_OFFSETS_H

/* struct start_data */
#define START_GDT       2
#define START_PAGE      8
#define START_PROTECTED 12
#define START_LONG      20
#define START_CR0       32
#define START_CR3       40
#define START_CR4       48
#define START_EFER      56
#define START_STACK     64
#define START_ENTRY     72
#define START_ARGUMENT  80
#define START_DATA_SIZE 88

#endif
