/* Copies trampoline.S to where a CPU can start, and tells the copy where it is. */
#include "machine/x86_64/trampoline.h"

#include <stddef.h>

/* The operand of a far jump through memory. */
struct far_pointer {
	uint32_t offset;
	uint16_t selector;
	uint16_t unused;
};

struct trampoline_data {
	uint16_t unused;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t page;
	struct far_pointer protected_mode;
	struct far_pointer long_mode;
	struct trampoline_args args;
};

#define ASSERT_OFFSET(member, offset)                                                              \
	_Static_assert(offsetof(struct trampoline_data, member) == (offset), "trampoline.S")
ASSERT_OFFSET(gdt_limit, TRAMPOLINE_GDT);
ASSERT_OFFSET(page, TRAMPOLINE_PAGE);
ASSERT_OFFSET(protected_mode, TRAMPOLINE_PROTECTED);
ASSERT_OFFSET(long_mode, TRAMPOLINE_LONG);
ASSERT_OFFSET(args.cr0, TRAMPOLINE_CR0);
ASSERT_OFFSET(args.cr3, TRAMPOLINE_CR3);
ASSERT_OFFSET(args.cr4, TRAMPOLINE_CR4);
ASSERT_OFFSET(args.efer, TRAMPOLINE_EFER);
ASSERT_OFFSET(args.stack, TRAMPOLINE_STACK);
ASSERT_OFFSET(args.entry, TRAMPOLINE_ENTRY);
ASSERT_OFFSET(args.argument, TRAMPOLINE_ARGUMENT);
_Static_assert(sizeof(struct trampoline_data) == TRAMPOLINE_DATA_SIZE, "trampoline.S");

/* In trampoline.S, in this order. */
extern const uint8_t trampoline_start[], trampoline_protected[], trampoline_long[],
	trampoline_gdt[], trampoline_gdt_end[], trampoline_data[];

/* In trampoline.S's own descriptor table. */
#define SELECTOR_CODE32 8
#define SELECTOR_CODE64 24

void trampoline_prepare(hpa_t page, const struct trampoline_args *args)
{
	uint8_t *to = (uint8_t *)(uintptr_t)page.raw;
	size_t code_bytes = (size_t)(trampoline_data - trampoline_start);
	uint32_t base = (uint32_t)page.raw;

	for (size_t i = 0; i < code_bytes; i++)
		to[i] = trampoline_start[i];
	*(struct trampoline_data *)(to + code_bytes) = (struct trampoline_data){
		.gdt_limit = (uint16_t)(trampoline_gdt_end - trampoline_gdt - 1),
		.gdt_base = base + (uint32_t)(trampoline_gdt - trampoline_start),
		.page = base,
		.protected_mode = {base + (uint32_t)(trampoline_protected - trampoline_start),
	                           SELECTOR_CODE32, 0},
		.long_mode = {base + (uint32_t)(trampoline_long - trampoline_start),
	                      SELECTOR_CODE64, 0},
		.args = *args,
	};
}
