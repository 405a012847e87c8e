# SPDX-License-Identifier: BSD-2-Clause
"""Defects of machine/x86_64/."""

from . import Defect

DEFECTS = [
    # --- apic.c ---
    Defect("x2apic-never", ("machine/x86_64/apic.c", "x2apic = (msr & APIC_BASE_EXTD) || (ecx & CPUID1_ECX_X2APIC);", "x2apic = false;"),
           unseen="xAPIC mode does the same with these numbers of CPUs"),
    Defect("wrong-eoi-register", ("machine/x86_64/apic.c", "#define APIC_EOI        0x0b0U", "#define APIC_EOI        0x0a0U"), cases="timer.*"),
    Defect("no-end-of-interrupt", ("machine/x86_64/apic.c", "apic_write(APIC_EOI, 0);", ""), cases="timer.*"),
    Defect("apic-id-not-shifted", ("machine/x86_64/apic.c", "apic_read(APIC_ID) >> 24", "apic_read(APIC_ID)"), cases="smp.2*"),
    Defect("ipi-to-self", ("machine/x86_64/apic.c", "apic_write(APIC_ICR2, target << 24);", "apic_write(APIC_ICR2, 0);"), cases="smp.2*"),
    Defect("ipi-nmi", ("machine/x86_64/apic.c", "FIELD_PREP(ICR_MODE, MODE_FIXED)", "FIELD_PREP(ICR_MODE, MODE_NMI)"), cases="smp.2*"),
    Defect("ipi-no-vector", ("machine/x86_64/apic.c", "FIELD_PREP(ICR_MODE, MODE_FIXED) | FIELD_PREP(ICR_VECTOR, vector)", "FIELD_PREP(ICR_MODE, MODE_FIXED)"), cases="smp.2*"),
    Defect("startup-page", ("machine/x86_64/apic.c", "FIELD_PREP(ICR_MODE, MODE_STARTUP) | FIELD_PREP(ICR_VECTOR, page)",
                            "FIELD_PREP(ICR_MODE, MODE_STARTUP) | FIELD_PREP(ICR_VECTOR, page + 1)"), cases="smp.2*"),
    Defect("no-init-ipi", ("machine/x86_64/apic.c", "ICR_ASSERT | FIELD_PREP(ICR_MODE, MODE_INIT)", "ICR_ASSERT | FIELD_PREP(ICR_MODE, MODE_FIXED)"), cases="smp.2*"),
    Defect("apic-not-enabled", ("machine/x86_64/apic.c", "(uint32_t)(SVR_ENABLE | VECTOR_SPURIOUS)", "(uint32_t)VECTOR_SPURIOUS"), cases="timer.*"),
    Defect("timer-masked", ("machine/x86_64/apic.c", "apic_write(APIC_LVT_TIMER, VECTOR_TIMER);", ""), cases="timer.*"),
    Defect("timer-wrong-vector", ("machine/x86_64/apic.c", "apic_write(APIC_LVT_TIMER, VECTOR_TIMER);", "apic_write(APIC_LVT_TIMER, VECTOR_TIMER + 1);"), cases="timer.*"),
    Defect("timer-disarm", ("machine/x86_64/apic.c", "if (tsc_deadline == UINT64_MAX) {\n\t\tapic_write(APIC_TIMER_INIT, 0);\n\t\treturn;\n\t}", ""),
           unseen="an interrupt of the timer without a deadline is taken and ignored"),
    Defect("timer-ticks-zero", ("machine/x86_64/apic.c", "(left * timer_ratio >> 20) + 1", "left * timer_ratio >> 40"), cases="timer.*"),
    Defect("timer-never", ("machine/x86_64/apic.c", "tsc_deadline > now ? tsc_deadline - now : 0", "now != 0 ? UINT64_MAX : 0"), cases="timer.*"),
    Defect("timer-too-early", ("machine/x86_64/apic.c", "left * timer_ratio >> 20", "left * timer_ratio >> 23"), cases="timer.x86.*", on="svm"),
    Defect("armed-not-noted", ("machine/x86_64/apic.c", "armed[machine_cpu_index()] = tsc_deadline;", ""), cases="*"),
    # --- cpu.c ---
    Defect("index-off-by-one", ("machine/x86_64/cpu.c", "(tr - SELECTOR_TSS) / TSS_DESC_SIZE", "(tr - SELECTOR_TSS) / TSS_DESC_SIZE + 1"), cases="lazy.*"),
    Defect("index-always-0", ("machine/x86_64/cpu.c", "return (tr - SELECTOR_TSS) / TSS_DESC_SIZE;", "(void)tr;\n\treturn 0;"), cases="smp.*"),
    Defect("zero-half", ("machine/x86_64/cpu.c", "size_t words = bytes / 8;", "size_t words = bytes / 16;"), cases="vms.*"),
    Defect("zero-without-last-word", ("machine/x86_64/cpu.c", "size_t words = bytes / 8;", "size_t words = bytes / 8 - 1;"), cases="vms.*"),
    Defect("zero-ones", ("machine/x86_64/cpu.c", '"a"(UINT64_C(0))', '"a"(UINT64_C(1))'), cases="lazy.*"),
    # --- desc.c ---
    Defect("no-nmi-stack", ("machine/x86_64/desc.c", "tss[cpu].ist[IST_NMI - 1] = stack_top(ist_stacks[cpu][1]);", ""), cases="selftest.hang*"),
    Defect("code-not-64-bit", ("machine/x86_64/desc.c", "DESC_LONG | DESC_GRANULE", "DESC_GRANULE"), cases="lazy.first*"),
    Defect("tss-of-cpu-0", ("machine/x86_64/desc.c", "(uint32_t)desc_tss_selector(cpu)", "(uint32_t)desc_tss_selector(0)"), cases="smp.*"),
    Defect("tss-base-truncated", ("machine/x86_64/desc.c", "words[1] = base >> 32;", "words[1] = 1;"), cases="selftest.hang*"),
    # --- power.c ---
    Defect("power-status", ("machine/x86_64/power.c", "QEMU_BASE + (uint32_t)status", "QEMU_BASE"), cases="selftest.fail*",
           unseen="the verdict in the log counts, too: tests/boot/x86_64-bad-input.t has the status"),
    # --- smp.c ---
    Defect("kick-by-number", ("machine/x86_64/smp.c", "apic_send_fixed(cpu_apic_ids[cpu], VECTOR_KICK);", "apic_send_fixed(cpu_apic_ids[0], VECTOR_KICK);"), cases="smp.*"),
    Defect("no-kick", ("machine/x86_64/smp.c", "apic_send_fixed(cpu_apic_ids[cpu], VECTOR_KICK);", "(void)cpu;"), cases="smp.*"),
    Defect("no-flush-kick", ("machine/x86_64/smp.c", "apic_send_fixed(cpu_apic_ids[cpu], VECTOR_FLUSH);", "(void)cpu;"), cases="smp.*"),
    Defect("flush-kick-as-kick", ("machine/x86_64/smp.c", "apic_send_fixed(cpu_apic_ids[cpu], VECTOR_FLUSH);", "apic_send_fixed(cpu_apic_ids[cpu], VECTOR_KICK);"), cases="smp.*"),
    Defect("sleep-without-interrupts", ("machine/x86_64/smp.c", '"sti; hlt; cli"', '"hlt; cli"'), cases="smp.2*"),
    Defect("sleep-without-timer", ("machine/x86_64/smp.c", "apic_timer_arm(rdtsc() + tsc_frequency());", ""),
           unseen="only a lost kick would show it"),
    Defect("sleep-forgets-timer", ("machine/x86_64/smp.c", "apic_timer_arm(armed > rdtsc() ? armed : UINT64_MAX);", "(void)armed;"),
           unseen="the next entry sets the timer again if its deadline has changed; the sleep's own is earlier"),
    Defect("stop-wrong-cpu", ("machine/x86_64/smp.c", "apic_send_nmi(cpu_apic_ids[cpu]);", "apic_send_nmi(cpu_apic_ids[0]);"), cases="selftest.hang*",
           unseen="selftest.hang.* is selected by name only: tests/boot/x86_64-hang.t"),
    # --- start.c, start.S ---
    Defect("cpus-one-less", ("machine/x86_64/start.c", "while (cpus_up < wanted && cpus_up < known &&", "while (cpus_up + 1 < wanted && cpus_up < known &&"), cases="capability.* smp.*"),
    Defect("one-stack", ("machine/x86_64/start.c", "(uint64_t)(uintptr_t)stacks[cpu] + STACK_SIZE", "(uint64_t)(uintptr_t)stacks[1] + STACK_SIZE"), cases="smp.*"),
    Defect("secondary-without-idt", ("machine/x86_64/start.c", "trap_init_cpu();", ""), cases="smp.2*"),
    Defect("secondary-without-apic", ("machine/x86_64/start.c", "apic_init_cpu();", ""), cases="smp.2*"),
    Defect("secondary-is-cpu-1", ("machine/x86_64/start.c", "desc_init_cpu((unsigned)cpu);", "desc_init_cpu(1);"), cases="smp.*"),
    Defect("second-startup-missing", ("machine/x86_64/start.c", "if (atomic_load(&arrived) != cpu)\n\t\tapic_send_startup(cpu_apic_ids[cpu], page);", ""),
           unseen="emulators start a CPU at the first start-up interrupt"),
    Defect("no-lme", ("machine/x86_64/start.S", "movl $0xc0000080, %ecx", "movl $0xc0000081, %ecx"), cases="smp.2*"),
    # --- timer.c ---
    Defect("tsc-100-times-faster", ("machine/x86_64/timer.c", "(best.least + best.most) / 2 * CALIBRATION_HZ", "(best.least + best.most) * 50 * CALIBRATION_HZ"), cases="timer.*"),
    Defect("pit-count", ("machine/x86_64/timer.c", "PIT_HZ / CALIBRATION_HZ", "PIT_HZ / CALIBRATION_HZ / 4"), cases="timer.*"),
    # --- trap.c, trap.S ---
    Defect("kick-not-noted", ("machine/x86_64/trap.c", "kick_came(machine_cpu_index(), KICK_RUN);", ""), cases="smp.*"),
    Defect("flush-not-noted", ("machine/x86_64/trap.c", "kick_came(machine_cpu_index(), KICK_FLUSH);", ""), cases="smp.*"),
    Defect("timer-without-eoi", ("machine/x86_64/trap.c", "case VECTOR_TIMER:\n\t\tapic_end_of_interrupt();\n\t\treturn;", "case VECTOR_TIMER:\n\t\treturn;"), cases="timer.*"),
    Defect("kick-panics", ("machine/x86_64/trap.c", "case VECTOR_KICK:\n\tcase VECTOR_FLUSH:\n\tcase VECTOR_TIMER:", "case VECTOR_FLUSH:\n\tcase VECTOR_TIMER:"), cases="smp.*"),
    Defect("gate-offset", ("machine/x86_64/trap.c", ".offset_middle = (uint16_t)(entry >> 16)", ".offset_middle = (uint16_t)(entry >> 17)"), cases="timer.*"),
    Defect("trap-rax-rcx", ("machine/x86_64/trap.S", "popq %rax\n\tpopq %rcx", "popq %rcx\n\tpopq %rax"), cases="*"),
    Defect("trap-r11", ("machine/x86_64/trap.S", "popq %r10\n\tpopq %r11", "popq %r11\n\tpopq %r10"), cases="*"),
    Defect("trap-error-code", ("machine/x86_64/trap.S", "addq $16, %rsp\n\tiretq", "addq $8, %rsp\n\tiretq"), cases="timer.*"),
]
