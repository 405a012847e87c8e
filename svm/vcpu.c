/*
 * A VMCB's first contents, group by group as APM vol. 2, ch. 15 describes them, so that VMRUN's
 * checks (15.5.1) pass and the guest starts as guests/abi.h promises.
 */
#include "machine/x86_64/cpu.h"
#include "svm/svm.h"

#define MSR_SYSENTER_CS  0x174U
#define MSR_SYSENTER_ESP 0x175U
#define MSR_SYSENTER_EIP 0x176U

#define PAT_AFTER_RESET UINT64_C(0x0007040600070406) /* APM vol. 2, 7.8.1 */
#define DR6_AFTER_RESET UINT64_C(0xffff0ff0)

/* #DB and #AC, so that a guest that makes them while delivering them exits each time round
 * instead of keeping the CPU for ever. */
#define EXCEPTION_DB (UINT32_C(1) << 1)
#define EXCEPTION_AC (UINT32_C(1) << 17)

/* Every port exits: 15.10.1. */
static uint8_t io_bitmap[3 * MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

/*
 * Two bits per MSR, read and write, a 1 exits; three runs of 8192 MSRs: 0 and up, 0xc000_0000
 * and up, 0xc001_0000 and up (15.11).
 */
static uint8_t msr_bitmap[2 * MM_PAGE_SIZE] MM_ALIGNED_TO(4096);

#define RUN_BYTES 0x800U

static void pass(uint32_t msr, bool read, bool write)
{
	unsigned byte = (msr & 0x1fff) / 4 + (msr >> 31 ? RUN_BYTES : 0);
	unsigned bits = (read ? 1U : 0U) | (write ? 2U : 0U);

	msr_bitmap[byte] &= (uint8_t) ~(bits << msr % 4 * 2);
}

/* Every vCPU's are the same, so filling them again changes nothing. EFER is not passed: the
 * guest must neither see nor clear SVME in it. */
static void fill_bitmaps(void)
{
	for (size_t i = 0; i < sizeof(io_bitmap); i++)
		io_bitmap[i] = 0xff;
	for (size_t i = 0; i < sizeof(msr_bitmap); i++)
		msr_bitmap[i] = 0xff;
	pass(MSR_TSC, true, false);
	pass(MSR_FS_BASE, true, true);
	pass(MSR_GS_BASE, true, true);
	pass(MSR_SYSENTER_CS, true, true);
	pass(MSR_SYSENTER_ESP, true, true);
	pass(MSR_SYSENTER_EIP, true, true);
}

static void setup_intercepts(struct vmcb *vmcb)
{
	vmcb->intercept_cr = INTERCEPT_CR_WRITE(4);
	vmcb->intercept_dr = INTERCEPT_DR_ALL;
	vmcb->intercept_exceptions = EXCEPTION_DB | EXCEPTION_AC;
	vmcb->intercept1 = INTERCEPT1_INTR | INTERCEPT1_NMI | INTERCEPT1_INIT | INTERCEPT1_RDPMC |
	                   INTERCEPT1_CPUID | INTERCEPT1_INVD | INTERCEPT1_HLT |
	                   INTERCEPT1_INVLPGA | INTERCEPT1_IOIO | INTERCEPT1_MSR |
	                   INTERCEPT1_TASK_SWITCH | INTERCEPT1_SHUTDOWN;
	vmcb->intercept2 = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD |
	                   INTERCEPT2_VMSAVE | INTERCEPT2_STGI | INTERCEPT2_CLGI |
	                   INTERCEPT2_SKINIT | INTERCEPT2_WBINVD | INTERCEPT2_MONITOR |
	                   INTERCEPT2_MWAIT | INTERCEPT2_XSETBV;
	vmcb->iopm_base = (uint64_t)(uintptr_t)io_bitmap;
	vmcb->msrpm_base = (uint64_t)(uintptr_t)msr_bitmap;
}

static void setup_nested_paging(struct vmcb *vmcb, const struct aspace *as)
{
	vmcb->asid = aspace_tag(as);
	vmcb->nested_control = NESTED_PAGING;
	vmcb->nested_cr3 = aspace_root(as).raw;
	vmcb->g_pat = PAT_AFTER_RESET;
}

/* A VMCS has descriptor bits 55:52 in bits 15:12 of its access word, a VMCB in 11:8. */
static struct vmcb_segment segment(enum x86_segment index)
{
	const struct x86_segment_state *s = &guest_start_segments[index];

	return (struct vmcb_segment){
		.selector = s->selector,
		.attributes = (uint16_t)((s->access & 0xff) | (s->access >> 4 & 0xf00)),
		.limit = s->limit,
		.base = s->base,
	};
}

static void setup_guest(struct vmcb *vmcb, const struct vcpu_config *config)
{
	vmcb->es = segment(SEGMENT_ES);
	vmcb->cs = segment(SEGMENT_CS);
	vmcb->ss = segment(SEGMENT_SS);
	vmcb->ds = segment(SEGMENT_DS);
	vmcb->fs = segment(SEGMENT_FS);
	vmcb->gs = segment(SEGMENT_GS);
	vmcb->ldtr = segment(SEGMENT_LDTR);
	vmcb->tr = segment(SEGMENT_TR);
	vmcb->efer = EFER_SVME; /* which VMRUN demands */
	vmcb->cr0 = GUEST_START_CR0;
	vmcb->dr6 = DR6_AFTER_RESET;
	vmcb->dr7 = GUEST_START_DR7;
	vmcb->rflags = RFLAGS_ONE;
	vmcb->rip = config->entry;
}

void svm_setup(struct svm_vcpu *v, const struct vcpu_config *config)
{
	*v->vmcb = (struct vmcb){.virtual_interrupt = V_INTR_MASKING};
	fill_bitmaps();
	setup_intercepts(v->vmcb);
	setup_nested_paging(v->vmcb, config->as);
	setup_guest(v->vmcb, config);
	v->gpr[GPR_RDI] = config->args[0];
	v->gpr[GPR_RSI] = config->args[1];
}
