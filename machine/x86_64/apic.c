/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: SDM vol. 3, ch. 10. See apic.h. */
#include "machine/x86_64/apic.h"

#include "machine.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/timer.h"
#include "machine/x86_64/trap.h"

#define APIC_BASE_EXTD   BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_ADDR   GENMASK(51, 12)

#define CPUID1_ECX_X2APIC       BIT(21)
#define CPUID1_ECX_TSC_DEADLINE BIT(24)

/* Register offsets: SDM vol. 3, table 10-1. */
#define APIC_ID         0x020U
#define APIC_TPR        0x080U
#define APIC_EOI        0x0b0U
#define APIC_SVR        0x0f0U
#define APIC_ICR        0x300U
#define APIC_ICR2       0x310U
#define APIC_LVT_TIMER  0x320U
#define APIC_LVT_LINT0  0x350U
#define APIC_LVT_LINT1  0x360U
#define APIC_LVT_ERROR  0x370U
#define APIC_TIMER_INIT 0x380U
#define APIC_TIMER_NOW  0x390U
#define APIC_TIMER_DIV  0x3e0U

#define SVR_ENABLE         BIT(8)
#define LVT_MASKED         BIT(16)
#define LVT_TIMER_DEADLINE BIT(18)
#define TIMER_DIV_1        0xbU

#define ICR_VECTOR   GENMASK(7, 0)
#define ICR_MODE     GENMASK(10, 8)
#define ICR_PENDING  BIT(12) /* xAPIC only */
#define ICR_ASSERT   BIT(14)
#define MODE_FIXED   0U
#define MODE_NMI     4U
#define MODE_INIT    5U
#define MODE_STARTUP 6U

#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

static bool x2apic;
static bool has_deadline;
static uint64_t base;
/* APIC timer ticks in 2^20 TSC ticks: for machines without a TSC-deadline timer. */
static uint64_t timer_ratio;
static uint64_t armed[MACHINE_MAX_CPUS]; /* the last argument of apic_timer_arm() */

static uint32_t apic_read(unsigned reg)
{
	if (x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile uint32_t *)(uintptr_t)(base + reg);
}

static void apic_write(unsigned reg, uint32_t value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile uint32_t *)(uintptr_t)(base + reg) = value;
}

uint32_t apic_id(void)
{
	return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

/* SDM vol. 3, 10.6.1. In x2APIC mode the command is one MSR write and is never pending (10.12.9),
 * but it does not order earlier stores (10.12.3). */
static void apic_send(uint32_t target, uint64_t command)
{
	if (x2apic) {
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)target << 32 | command);
		return;
	}
	while (apic_read(APIC_ICR) & ICR_PENDING)
		cpu_pause();
	apic_write(APIC_ICR2, target << 24);
	apic_write(APIC_ICR, (uint32_t)command);
}

void apic_send_fixed(uint32_t target, unsigned vector)
{
	apic_send(target,
	          ICR_ASSERT | FIELD_PREP(ICR_MODE, MODE_FIXED) | FIELD_PREP(ICR_VECTOR, vector));
}

void apic_send_nmi(uint32_t target)
{
	apic_send(target, ICR_ASSERT | FIELD_PREP(ICR_MODE, MODE_NMI));
}

void apic_send_init(uint32_t target)
{
	apic_send(target, ICR_ASSERT | FIELD_PREP(ICR_MODE, MODE_INIT));
}

void apic_send_startup(uint32_t target, unsigned page)
{
	apic_send(target,
	          ICR_ASSERT | FIELD_PREP(ICR_MODE, MODE_STARTUP) | FIELD_PREP(ICR_VECTOR, page));
}

/* Counts both clocks over the same time. Repeats that if the CPU was interrupted between the two
 * readings at its start or its end. */
static uint64_t measure_ratio(void)
{
	uint64_t before, begun, last, end;
	uint32_t ticks;

	for (unsigned tries = 50; tries > 0; tries--) {
		before = rdtsc();
		apic_write(APIC_TIMER_INIT, UINT32_MAX);
		begun = rdtsc();
		do {
			last = rdtsc();
		} while (last - begun < tsc_frequency() / 2048);
		ticks = UINT32_MAX - apic_read(APIC_TIMER_NOW);
		end = rdtsc();
		if ((begun - before) + (end - last) <= (end - before) / 64)
			break;
	}
	apic_write(APIC_TIMER_INIT, 0);
	return ((uint64_t)ticks << 20) / (last - begun);
}

void apic_init(void)
{
	uint64_t msr = rdmsr(MSR_APIC_BASE);
	uint32_t ecx = cpuid(1, 0).ecx;

	out8(PIC1_DATA, 0xff);
	out8(PIC2_DATA, 0xff);

	x2apic = (msr & APIC_BASE_EXTD) || (ecx & CPUID1_ECX_X2APIC);
	has_deadline = ecx & CPUID1_ECX_TSC_DEADLINE;
	base = msr & APIC_BASE_ADDR;
}

void apic_init_cpu(void)
{
	/* SDM vol. 3, 10.4.7.2: while the APIC is disabled by software, the mask bits of the local
	 * vector table cannot be cleared. So it is enabled first. */
	static const uint16_t sources[] = {APIC_LVT_TIMER, APIC_LVT_LINT0, APIC_LVT_LINT1,
	                                   APIC_LVT_ERROR};
	uint64_t msr = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, x2apic ? msr | APIC_BASE_EXTD : msr);
	apic_write(APIC_SVR, (uint32_t)(SVR_ENABLE | VECTOR_SPURIOUS));
	apic_write(APIC_TPR, 0);
	for (unsigned i = 0; i < MM_ARRAY_SIZE(sources); i++)
		apic_write(sources[i], (uint32_t)LVT_MASKED);

	if (has_deadline) {
		apic_write(APIC_LVT_TIMER, (uint32_t)(LVT_TIMER_DEADLINE | VECTOR_TIMER));
		return;
	}
	apic_write(APIC_TIMER_DIV, TIMER_DIV_1);
	if (timer_ratio == 0)
		timer_ratio = measure_ratio();
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

uint64_t apic_timer_deadline(void)
{
	return armed[machine_cpu_index()];
}

/* 0 disarms a TSC-deadline timer, and the counting timer, too: SDM vol. 3, 10.5.4. */
void apic_timer_arm(uint64_t tsc_deadline)
{
	uint64_t now, left, ticks;

	armed[machine_cpu_index()] = tsc_deadline;
	if (has_deadline) {
		wrmsr(MSR_TSC_DEADLINE, tsc_deadline == UINT64_MAX ? 0 : tsc_deadline);
		return;
	}
	if (tsc_deadline == UINT64_MAX) {
		apic_write(APIC_TIMER_INIT, 0);
		return;
	}
	now = rdtsc();
	left = tsc_deadline > now ? tsc_deadline - now : 0;
	left = left < BIT(40) ? left : BIT(40);
	ticks = (left * timer_ratio >> 20) + 1;
	apic_write(APIC_TIMER_INIT, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}
