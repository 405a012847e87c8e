/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time-stamp counter and its frequency. The frequency is measured with channel 2 of the 8254
 * timer, which runs at 1.193182 MHz in every PC. Without that timer it is read from CPUID. CPUID
 * comes second, because an emulator may copy the CPUID of a CPU but not its frequency (Bochs 2.7).
 */
#include "machine/x86_64/timer.h"

#include "machine.h"
#include "machine/x86_64/cpu.h"

#define CPUID_TSC             0x15U /* SDM vol. 2, CPUID: crystal ratio */
#define CPUID1_ECX_HYPERVISOR BIT(31)
#define CPUID_HYPERVISOR      0x40000000U /* eax: largest leaf for hypervisors */
#define CPUID_HV_TIMING       0x40000010U /* eax: TSC in kHz */

#define PIT_CHANNEL2   0x42
#define PIT_COMMAND    0x43
#define PORT_B         0x61
#define PIT_HZ         UINT64_C(1193182)
#define PIT_ONE_SHOT   0xb0 /* channel 2, low byte then high byte, mode 0 */
#define PORT_B_GATE2   0x01
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUT2    0x20 /* channel 2 has counted down */

#define CALIBRATION_HZ 1000U /* count for 1/1000 s */
/* If channel 2 does not end within CALIBRATION_LIMIT TSC ticks, twice, the machine has none. Once
 * may mean that the emulator was stopped for a while. */
#define CALIBRATION_LIMIT   UINT64_C(2000000000)
#define CALIBRATION_ENDLESS 2U
#define CALIBRATION_TRIES   50
#define FALLBACK_HZ         UINT64_C(1000000000)

static uint64_t frequency;

static uint64_t from_cpuid(void)
{
	struct cpuid r;

	if (cpuid(0, 0).eax >= CPUID_TSC) {
		r = cpuid(CPUID_TSC, 0);
		if (r.eax != 0 && r.ebx != 0 && r.ecx != 0)
			return (uint64_t)r.ecx * r.ebx / r.eax;
	}
	if ((cpuid(1, 0).ecx & CPUID1_ECX_HYPERVISOR) &&
	    cpuid(CPUID_HYPERVISOR, 0).eax >= CPUID_HV_TIMING)
		return (uint64_t)cpuid(CPUID_HV_TIMING, 0).eax * 1000;
	return 0;
}

/* Bounds of the TSC ticks in which the timer counted down once. */
struct bounds {
	uint64_t least, most;
};

/* The timer begins between `before` and `begun`, and ends between `clear` and `end`. */
static struct bounds count_down(void)
{
	uint16_t count = PIT_HZ / CALIBRATION_HZ;
	uint8_t port_b = in8(PORT_B) & (uint8_t)~PORT_B_SPEAKER;
	uint64_t before, begun, clear, poll, end;

	out8(PORT_B, port_b & (uint8_t)~PORT_B_GATE2);
	out8(PIT_COMMAND, PIT_ONE_SHOT);
	out8(PIT_CHANNEL2, (uint8_t)count);
	out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	before = rdtsc();
	out8(PORT_B, port_b | PORT_B_GATE2);
	begun = rdtsc();
	poll = begun;
	do {
		clear = poll;
		poll = rdtsc();
	} while (!(in8(PORT_B) & PORT_B_OUT2) && poll - begun < CALIBRATION_LIMIT);
	end = rdtsc();
	out8(PORT_B, port_b);
	return (struct bounds){clear - begun, end - before};
}

/* An emulator on a busy host, or a system management interrupt, may stop this CPU at any time. So
 * the measurement with the closest bounds is used. */
static uint64_t from_pit(void)
{
	struct bounds best = {0, UINT64_MAX};
	unsigned endless = 0;

	for (unsigned i = 0; i < CALIBRATION_TRIES; i++) {
		struct bounds now = count_down();

		if (now.most >= CALIBRATION_LIMIT && ++endless == CALIBRATION_ENDLESS)
			return 0;
		if (now.most - now.least < best.most - best.least)
			best = now;
		if (best.most - best.least <= best.most / 64)
			break;
	}
	/* Each time OUT2 was set at the first read, so it does not show the end. */
	if (best.least == 0)
		return 0;
	return (best.least + best.most) / 2 * CALIBRATION_HZ;
}

void tsc_init(void)
{
	frequency = from_pit();
	if (frequency == 0)
		frequency = from_cpuid();
	if (frequency == 0)
		frequency = FALLBACK_HZ;
}

uint64_t tsc_frequency(void)
{
	return frequency;
}

uint64_t machine_cycles(void)
{
	return rdtsc();
}

const char *machine_cycles_unit(void)
{
	return "tsc";
}

uint64_t machine_ticks(void)
{
	return rdtsc();
}

uint64_t machine_ticks_per_second(void)
{
	return frequency;
}
