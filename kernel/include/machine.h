/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine layer: what machine/<arch>/ gives to the rest of the hypervisor. One implementation
 * is linked into each image; nothing here names an architecture.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/addr.h"
#include "mm/compiler.h"

#define MACHINE_MAX_CPUS 64

/* "riscv64", "aarch64", "x86_64". */
extern const char machine_arch[];

/* --- console --- */

/* Writes one byte to the serial line; waits until there is room. The caller holds the log's lock.
 */
void machine_console_put(char c);
/* Waits until the last byte is sent, so that power-off does not lose it. */
void machine_console_drain(void);

/* --- start-up --- */

struct boot_info;

/* Once, on the boot CPU, at the start of kernel_main(). Afterwards every trap in the hypervisor is
 * reported with its registers. */
void machine_init(const struct boot_info *info);

/* --- identification --- */

/* How the machine identifies itself: kernel/emulator.c recognises emulators by it. Fields of
 * another architecture are 0. */
struct machine_signs {
	enum {
		SIGNS_X86_64,
		SIGNS_RISCV64,
		SIGNS_AARCH64,
	} kind;
	char hypervisor[12];  /* x86-64: CPUID 40000000H, EBX, ECX, EDX; zeros: no hypervisor */
	uint32_t host_bridge; /* x86-64: device and vendor of PCI 00:00.0 */
	uint64_t mvendorid;   /* riscv64: from SBI's base extension */
	uint64_t marchid;
	uint64_t mimpid;
	uint64_t midr; /* aarch64: MIDR_EL1 */
	bool counted;  /* aarch64: PMCCNTR_EL0 counts instructions, QEMU's -icount */
};

/* After machine_init(). */
void machine_read_signs(struct machine_signs *out);

/* --- ending --- */

/* How a run ended: the exit status of the emulator or the board, where there is one. */
enum machine_status {
	STATUS_PASS = 0,
	STATUS_FAIL = 1,
	STATUS_PANIC = 2,
	STATUS_NO_VIRT = 3,  /* no VMX, SVM, EL2 or H, or firmware has disabled it: see the log */
	STATUS_BAD_BOOT = 4, /* firmware's data or the command line is invalid: see the log */
};

_Noreturn void machine_power_off(enum machine_status status);

/* --- time --- */

/* A monotonic counter of the CPU's instructions or cycles, or the best substitute that the machine
 * has: instret, cycle or time, PMCCNTR_EL0, TSC. machine_cycles_unit() names it for the log.
 * "none": no counter can be read, and machine_cycles() is 0. */
uint64_t machine_cycles(void);
const char *machine_cycles_unit(void);
/* The clock of deadlines: ticks, and ticks per second. */
uint64_t machine_ticks(void);
uint64_t machine_ticks_per_second(void);

/* --- CPUs --- */

/* 0 to machine_cpu_count() - 1; the boot CPU is 0. One register read. */
unsigned machine_cpu_index(void);

/* Starts up to `wanted` CPUs in all (the boot CPU counts). Each ends its start-up in
 * cpu_work_loop() (cpu_work.h). Answers how many are up, at least 1. */
unsigned machine_start_cpus(unsigned wanted);
unsigned machine_cpu_count(void);

/* Makes another CPU leave its guest (vcpu_run answers VM_EXIT_INTERRUPT) or machine_sleep(). */
void machine_kick(unsigned cpu);
/* An idle CPU sleeps until it is kicked, but about a second at most. A kick that is pending ends
 * the sleep at once. Kicks are entered in the account of kick.h. */
void machine_sleep(void);
/* A short wait for another CPU, 100 microseconds at most. Takes pending kicks as machine_sleep()
 * does. */
void machine_pause(void);
/* A pause in a spin loop. */
void machine_relax(void);

/* For the report on a hang: stops another CPU for good, wherever it is, and answers the
 * hypervisor's program counter there. False: nothing can interrupt it. No CPU but the caller runs
 * afterwards. */
bool machine_stop_cpu(unsigned cpu, uint64_t *pc);
/* From here to the next guest entry, machine_stop_cpu() works on this CPU. For machines where that
 * depends on a mask that each exit sets. */
void machine_allow_stop(void);

/* --- memory --- */

/* Clears whole frames with the fastest instruction of the machine, and makes the zeros visible to a
 * guest with its caches off. For mm_hal.zero. */
void machine_zero(void *ctx, void *page, size_t bytes);
/* For mm_hal.publish; NULL where nothing is needed. */
extern void (*const machine_publish)(void *ctx);
/* Makes what was written at `start` visible to every CPU's instruction fetch, and to a guest with
 * its caches off. For mm_hal.written. */
void machine_sync_code(const void *start, size_t bytes);

#endif
