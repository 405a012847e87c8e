/*
 * The first instructions of a secondary CPU, from real mode to a C function in 64-bit mode:
 * trampoline.S, and the words beside it that trampoline.c fills in for one CPU at a time.
 */
#ifndef MACHINE_X86_64_TRAMPOLINE_H
#define MACHINE_X86_64_TRAMPOLINE_H

/* Offsets in struct trampoline_data, asserted in trampoline.c. */
#define TRAMPOLINE_GDT       2
#define TRAMPOLINE_PAGE      8
#define TRAMPOLINE_PROTECTED 12
#define TRAMPOLINE_LONG      20
#define TRAMPOLINE_CR0       32
#define TRAMPOLINE_CR3       40
#define TRAMPOLINE_CR4       48
#define TRAMPOLINE_EFER      56
#define TRAMPOLINE_STACK     64
#define TRAMPOLINE_ENTRY     72
#define TRAMPOLINE_ARGUMENT  80
#define TRAMPOLINE_DATA_SIZE 88

#ifndef __ASSEMBLER__

#include <stdint.h>

#include "mm/addr.h"

struct trampoline_args {
	uint64_t cr0, cr3, cr4, efer; /* cr3 below 4 GiB; efer without LMA */
	uint64_t stack;               /* its top, a multiple of 16 */
	uint64_t entry;               /* _Noreturn void (*)(uint64_t argument) */
	uint64_t argument;
};

/* Puts code and arguments at `page`, where a start-up interrupt can then send one CPU. */
void trampoline_prepare(hpa_t page, const struct trampoline_args *args);

#endif
#endif
