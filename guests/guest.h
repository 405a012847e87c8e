/*
 * What a payload is written against: guests/abi.h says what it shares with the hypervisor, and
 * this file what guests/<arch>/ and guests/lib/ do for it.
 *
 * A payload defines guest_main() and nothing else. start.S brings each vCPU there with a stack
 * of its own and stage 1 off (x86: the static identity map of start.S); returning is
 * guest_exit(0).
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

/* Writes the encoding of a return at `at`, and answers its size: pages of code that a payload
 * makes. guest_sync_code() makes written instructions fetchable. */
size_t guest_put_return(void *at);
void guest_sync_code(const void *start, size_t bytes);

/* Waits for an interrupt: WFI or HLT. */
void guest_wait(void);

/* --- guests/lib/ --- */

_Noreturn void guest_exit(uint64_t status);

/* Builds identity-mapped 4 KiB stage-1 tables for RAM, the info page, the devices and the first
 * `span` bytes at `arena_base` in the memory at `tables` (touching it, lazily backed or not),
 * and turns stage 1 on. Answers the bytes of tables that it wrote. */
uint64_t guest_stage1_on(uint64_t tables, uint64_t arena_base, uint64_t span);

/* One line in the hypervisor's log. */
void guest_print(const char *text);
/* Keeps a value for the hypervisor's verdict. */
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
