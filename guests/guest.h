/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface for payloads. guests/abi.h defines what a payload shares with the hypervisor. This
 * file declares the services of guests/<arch>/ and guests/lib/.
 *
 * A payload defines only guest_main(). start.S calls it on each vCPU with a separate stack and with
 * stage 1 off (x86: with the static identity map of start.S). A return is guest_exit(0).
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guests/abi.h"

#define GUEST_MAX_VCPUS  8
#define GUEST_STACK_SIZE 4096

struct guest_result {
	uint64_t error; /* enum guest_error */
	uint64_t value;
};

void guest_main(unsigned vcpu, const struct guest_info *info);

/* --- guests/<arch>/ --- */

struct guest_result guest_call(enum guest_call function, uint64_t a0, uint64_t a1, uint64_t a2);

/* The guest's own cycle or instruction counter. */
uint64_t guest_cycles(void);

/* Writes the encoding of a return instruction at `at`, and returns its size in bytes. Used for
 * pages of code that a payload makes. guest_sync_code() makes written instructions fetchable. */
size_t guest_put_return(void *at);
void guest_sync_code(const void *start, size_t bytes);

/* Waits for an interrupt: WFI or HLT. */
void guest_wait(void);

/* --- guests/lib/ --- */

_Noreturn void guest_exit(uint64_t status);

/* Builds identity-mapped 4 KiB stage-1 tables in the memory at `tables`, and turns stage 1 on. They
 * map RAM, the info page, the devices and the first `span` bytes at `arena_base`. The memory may be
 * lazy. Returns the bytes of tables written. */
uint64_t guest_stage1_on(uint64_t tables, uint64_t arena_base, uint64_t span);

/* Prints one line in the hypervisor's log. */
void guest_print(const char *text);
/* Stores a value for the test's result. */
void guest_report(unsigned key, uint64_t value);

/* Exactly one access of that width, as a compiler emits it for a device register. */
#define DEFINE_ACCESS(bits)                                                                        \
	static inline uint##bits##_t read##bits(uint64_t at)                                       \
	{                                                                                          \
		return *(volatile uint##bits##_t *)(uintptr_t)at;                                  \
	}                                                                                          \
	static inline void write##bits(uint64_t at, uint##bits##_t value)                          \
	{                                                                                          \
		*(volatile uint##bits##_t *)(uintptr_t)at = value;                                 \
	}
DEFINE_ACCESS(8)
DEFINE_ACCESS(16)
DEFINE_ACCESS(32)
DEFINE_ACCESS(64)

#endif
