# SPDX-License-Identifier: BSD-2-Clause
"""Defects of machine/riscv64/."""

from . import Defect

ORDER = "no emulator reorders these accesses"

DEFECTS = [
    # --- cpu.c ---
    Defect("zero-too-short", ("machine/riscv64/zero.c", "} while (at < end);", "} while (at + STORE_BYTES < end);")),
    Defect("zero-blocks-too-few", ("machine/riscv64/zero.c", "for (; at < end; at += bytes) {", "for (; at < end; at += 2 * bytes) {"),
           unseen="QEMU 7.2 has no hart with Zicboz; QEMU 10 shows it (memory.*)"),
    Defect("zero-not-tried", ("machine/riscv64/zero.c", "if (bytes != 0 && !clears(bytes))", "if (false)"),
           unseen="no emulator lists Zicboz and traps cbo.zero"),
    Defect("zero-one-word-short", ("machine/riscv64/zero.c", '".rept %c1 / 8\\n\\t"', '".rept %c1 / 8 - 1\\n\\t"')),
    Defect("index-of-boot-hart", ("machine/riscv64/cpu.c", "return this_cpu()->index;", "return 0;")),
    Defect("count-one", ("machine/riscv64/cpu.c", "return cpus_up;", "return 1;")),
    Defect("root-half", ("machine/riscv64/cpu.c", "#define LOWER_HALF   256", "#define LOWER_HALF   2")),
    Defect("satp-bare", ("machine/riscv64/cpu.c", "FIELD_PREP(ATP_MODE, ATP_SV39) |", "FIELD_PREP(ATP_MODE, ATP_BARE) |")),
    Defect("software-interrupt-off", ("machine/riscv64/cpu.c", "INTERRUPT_SOFTWARE | INTERRUPT_TIMER", "INTERRUPT_TIMER")),
    Defect("timer-interrupt-off", ("machine/riscv64/cpu.c", "INTERRUPT_SOFTWARE | INTERRUPT_TIMER", "INTERRUPT_SOFTWARE")),
    Defect("no-sfence", ("machine/riscv64/cpu.c", '__asm__ volatile("sfence.vma" ::: "memory");', ""), unseen="from bare to a mode no fence is needed in an emulator"),
    # --- smp.c ---
    Defect("kick-to-hart-0", ("machine/riscv64/smp.c", "sbi_call(SBI_IPI, SBI_IPI_SEND, 1, cpu_table[cpu].hart, 0, 0, 0);", "sbi_call(SBI_IPI, SBI_IPI_SEND, 1, cpu_table[cpu].hart & 0, 0, 0, 0);")),
    Defect("kick-never-sent", ("machine/riscv64/smp.c", "send_software_interrupt(cpu);\n}\n\n/* --- stopping", "(void)cpu;\n}\n\n/* --- stopping")),
    Defect("kick-not-cleared", ("machine/riscv64/smp.c", "csr_clear(sip, INTERRUPT_SOFTWARE);", "")),
    Defect("kick-not-noted", ("machine/riscv64/smp.c", "kick_came(machine_cpu_index(), KICK_RUN);", "")),
    Defect("never-stops", ("machine/riscv64/smp.c", "if (atomic_load(&stopping))", "if (false)"), unseen="only the report on a hang stops harts: tests/boot/riscv64-hang.t"),
    Defect("mask-of-one-hart", ("machine/riscv64/smp.c", "harts.mask |= BIT(hart % 64);", "harts.mask = BIT(hart % 64);")),
    Defect("mask-off-by-one", ("machine/riscv64/smp.c", "harts.mask |= BIT(hart % 64);", "harts.mask |= BIT((hart + 1) % 64);")),
    Defect("last-hart-forgotten", ("machine/riscv64/smp.c", "for (unsigned i = 0; i < cpus_up; i++) {", "for (unsigned i = 0; i + 1 < cpus_up; i++) {")),
    Defect("first-hart-forgotten", ("machine/riscv64/smp.c", "for (unsigned i = 0; i < cpus_up; i++) {", "for (unsigned i = 1; i < cpus_up; i++) {")),
    Defect("others-include-this", ("machine/riscv64/smp.c", "if (&cpu_table[i] == this_cpu() || !wanted", "if (!wanted"), unseen="one fence more than needed"),
    Defect("no-code-fence", ("machine/riscv64/smp.c", '__asm__ volatile("fence rw, rw\\n\\tfence.i" ::: "memory");', ""), unseen="TCG and Spike see each store to code"),
    Defect("no-remote-code-fence", ("machine/riscv64/smp.c", "smp_for_others(has_guest, remote_fence_i, NULL);", ""), unseen="TCG and Spike see each store to code"),
    Defect("sleep-without-timer", ("machine/riscv64/smp.c", "timer_set(this_cpu(), ticks);", ""), unseen="a kick ends the sleep; only a lost kick shows it"),
    # --- start.c ---
    Defect("last-hart-not-started", ("machine/riscv64/start.c", "i < boot->cpus; i++)", "i + 1 < boot->cpus; i++)")),
    Defect("one-trap-stack", ("machine/riscv64/start.c", "trap_stacks[index] + CPU_TRAP_STACK_BYTES", "trap_stacks[0] + CPU_TRAP_STACK_BYTES"), unseen="two harts would have to report traps at once"),
    Defect("one-stack", ("machine/riscv64/start.c", "cpu->stack_top = stacks[index] + CPU_STACK_BYTES;", "cpu->stack_top = stacks[1] + CPU_STACK_BYTES;")),
    Defect("hart-is-index", ("machine/riscv64/start.c", "cpu->hart = hart;", "cpu->hart = index - 1;")),
    Defect("stack-from-below", ("machine/riscv64/start.c", "cpu->stack_top = stacks[index] + CPU_STACK_BYTES;", "cpu->stack_top = stacks[index];")),
    # --- timer.c ---
    Defect("deadline-not-noted", ("machine/riscv64/timer.c", "this_cpu()->deadline = deadline;", ""), cases="timer.*"),
    Defect("due-inverted", ("machine/riscv64/timer.c", "if (machine_ticks() >= cpu->deadline)\n\t\treturn true;", "if (machine_ticks() < cpu->deadline)\n\t\treturn true;")),
    Defect("never-due", ("machine/riscv64/timer.c", "if (machine_ticks() >= cpu->deadline)\n\t\treturn true;", "")),
    Defect("deadline-half", ("machine/riscv64/timer.c", "csr_write(STIMECMP, deadline);", "csr_write(STIMECMP, deadline & UINT32_MAX);"), unseen="costs exits, and the deadline is compared again"),
    Defect("timer-by-sbi-lost", ("machine/riscv64/timer.c", "sbi_call(SBI_TIME, SBI_TIME_SET, deadline, 0, 0, 0, 0);", ";"), on="riscv64-sstc-off"),
    Defect("instret-not-used", ("machine/riscv64/timer.c", "counter = COUNTER_INSTRET;", "counter = COUNTER_CYCLE;"), cases="riscv.machine.*"),
    Defect("time-is-zero", ("machine/riscv64/timer.c", "return has_time ? csr_read(time) : 0;", "return has_time ? csr_read(time) >> 40 : 0;")),
    Defect("frequency-half", ("machine/riscv64/timer.c", "frequency = value;", "frequency = value / 2;"), cases="riscv.machine.*"),
    Defect("frequency-doubled", ("machine/riscv64/timer.c", "return frequency;", "return frequency * 2;"), cases="riscv.machine.*"),
    Defect("frequency-ignored", ("machine/riscv64/timer.c", "frequency = value;", ""), unseen="QEMU's and Spike's frequency is the default value, or a limit for hangs"),
    # --- isa.c ---
    Defect("isa-last-letter", ("machine/riscv64/isa.c", "*at != '\\0' && *at != '_'; at++)\n\t\tif (letter", "at[1] != '\\0' && *at != '_'; at++)\n\t\tif (letter"), cases="riscv.machine.*"),
    Defect("isa-prefix-is-word", ("machine/riscv64/isa.c", "return *text == '\\0' || *text == '_';", "return true;"), cases="riscv.machine.*"),
    Defect("isa-other-hart", ("machine/riscv64/isa.c", "|| reg.start.raw != hart)", ")"), unseen="all harts of an emulator are alike"),
    # --- trap.S, start.S, console.c, power.c, machine.c ---
    Defect("catch-by-sret", ("machine/riscv64/trap.S", "jr\tt0", "csrw\tsepc, t0\n\tsret")),
    Defect("test-device-status", ("machine/riscv64/power.c", "(uint32_t)status << 16 | TEST_FAIL", "TEST_PASS"), unseen="a good run does not fail; tests/boot/riscv64-bad-input.t sees it"),
    Defect("signs-swapped", ("machine/riscv64/machine.c", ".marchid = ask(SBI_BASE_MARCHID),", ".marchid = ask(SBI_BASE_MVENDORID),"), cases="riscv.machine.*"),
]
