/*
 * A VMCS's first contents, group by group as SDM vol. 3C, ch. 25 describes them, so that the
 * checks of ch. 27 pass and the guest starts as guests/abi.h promises.
 */
#include "machine/x86_64/cpu.h"
#include "machine/x86_64/desc.h"
#include "machine/x86_64/traps.h"
#include "vmx/caps.h"
#include "vmx/insn.h"
#include "vmx/vmx.h"

/* In enter.S: where the CPU goes on when a guest exits. */
extern const uint8_t vmx_exit_point[];

/*
 * MSRs that a guest may use without an exit, because its VMCS holds them (or, for the TSC,
 * because there is nothing to hold): reads in the first half of the bitmap, writes in the
 * second; each half has 0 and up, then 0xc000_0000 and up (25.6.9). A 1 exits.
 */
#define MSR_SYSENTER_CS  0x174U
#define MSR_SYSENTER_ESP 0x175U
#define MSR_SYSENTER_EIP 0x176U

#define BITMAP_HALF 2048U
#define BITMAP_HIGH 1024U

static uint8_t msr_bitmap[MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

/* #DB and #AC, so that a guest that makes them while delivering them exits each time round
 * instead of keeping the CPU for ever (as the CPU would: no interrupt gets in between). */
#define EXCEPTION_DB BIT(1)
#define EXCEPTION_AC BIT(17)

static void pass(uint32_t msr, bool read, bool write)
{
	unsigned byte = (msr & 0x1fff) / 8 + (msr >> 31 ? BITMAP_HIGH : 0);
	uint8_t mask = (uint8_t) ~(1U << msr % 8);

	if (read)
		msr_bitmap[byte] &= mask;
	if (write)
		msr_bitmap[byte + BITMAP_HALF] &= mask;
}

/* Every vCPU's is the same, so filling it again changes nothing. */
static void fill_msr_bitmap(void)
{
	for (size_t i = 0; i < sizeof(msr_bitmap); i++)
		msr_bitmap[i] = 0xff;
	pass(MSR_TSC, true, false);
	pass(MSR_EFER, true, true);
	pass(MSR_FS_BASE, true, true);
	pass(MSR_GS_BASE, true, true);
	pass(MSR_SYSENTER_CS, true, true);
	pass(MSR_SYSENTER_ESP, true, true);
	pass(MSR_SYSENTER_EIP, true, true);
}

static void setup_controls(const struct vmx_vcpu *v)
{
	fill_msr_bitmap();
	vmwrite(VMCS_PIN_CONTROLS, vmx_caps.pin_controls);
	vmwrite(VMCS_PROC_CONTROLS, vmx_caps.proc_controls);
	vmwrite(VMCS_PROC_CONTROLS2, vmx_caps.proc2_controls);
	vmwrite(VMCS_EXIT_CONTROLS, vmx_caps.exit_controls);
	vmwrite(VMCS_ENTRY_CONTROLS, vmx_caps.entry_controls);
	vmwrite(VMCS_EXCEPTION_BITMAP, EXCEPTION_DB | EXCEPTION_AC);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	vmwrite(VMCS_MSR_BITMAP, (uint64_t)(uintptr_t)msr_bitmap);
	vmwrite(VMCS_EPT_POINTER, v->eptp);
	if (vmx_caps.vpid)
		vmwrite(VMCS_VPID, v->vpid);
}

/* What is the same on every CPU; vmx_setup_host_cpu() does the rest. 25.5, 27.2.3. */
static void setup_host(void)
{
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_CS_SELECTOR, SELECTOR_CODE);
	vmwrite(VMCS_HOST_SS_SELECTOR, SELECTOR_DATA);
	vmwrite(VMCS_HOST_DS_SELECTOR, SELECTOR_DATA);
	vmwrite(VMCS_HOST_ES_SELECTOR, SELECTOR_DATA);
	vmwrite(VMCS_HOST_FS_SELECTOR, 0);
	vmwrite(VMCS_HOST_GS_SELECTOR, 0);
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_GS_BASE, 0);
	vmwrite(VMCS_HOST_GDTR_BASE, desc_gdt_base());
	vmwrite(VMCS_HOST_IDTR_BASE, traps_idt_base());
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_RIP, (uint64_t)(uintptr_t)vmx_exit_point);
}

void vmx_setup_host_cpu(unsigned cpu)
{
	vmwrite(VMCS_HOST_TR_SELECTOR, desc_tss_selector(cpu));
	vmwrite(VMCS_HOST_TR_BASE, desc_tss_base(cpu));
}

static void setup_segments(void)
{
	for (unsigned i = 0; i < SEGMENT_COUNT; i++) {
		const struct x86_segment_state *s = &guest_start_segments[i];

		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_SELECTOR, i), s->selector);
		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_BASE, i), s->base);
		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_LIMIT, i), s->limit);
		vmwrite(VMCS_SEGMENT(VMCS_GUEST_ES_ACCESS, i), s->access);
	}
	vmwrite(VMCS_GUEST_GDTR_BASE, 0);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, 0);
	vmwrite(VMCS_GUEST_IDTR_BASE, 0);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0);
}

/*
 * The guest owns PE and PG (it is unrestricted) and all of CR0 that VMX leaves free, but not NW
 * and CD: caches stay on. A change of a bit that it does not own exits; reads of those show the
 * shadow. VMX wants NE and CR4.VMXE set (A.7, A.8).
 */
static void setup_control_registers(void)
{
	uint64_t free0 = rdmsr(MSR_VMX_CR0_FIXED1) & ~rdmsr(MSR_VMX_CR0_FIXED0);
	uint64_t fixed4 = rdmsr(MSR_VMX_CR4_FIXED0);
	uint64_t own0 = (free0 | CR0_PE | CR0_PG) & ~(CR0_NW | CR0_CD);
	uint64_t own4 = guest_cr4_allowed() & rdmsr(MSR_VMX_CR4_FIXED1) & ~fixed4;

	vmwrite(VMCS_GUEST_CR0, GUEST_START_CR0);
	vmwrite(VMCS_CR0_SHADOW, GUEST_START_CR0);
	vmwrite(VMCS_CR0_MASK, ~own0);
	vmwrite(VMCS_GUEST_CR3, 0);
	vmwrite(VMCS_GUEST_CR4, fixed4);
	vmwrite(VMCS_CR4_SHADOW, 0);
	vmwrite(VMCS_CR4_MASK, ~own4);
}

static void setup_guest(const struct vcpu_config *config)
{
	setup_segments();
	setup_control_registers();
	vmwrite(VMCS_GUEST_EFER, 0);
	vmwrite(VMCS_GUEST_DR7, GUEST_START_DR7);
	vmwrite(VMCS_GUEST_RIP, config->entry);
	vmwrite(VMCS_GUEST_RSP, 0);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_ONE);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
	vmwrite(VMCS_LINK_POINTER, UINT64_MAX);
}

void vmx_setup(const struct vmx_vcpu *v, const struct vcpu_config *config)
{
	setup_controls(v);
	setup_host();
	setup_guest(config);
}
