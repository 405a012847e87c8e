/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment descriptors and task-state segments: SDM vol. 3, 3.4.5 and 8.7. */
#include "machine/x86_64/desc.h"

#include "machine.h"
#include "mm/bits.h"
#include "mm/compiler.h"

#define DESC_TYPE      GENMASK(43, 40)
#define DESC_CODE_DATA BIT(44)
#define DESC_PRESENT   BIT(47)
#define DESC_LONG      BIT(53)
#define DESC_BIG       BIT(54)
#define DESC_GRANULE   BIT(55)
#define DESC_LIMIT     (GENMASK(51, 48) | GENMASK(15, 0))

#define TYPE_DATA_RW  0x3U /* accessed */
#define TYPE_CODE_RX  0xbU /* accessed */
#define TYPE_TSS_FREE 0x9U /* 64-bit, available */

#define IST_STACK_SIZE 4096U

/* The 64-bit TSS: SDM vol. 3, figure 8-11. Only its interrupt stacks are used. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* IST1 is ist[0] */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map; /* not below the limit: no I/O map */
} MM_PACKED;

_Static_assert(sizeof(struct tss) == 0x68, "a 64-bit TSS has 104 bytes");

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} MM_PACKED;

#define GDT_WORDS (SELECTOR_TSS / 8 + MACHINE_MAX_CPUS * TSS_DESC_SIZE / 8)

static uint64_t gdt[GDT_WORDS] MM_ALIGNED_TO(16) = {
	[SELECTOR_CODE / 8] = DESC_PRESENT | DESC_CODE_DATA | DESC_LONG | DESC_GRANULE |
                              DESC_LIMIT | FIELD_PREP(DESC_TYPE, TYPE_CODE_RX),
	[SELECTOR_DATA / 8] = DESC_PRESENT | DESC_CODE_DATA | DESC_BIG | DESC_GRANULE | DESC_LIMIT |
                              FIELD_PREP(DESC_TYPE, TYPE_DATA_RW),
};
static struct tss tss[MACHINE_MAX_CPUS] MM_ALIGNED_TO(16);
static uint8_t ist_stacks[MACHINE_MAX_CPUS][2][IST_STACK_SIZE] MM_ALIGNED_TO(16);

static uint64_t stack_top(const uint8_t *stack)
{
	return (uint64_t)(uintptr_t)(stack + IST_STACK_SIZE);
}

/* A system descriptor spans two words: SDM vol. 3, figure 8-4. */
static void set_tss_descriptor(unsigned cpu)
{
	uint64_t base = desc_tss_base(cpu);
	uint64_t *words = &gdt[desc_tss_selector(cpu) / 8];

	words[0] = DESC_PRESENT | FIELD_PREP(DESC_TYPE, TYPE_TSS_FREE) | (sizeof(struct tss) - 1) |
	           (base & GENMASK(23, 0)) << 16 | (base & GENMASK(31, 24)) << 32;
	words[1] = base >> 32;
}

static void load_gdt(void)
{
	struct table_pointer pointer = {sizeof(gdt) - 1, desc_gdt_base()};

	/* In 64-bit mode, every CPU can load CS by a far return. */
	__asm__ volatile("lgdt %0\n\t"
	                 "pushq %1\n\t"
	                 "leaq 1f(%%rip), %%rax\n\t"
	                 "pushq %%rax\n\t"
	                 "lretq\n"
	                 "1:\tmovl %2, %%ds\n\t"
	                 "movl %2, %%es\n\t"
	                 "movl %2, %%ss\n\t"
	                 "movl %3, %%fs\n\t"
	                 "movl %3, %%gs"
	                 :
	                 : "m"(pointer), "i"(SELECTOR_CODE), "r"(SELECTOR_DATA), "r"(0)
	                 : "rax", "memory");
}

void desc_init_cpu(unsigned cpu)
{
	tss[cpu].ist[IST_FAULT - 1] = stack_top(ist_stacks[cpu][0]);
	tss[cpu].ist[IST_NMI - 1] = stack_top(ist_stacks[cpu][1]);
	tss[cpu].io_map = sizeof(struct tss);
	set_tss_descriptor(cpu);

	load_gdt();
	__asm__ volatile("ltr %w0" : : "r"((uint32_t)desc_tss_selector(cpu)) : "memory");
}

uint64_t desc_gdt_base(void)
{
	return (uint64_t)(uintptr_t)gdt;
}

uint64_t desc_tss_base(unsigned cpu)
{
	return (uint64_t)(uintptr_t)&tss[cpu];
}
