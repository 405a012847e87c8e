/* SPDX-License-Identifier: BSD-2-Clause */
/* Traps and interrupts of the hypervisor: SDM vol. 3, ch. 6. See trap.h. */
#include "machine/x86_64/trap.h"

#include "kick.h"
#include "log.h"
#include "machine.h"
#include "machine/x86_64/apic.h"
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "mm/compiler.h"
#include <stdatomic.h>

/* What trap.S and the CPU push on the stack, lowest address first. */
struct trap_frame {
	uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* A 64-bit interrupt gate: SDM vol. 3, figure 6-8. */
struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

#define GATE_INTERRUPT 0x8eU /* present, DPL 0, interrupts off inside */
#define VECTORS        256U
#define ENTRY_SIZE     16U
#define DOUBLE_FAULT   8U
#define PAGE_FAULT     14U
#define MACHINE_CHECK  18U

extern const uint8_t trap_entries[VECTORS * ENTRY_SIZE];
extern const uint8_t __ImageBase[]; /* from the linker: the load address of the image */

static struct gate idt[VECTORS] MM_ALIGNED_TO(16);

static const char *const trap_names[] = {
	"#DE divide error",
	"#DB debug",
	"NMI",
	"#BP breakpoint",
	"#OF overflow",
	"#BR bound range",
	"#UD invalid opcode",
	"#NM device not available",
	"#DF double fault",
	"coprocessor segment overrun",
	"#TS invalid TSS",
	"#NP segment not present",
	"#SS stack fault",
	"#GP general protection",
	"#PF page fault",
	"reserved",
	"#MF x87 error",
	"#AC alignment check",
	"#MC machine check",
	"#XM SIMD exception",
	"#VE virtualization exception",
	"#CP control protection",
};

static const char *trap_name(uint64_t vector)
{
	return vector < MM_ARRAY_SIZE(trap_names) ? trap_names[vector] : "interrupt";
}

_Noreturn static void report(const struct trap_frame *f)
{
	log_line(LOG_QUIET, "trap rip=0x%llx cs=0x%llx rflags=0x%llx rsp=0x%llx ss=0x%llx", f->rip,
	         f->cs, f->rflags, f->rsp, f->ss);
	log_line(LOG_QUIET,
	         "trap rax=0x%llx rbx=0x%llx rcx=0x%llx rdx=0x%llx rsi=0x%llx rdi=0x%llx", f->rax,
	         f->rbx, f->rcx, f->rdx, f->rsi, f->rdi);
	log_line(LOG_QUIET, "trap rbp=0x%llx r8=0x%llx r9=0x%llx r10=0x%llx r11=0x%llx", f->rbp,
	         f->r8, f->r9, f->r10, f->r11);
	log_line(LOG_QUIET, "trap r12=0x%llx r13=0x%llx r14=0x%llx r15=0x%llx", f->r12, f->r13,
	         f->r14, f->r15);
	log_line(LOG_QUIET, "trap cr0=0x%llx cr2=0x%llx cr3=0x%llx cr4=0x%llx efer=0x%llx",
	         read_cr0(), read_cr2(), read_cr3(), read_cr4(), rdmsr(MSR_EFER));
	panic("host trap %llu (%s) error=0x%llx rip=0x%llx image+0x%llx cpu=%u", f->vector,
	      trap_name(f->vector), f->error, f->rip, f->rip - (uint64_t)(uintptr_t)__ImageBase,
	      machine_cpu_index());
}

void trap_external_interrupt(unsigned vector)
{
	switch (vector) {
	case VECTOR_TIMER:
		apic_end_of_interrupt();
		return;
	case VECTOR_KICK:
		apic_end_of_interrupt();
		kick_came(machine_cpu_index(), KICK_RUN);
		return;
	case VECTOR_FLUSH:
		apic_end_of_interrupt();
		kick_came(machine_cpu_index(), KICK_FLUSH);
		return;
	case VECTOR_SPURIOUS:
		return;
	default:
		panic("interrupt on vector 0x%x, which is not used", vector);
	}
}

static _Atomic bool stopping;
static _Atomic uint64_t stopped_at[MACHINE_MAX_CPUS];

void trap_stop_by_nmi(void)
{
	atomic_store(&stopping, true);
}

uint64_t trap_stopped_at(unsigned cpu)
{
	return atomic_load(&stopped_at[cpu]);
}

_Noreturn static void stop(const struct trap_frame *frame)
{
	atomic_store(&stopped_at[machine_cpu_index()], frame->rip);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void trap_handle(const struct trap_frame *frame);

/* Called by trap.S. */
void trap_handle(const struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_KICK:
	case VECTOR_FLUSH:
	case VECTOR_TIMER:
	case VECTOR_SPURIOUS:
		trap_external_interrupt((unsigned)frame->vector);
		return;
	case VECTOR_NMI:
		if (atomic_load(&stopping))
			stop(frame);
		break;
	default:
		break;
	}
	report(frame);
}

static uint8_t stack_of(unsigned vector)
{
	switch (vector) {
	case DOUBLE_FAULT:
	case MACHINE_CHECK:
		return IST_FAULT;
	case VECTOR_NMI:
		return IST_NMI;
	default:
		return IST_NONE;
	}
}

void trap_init(void)
{
	for (unsigned v = 0; v < VECTORS; v++) {
		uint64_t entry = (uint64_t)(uintptr_t)(trap_entries + v * ENTRY_SIZE);

		idt[v] = (struct gate){
			.offset_low = (uint16_t)entry,
			.selector = SELECTOR_CODE,
			.ist = stack_of(v),
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(entry >> 16),
			.offset_high = (uint32_t)(entry >> 32),
		};
	}
}

void trap_init_cpu(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} MM_PACKED pointer = {sizeof(idt) - 1, trap_idt_base()};

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

uint64_t trap_idt_base(void)
{
	return (uint64_t)(uintptr_t)idt;
}
