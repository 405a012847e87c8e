/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the other CPUs, one at a time: an INIT and two start-up interrupts (SDM vol. 3, 8.4.4)
 * make a CPU execute start.S at a page below 1 MiB, which the boot path found.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "cpu_work.h"
#include "machine.h"
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/init.h"
#include "machine/x86_64/offsets.h"
#include "machine/x86_64/smp.h"
#include "machine/x86_64/timer.h"
#include "machine/x86_64/trap.h"

#define STACK_SIZE 32768U

static unsigned known; /* CPUs that firmware names, this one included */
static mm_hpa_t start_page;
static _Atomic unsigned arrived; /* the CPU that came up last */
static uint8_t stacks[MACHINE_MAX_CPUS][STACK_SIZE] MM_ALIGNED_TO(16);

void start_init(const struct boot_info *info)
{
	known = info->cpus < MACHINE_MAX_CPUS ? info->cpus : MACHINE_MAX_CPUS;
	for (unsigned i = 0; i < known; i++)
		cpu_apic_ids[i] = (uint32_t)info->cpu_ids[i];
	cpu_apic_ids[0] = apic_id();
	start_page = info->start_page;
}

/* --- what start.S reads --- */

struct start_args {
	uint64_t cr0, cr3, cr4, efer; /* cr3 below 4 GiB; efer without LMA */
	uint64_t stack;               /* its top, a multiple of 16 */
	uint64_t entry;               /* _Noreturn void (*)(uint64_t argument) */
	uint64_t argument;
};

/* The operand of a far jump through memory. */
struct far_pointer {
	uint32_t offset;
	uint16_t selector;
	uint16_t unused;
};

struct start_data {
	uint16_t unused;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint32_t page;
	struct far_pointer protected_mode;
	struct far_pointer long_mode;
	struct start_args args;
};

#define ASSERT_OFFSET(member, offset)                                                              \
	_Static_assert(offsetof(struct start_data, member) == (offset), "offsets.h")
ASSERT_OFFSET(gdt_limit, START_GDT);
ASSERT_OFFSET(page, START_PAGE);
ASSERT_OFFSET(protected_mode, START_PROTECTED);
ASSERT_OFFSET(long_mode, START_LONG);
ASSERT_OFFSET(args.cr0, START_CR0);
ASSERT_OFFSET(args.cr3, START_CR3);
ASSERT_OFFSET(args.cr4, START_CR4);
ASSERT_OFFSET(args.efer, START_EFER);
ASSERT_OFFSET(args.stack, START_STACK);
ASSERT_OFFSET(args.entry, START_ENTRY);
ASSERT_OFFSET(args.argument, START_ARGUMENT);
_Static_assert(sizeof(struct start_data) == START_DATA_SIZE, "offsets.h");

/* In start.S, in this order. */
extern const uint8_t start_real[], start_protected[], start_long[], start_gdt[], start_gdt_end[],
	start_data[];

/* In start_gdt. */
#define SELECTOR_CODE32 8
#define SELECTOR_CODE64 24

/* Puts code and arguments at `page`, where a start-up interrupt then starts one CPU. */
static void prepare(mm_hpa_t page, const struct start_args *args)
{
	uint8_t *to = (uint8_t *)(uintptr_t)page.raw;
	size_t code_bytes = (size_t)(start_data - start_real);
	uint32_t base = (uint32_t)page.raw;

	for (size_t i = 0; i < code_bytes; i++)
		to[i] = start_real[i];
	*(struct start_data *)(to + code_bytes) = (struct start_data){
		.gdt_limit = (uint16_t)(start_gdt_end - start_gdt - 1),
		.gdt_base = base + (uint32_t)(start_gdt - start_real),
		.page = base,
		.protected_mode = {base + (uint32_t)(start_protected - start_real), SELECTOR_CODE32,
	                           0},
		.long_mode = {base + (uint32_t)(start_long - start_real), SELECTOR_CODE64, 0},
		.args = *args,
	};
}

/* --- one CPU after the other --- */

static void wait_microseconds(uint64_t us)
{
	uint64_t end = rdtsc() + tsc_frequency() / 1000000 * us;

	while (rdtsc() < end)
		cpu_pause();
}

/* Where start.S ends. */
_Noreturn static void secondary_main(uint64_t cpu)
{
	desc_init_cpu((unsigned)cpu);
	trap_init_cpu();
	apic_init_cpu();
	atomic_store(&arrived, (unsigned)cpu);
	cpu_work_loop();
}

static bool start_cpu(unsigned cpu)
{
	unsigned page = (unsigned)(start_page.raw >> MM_PAGE_SHIFT);

	prepare(start_page, &(struct start_args){
				    .cr0 = read_cr0(),
				    .cr3 = read_cr3(),
				    .cr4 = read_cr4(),
				    .efer = rdmsr(MSR_EFER) & ~EFER_LMA,
				    .stack = (uint64_t)(uintptr_t)stacks[cpu] + STACK_SIZE,
				    .entry = (uint64_t)(uintptr_t)secondary_main,
				    .argument = cpu,
			    });
	apic_send_init(cpu_apic_ids[cpu]);
	wait_microseconds(10000);
	/* A CPU that has started ignores the second interrupt. */
	apic_send_startup(cpu_apic_ids[cpu], page);
	wait_microseconds(200);
	if (atomic_load(&arrived) != cpu)
		apic_send_startup(cpu_apic_ids[cpu], page);
	return cpu_work_arrives(cpu);
}

unsigned machine_start_cpus(unsigned wanted)
{
	if (start_page.raw == 0)
		return cpus_up;
	while (cpus_up < wanted && cpus_up < known && start_cpu(cpus_up))
		cpus_up++;
	return cpus_up;
}
