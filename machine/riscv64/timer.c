/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, deadlines and the instruction counter: see timer.h, and machine.h under "time".
 */
#include "machine/riscv64/timer.h"

#include "machine.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/trap.h"

static uint64_t frequency = 10000000;
static bool sstc;

/* The first of these that can be read. Zicntr is optional, and firmware may have disabled counters
 * in mcounteren. */
static enum {
	COUNTER_UNKNOWN,
	COUNTER_INSTRET,
	COUNTER_CYCLE,
	COUNTER_TIME,
	COUNTER_NONE,
} counter;
static bool has_time;

#define CAN_READ(csr)                                                                              \
	({                                                                                         \
		uint64_t csr_value_;                                                               \
		bool csr_ok_;                                                                      \
		__asm__ volatile(CATCH("csrr %[value], " csr)                                      \
		                 : [ok] "=&r"(csr_ok_), [value] "=&r"(csr_value_)::"t0",           \
		                   "memory");                                                      \
		(void)csr_value_;                                                                  \
		csr_ok_;                                                                           \
	})

static void find_counters(void)
{
	has_time = CAN_READ("time");
	if (CAN_READ("instret"))
		counter = COUNTER_INSTRET;
	else if (CAN_READ("cycle"))
		counter = COUNTER_CYCLE;
	else
		counter = has_time ? COUNTER_TIME : COUNTER_NONE;
}

void timer_read_frequency(const struct fdt *fdt)
{
	struct fdt_node cpus;
	uint64_t value;

	if (fdt_find_path(fdt, "/cpus", &cpus) &&
	    fdt_get_u64(fdt, &cpus, "timebase-frequency", &value) && value != 0)
		frequency = value;
}

void timer_init(void)
{
	uint64_t value;

	if (counter == COUNTER_UNKNOWN)
		find_counters();
	/* An illegal instruction, unless the hart has Sstc and firmware has set menvcfg.STCE. */
	__asm__ volatile(CATCH("csrr %[value], 0x14d")
	                 : [ok] "=&r"(sstc), [value] "=&r"(value)::"t0", "memory");
	timer_program(UINT64_MAX);
}

bool timer_has_time(void)
{
	return has_time;
}

bool timer_has_sstc(void)
{
	return sstc;
}

void timer_program(uint64_t deadline)
{
	if (sstc)
		csr_write(STIMECMP, deadline);
	else
		sbi_call(SBI_TIME, SBI_TIME_SET, deadline, 0, 0, 0, 0);
	this_cpu()->deadline = deadline;
}

/* The interrupt is level-triggered: it is pending while time >= the deadline. QEMU 7.2 may deliver
 * that of the previous deadline, if it passed while the new one was set, and keeps it pending. */
bool timer_is_due(struct cpu *cpu)
{
	if (machine_ticks() >= cpu->deadline)
		return true;
	timer_program(cpu->deadline);
	return false;
}

uint64_t machine_ticks(void)
{
	return has_time ? csr_read(time) : 0;
}

uint64_t machine_ticks_per_second(void)
{
	return frequency;
}

uint64_t machine_cycles(void)
{
	switch (counter) {
	case COUNTER_INSTRET:
		return csr_read(instret);
	case COUNTER_CYCLE:
		return csr_read(cycle);
	case COUNTER_TIME:
		return csr_read(time);
	default:
		return 0;
	}
}

const char *machine_cycles_unit(void)
{
	static const char *const units[] = {
		[COUNTER_UNKNOWN] = "none", [COUNTER_INSTRET] = "instructions",
		[COUNTER_CYCLE] = "cycles", [COUNTER_TIME] = "ticks",
		[COUNTER_NONE] = "none",
	};

	return units[counter];
}
