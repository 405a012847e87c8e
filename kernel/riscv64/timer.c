/*
 * Time, deadlines and the instruction counter: timer.h, and that part of machine.h.
 */
#include "kernel/riscv64/timer.h"

#include "kernel/riscv64/csr.h"
#include "kernel/riscv64/sbi.h"
#include "kernel/riscv64/trap.h"
#include "machine.h"

static uint64_t frequency = 10000000;
static bool sstc;

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

	/* Illegal unless the hart has Sstc and the firmware set menvcfg.STCE. */
	__asm__ volatile(CATCH("csrr %[value], 0x14d")
	                 : [ok] "=&r"(sstc), [value] "=&r"(value)::"t0", "memory");
	timer_program(UINT64_MAX);
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

/* The interrupt is level: it is pending while time >= the value. But QEMU 7.2 may deliver the one
 * of the value before, if that ran out while this one was being set, and keeps it pending. */
bool timer_is_due(struct cpu *cpu)
{
	if (machine_ticks() >= cpu->deadline)
		return true;
	timer_program(cpu->deadline);
	return false;
}

uint64_t machine_ticks(void)
{
	return csr_read(time);
}

uint64_t machine_ticks_per_second(void)
{
	return frequency;
}

uint64_t machine_cycles(void)
{
	return csr_read(instret);
}

const char *machine_cycles_unit(void)
{
	return "instructions";
}
