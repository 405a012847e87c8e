/*
 * VMX capability MSRs, and the five control words: each capability MSR says in its low half
 * which controls must be 1 and in its high half which may be (SDM vol. 3D, A.2 to A.5).
 */
#include "vmx/caps.h"

#include "machine/x86_64/cpu.h"
#include "mm/compiler.h"
#include "vmx/vmcs.h"

#define MSR_VMX_BASIC        0x480U
#define MSR_VMX_PIN          0x481U
#define MSR_VMX_PROC         0x482U
#define MSR_VMX_EXIT         0x483U
#define MSR_VMX_ENTRY        0x484U
#define MSR_VMX_MISC         0x485U
#define MSR_VMX_PROC2        0x48bU
#define MSR_VMX_EPT_VPID_CAP 0x48cU
#define MSR_VMX_TRUE_PIN     0x48dU
#define MSR_VMX_TRUE_PROC    0x48eU
#define MSR_VMX_TRUE_EXIT    0x48fU
#define MSR_VMX_TRUE_ENTRY   0x490U

#define CPUID7_EDX_L1D_FLUSH         BIT(28)
#define CPUID7_EDX_ARCH_CAPABILITIES BIT(29)

#define BASIC_REVISION   GENMASK(30, 0)
#define BASIC_TRUE       BIT(55) /* the MSRs with TRUE in their names exist */
#define MISC_TIMER_SHIFT GENMASK(4, 0)

struct vmx_caps vmx_caps;

/* A control word is asked for as a set of bits that it must have, and a set that it must not;
 * the CPU decides the rest. */
struct requirement {
	uint64_t bit;
	const char *missing;
};

static const struct requirement proc_needs[] = {
	{PROC_SECONDARY, "no secondary processor-based VM-execution controls"},
	{PROC_HLT_EXITING, "HLT cannot be made to exit"},
	{PROC_IO_EXITING, "port accesses cannot be made to exit"},
	{PROC_MSR_BITMAPS, "no MSR bitmaps"},
	{PROC_CR8_LOAD | PROC_CR8_STORE, "CR8 accesses cannot be made to exit"},
	{PROC_MOV_DR, "debug-register accesses cannot be made to exit"},
	{PROC_RDPMC_EXITING | PROC_MWAIT_EXITING | PROC_MONITOR_EXITING,
         "RDPMC, MONITOR or MWAIT cannot be made to exit"},
};

static const struct requirement proc2_needs[] = {
	{PROC2_EPT, "no extended page tables (EPT)"},
	{PROC2_UNRESTRICTED, "no unrestricted guest"},
};

static const struct requirement ept_needs[] = {
	{EPT_WALK_4, "EPT has no 4-level walk"},
	{EPT_WRITE_BACK, "EPT tables cannot be write-back"},
	{EPT_INVEPT, "no INVEPT"},
	{EPT_INVEPT_ALL, "no all-context INVEPT"},
};

static const struct requirement pin_needs[] = {
	{PIN_INTERRUPT_EXITING, "external interrupts cannot be made to exit"},
	{PIN_NMI_EXITING, "NMIs cannot be made to exit"},
};

static const struct requirement exit_needs[] = {
	{EXIT_HOST_64, "exits cannot lead to 64-bit mode"},
	{EXIT_ACKNOWLEDGE, "exits cannot acknowledge interrupts"},
	{EXIT_SAVE_EFER | EXIT_LOAD_EFER, "exits cannot switch EFER"},
};

static const struct requirement entry_needs[] = {
	{ENTRY_LOAD_EFER, "entries cannot load EFER"},
};

static const char *unmet(const struct requirement *needs, size_t count, uint64_t have)
{
	for (size_t i = 0; i < count; i++) {
		if ((needs[i].bit & ~have) != 0)
			return needs[i].missing;
	}
	return NULL;
}

static uint32_t all_bits(const struct requirement *needs, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++)
		bits |= needs[i].bit;
	return (uint32_t)bits;
}

#define UNMET(needs, have) unmet(needs, MM_ARRAY_SIZE(needs), have)
#define ALL_BITS(needs)    all_bits(needs, MM_ARRAY_SIZE(needs))

static struct vmx_control read_control(uint32_t msr)
{
	uint64_t value = rdmsr(msr);

	return (struct vmx_control){(uint32_t)value, (uint32_t)(value >> 32)};
}

static bool may(struct vmx_control control, uint64_t bits)
{
	return (bits & ~(uint64_t)control.may) == 0;
}

static void read_msrs(struct vmx_caps *caps)
{
	uint64_t basic = rdmsr(MSR_VMX_BASIC);
	bool true_msrs = basic & BASIC_TRUE;

	caps->revision = (uint32_t)(basic & BASIC_REVISION);
	caps->pin = read_control(true_msrs ? MSR_VMX_TRUE_PIN : MSR_VMX_PIN);
	caps->proc = read_control(true_msrs ? MSR_VMX_TRUE_PROC : MSR_VMX_PROC);
	caps->exit = read_control(true_msrs ? MSR_VMX_TRUE_EXIT : MSR_VMX_EXIT);
	caps->entry = read_control(true_msrs ? MSR_VMX_TRUE_ENTRY : MSR_VMX_ENTRY);
	/* These two exist only where the control above them does. */
	if (may(caps->proc, PROC_SECONDARY))
		caps->proc2 = read_control(MSR_VMX_PROC2);
	if (may(caps->proc2, PROC2_EPT) || may(caps->proc2, PROC2_VPID))
		caps->ept_vpid = rdmsr(MSR_VMX_EPT_VPID_CAP);
	caps->preemption_shift = (unsigned)FIELD_GET(MISC_TIMER_SHIFT, rdmsr(MSR_VMX_MISC));
}

/* The first thing missing, outermost first. */
static const char *find_missing(const struct vmx_caps *caps)
{
	const char *missing = UNMET(proc_needs, caps->proc.may);

	if (missing == NULL)
		missing = UNMET(proc2_needs, caps->proc2.may);
	if (missing == NULL)
		missing = UNMET(ept_needs, caps->ept_vpid);
	if (missing == NULL)
		missing = UNMET(pin_needs, caps->pin.may);
	if (missing == NULL)
		missing = UNMET(exit_needs, caps->exit.may);
	if (missing == NULL)
		missing = UNMET(entry_needs, caps->entry.may);
	if (missing == NULL && (caps->proc.must & (PROC_CR3_LOAD | PROC_CR3_STORE)))
		missing = "CR3 accesses cannot be kept from exiting";
	return missing;
}

static void choose(struct vmx_caps *caps)
{
	/* Without its value saved on exits, a timer would begin anew with each entry. */
	caps->preemption_timer =
		may(caps->pin, PIN_PREEMPTION_TIMER) && may(caps->exit, EXIT_SAVE_PREEMPTION);
	caps->vpid = may(caps->proc2, PROC2_VPID) && (caps->ept_vpid & VPID_INVVPID) &&
	             (caps->ept_vpid & VPID_SINGLE);

	caps->pin_controls = caps->pin.must | ALL_BITS(pin_needs);
	caps->proc_controls = caps->proc.must | ALL_BITS(proc_needs);
	caps->proc2_controls = caps->proc2.must | ALL_BITS(proc2_needs);
	caps->exit_controls = caps->exit.must | ALL_BITS(exit_needs);
	caps->entry_controls = caps->entry.must | ALL_BITS(entry_needs);
	if (caps->preemption_timer) {
		caps->pin_controls |= (uint32_t)PIN_PREEMPTION_TIMER;
		caps->exit_controls |= (uint32_t)EXIT_SAVE_PREEMPTION;
	}
	if (caps->vpid)
		caps->proc2_controls |= (uint32_t)PROC2_VPID;
	if (may(caps->proc2, PROC2_WBINVD))
		caps->proc2_controls |= (uint32_t)PROC2_WBINVD;
}

/* CPUID.0: "GenuineIntel" in EBX, EDX, ECX. */
static bool is_intel(struct cpuid vendor)
{
	return vendor.ebx == 0x756e6547 && vendor.edx == 0x49656e69 && vendor.ecx == 0x6c65746e;
}

/* The leaf that tells of the MSRs may be missing, and the MSRs without it fault. */
static struct vmx_cpu_id read_cpu_id(void)
{
	struct cpuid vendor = cpuid(0, 0), features = {0};
	struct vmx_cpu_id id = {.intel = is_intel(vendor)};

	if (vendor.eax >= 7)
		features = cpuid(7, 0);
	vmx_cpu_signature(cpuid(1, 0).eax, &id);
	id.flush = features.edx & CPUID7_EDX_L1D_FLUSH;
	if (features.edx & CPUID7_EDX_ARCH_CAPABILITIES)
		id.arch = rdmsr(MSR_ARCH_CAPABILITIES);
	return id;
}

const char *vmx_caps_read(struct vmx_caps *caps)
{
	struct vmx_cpu_id id = read_cpu_id();
	const char *missing;

	*caps = (struct vmx_caps){.mitigations = vmx_mitigations_for(&id)};
	read_msrs(caps);
	missing = find_missing(caps);
	if (missing == NULL)
		choose(caps);
	return missing;
}
