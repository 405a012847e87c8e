/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several harts: software interrupts between them, sleep, and fences. A software interrupt wakes a
 * hart that sleeps, and ends a guest's run.
 */
#include "machine/riscv64/smp.h"

#include "kick.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/sbi.h"
#include "machine/riscv64/timer.h"

/* How often harts that wait for another one look, if they are not kicked: all of them together. An
 * emulator may run many harts on few CPUs. */
#define WAKES_PER_SECOND 40000

static void send_software_interrupt(unsigned cpu)
{
	sbi_call(SBI_IPI, SBI_IPI_SEND, 1, cpu_table[cpu].hart, 0, 0, 0);
}

void machine_kick(unsigned cpu)
{
	if (!kick_is_lost(KICK_RUN))
		send_software_interrupt(cpu);
}

/* --- stopping, for the report on a hang --- */

/* The hypervisor runs with interrupts masked, and the SBI has no NMI. So a hart stops where it
 * takes its kicks: in its sleep, or after a guest's exit. */
static _Atomic bool stopping;
static _Atomic uint64_t stopped_at[MACHINE_MAX_CPUS];

_Noreturn static void stop(uint64_t pc)
{
	atomic_store(&stopped_at[machine_cpu_index()], pc);
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("wfi");
}

void machine_allow_stop(void)
{
}

bool machine_stop_cpu(unsigned cpu, uint64_t *pc)
{
	uint64_t end = machine_ticks() + machine_ticks_per_second();

	atomic_store(&stopping, true);
	send_software_interrupt(cpu);
	while ((*pc = atomic_load(&stopped_at[cpu])) == 0 && machine_ticks() < end)
		machine_relax();
	return *pc != 0;
}

/* --- taking kicks --- */

/* The interrupt is cleared first: a kick that comes after that is pending again. */
void smp_take_kick(void)
{
	if ((csr_read(sip) & INTERRUPT_SOFTWARE) == 0)
		return;
	csr_clear(sip, INTERRUPT_SOFTWARE);
	kick_came(machine_cpu_index(), KICK_RUN);
	if (atomic_load(&stopping))
		stop((uint64_t)(uintptr_t)__builtin_return_address(0));
}

/* Sleeps until a kick arrives, or until machine_ticks() reaches `ticks`. A pending kick ends WFI
 * at once. */
static void sleep_until(uint64_t ticks)
{
	timer_set(this_cpu(), ticks);
	__asm__ volatile("wfi");
	smp_take_kick();
}

void machine_sleep(void)
{
	sleep_until(timer_has_time() ? machine_ticks() + machine_ticks_per_second() : UINT64_MAX);
}

/* A hart that spins would delay the others where an emulator runs the harts in turn (QEMU with
 * -icount). */
void machine_pause(void)
{
	sleep_until(machine_ticks() +
	            machine_ticks_per_second() * machine_cpu_count() / WAKES_PER_SECOND);
}

/* --- fences on other harts --- */

/* SBI takes a set of harts as 64 bits that count from a base. */
void smp_for_others(bool (*wanted)(struct cpu *cpu, void *arg),
                    void (*fn)(struct hart_mask harts, void *arg), void *arg)
{
	struct hart_mask harts = {0, 0};

	for (unsigned i = 0; i < cpus_up; i++) {
		uint64_t hart = cpu_table[i].hart;

		if (&cpu_table[i] == this_cpu() || !wanted(&cpu_table[i], arg))
			continue;
		if (harts.mask != 0 && harts.base != mm_align_down(hart, 64)) {
			fn(harts, arg);
			harts.mask = 0;
		}
		harts.base = mm_align_down(hart, 64);
		harts.mask |= BIT(hart % 64);
	}
	if (harts.mask != 0)
		fn(harts, arg);
}

static bool has_guest(struct cpu *cpu, void *arg)
{
	(void)arg;
	return atomic_load_explicit(&cpu->guest_root, memory_order_seq_cst) != 0;
}

static void remote_fence_i(struct hart_mask harts, void *arg)
{
	(void)arg;
	sbi_call(SBI_RFENCE, SBI_RFENCE_FENCE_I, harts.mask, harts.base, 0, 0, 0);
}

/*
 * FENCE.I orders the fetches of one hart alone (Zifencei), so the firmware asks the other harts
 * that have a guest to execute it, too. A hart that gets a guest later executes it then: hext/.
 */
void machine_sync_code(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
	__asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
	smp_for_others(has_guest, remote_fence_i, NULL);
}
