/* See state.h. */
#include "svm/state.h"

#include "decode/x86_64.h"
#include "machine/x86_64/cpu.h"
#include "x86/mmio.h"
#include "x86/stage1.h"

#define ATTRIBUTE_LONG BIT(9) /* CS.L and CS.D, at descriptor bits 53 and 54 */
#define ATTRIBUTE_BIG  BIT(10)

#define CPL_USER 3U

unsigned svm_code_width(const struct svm_vcpu *v)
{
	if ((v->vmcb->efer & EFER_LMA) && (v->vmcb->cs.attributes & ATTRIBUTE_LONG))
		return 8;
	return v->vmcb->cs.attributes & ATTRIBUTE_BIG ? 4 : 2;
}

static struct stage1 stage1_of(const struct svm_vcpu *v)
{
	const struct vmcb *vmcb = v->vmcb;

	return (struct stage1){
		.as = v->vcpu->as,
		.cr0 = vmcb->cr0,
		.cr3 = vmcb->cr3,
		.cr4 = vmcb->cr4,
		.efer = vmcb->efer,
		.user = vmcb->cpl == CPL_USER,
		.access_user = vmcb->rflags & RFLAGS_AC,
	};
}

/* --- instructions --- */

enum mm_error svm_fetch_byte(struct svm_vcpu *v, uint64_t rip, uint8_t *byte)
{
	struct stage1 stage1 = stage1_of(v);
	uint64_t base = svm_code_width(v) == 8 ? 0 : v->vmcb->cs.base;
	gpa_t gpa;
	enum mm_error err = stage1_translate(&stage1, gva_at(base + rip), MM_X, &gpa);

	return err != MM_OK ? err : aspace_fetch(stage1.as, gpa, byte, 1);
}

/* [REX] 0f 22 /r: bits 2:0 of the ModRM byte, and REX.B above them. */
enum mm_error svm_mov_cr_source(struct svm_vcpu *v, uint8_t *gpr)
{
	uint8_t extension = 0, byte;
	uint64_t rip = v->vmcb->rip;

	for (unsigned i = 0; i + 2 < INSN_MAX_BYTES; i++) {
		enum mm_error err = svm_fetch_byte(v, rip + i, &byte);

		if (err != MM_OK)
			return err;
		if (byte == 0x0f) {
			err = svm_fetch_byte(v, rip + i + 2, &byte);
			*gpr = (uint8_t)(extension | (byte & 7));
			return err;
		}
		extension = (byte & 0xf1) == 0x41 && svm_code_width(v) == 8 ? 8 : 0;
	}
	return MM_UNSUPPORTED;
}

/* --- the step past an instruction that was done for the guest --- */

void svm_step_to(struct svm_vcpu *v, uint64_t rip)
{
	v->vmcb->rip = rip;
	/* STI and MOV SS block interrupts for one instruction, and this was it. */
	v->vmcb->interrupt_shadow = 0;
}

static bool is_prefix(uint8_t byte, bool long_mode)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return long_mode && (byte & 0xf0) == 0x40;
	}
}

void svm_step(struct svm_vcpu *v, unsigned bytes)
{
	uint64_t rip = v->vmcb->rip;
	uint8_t byte;

	if (svm_caps.next_rip && v->vmcb->next_rip != 0) {
		svm_step_to(v, v->vmcb->next_rip);
		return;
	}
	for (unsigned i = 0; i + bytes < INSN_MAX_BYTES; i++) {
		if (svm_fetch_byte(v, rip + i, &byte) != MM_OK ||
		    !is_prefix(byte, svm_code_width(v) == 8)) {
			svm_step_to(v, rip + i + bytes);
			return;
		}
	}
	svm_step_to(v, rip + bytes);
}

/* --- device accesses --- */

/* Fills the view that decode and complete share; in between, the guest does not run. */
static void read_guest(struct svm_vcpu *v)
{
	const struct vmcb *vmcb = v->vmcb;
	struct x86_guest *view = &v->view;

	view->stage1 = stage1_of(v);
	v->gpr[GPR_RSP] = vmcb->rsp;
	view->gpr = v->gpr;
	view->rip = vmcb->rip;
	view->rflags = vmcb->rflags;
	view->code_width = svm_code_width(v);
	view->segment_base[SEGMENT_FS] = vmcb->fs.base;
	view->segment_base[SEGMENT_GS] = vmcb->gs.base;
	if (view->code_width == 8)
		return; /* where the other four count as 0 */
	view->segment_base[SEGMENT_ES] = vmcb->es.base;
	view->segment_base[SEGMENT_CS] = vmcb->cs.base;
	view->segment_base[SEGMENT_SS] = vmcb->ss.base;
	view->segment_base[SEGMENT_DS] = vmcb->ds.base;
}

/* The count is 0 where the CPU could not fetch: on some, wherever SMAP is on. */
static size_t given_bytes(const struct vmcb *vmcb)
{
	return svm_caps.decode_assists ? FIELD_GET(INSN_COUNT, vmcb->insn_count) : 0;
}

size_t svm_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES])
{
	const struct svm_vcpu *v = vcpu->arch;

	__builtin_memcpy(out, v->vmcb->insn, sizeof(v->vmcb->insn));
	return given_bytes(v->vmcb);
}

enum mm_error svm_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                              struct mmio_access *access)
{
	struct svm_vcpu *v = svm_of(vcpu);

	if (!v->mmio.write_due)
		read_guest(v);
	v->view.given = v->vmcb->insn;
	v->view.given_count = given_bytes(v->vmcb);
	return x86_mmio_decode(&v->mmio, &v->view, exit, access);
}

bool svm_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value)
{
	struct svm_vcpu *v = svm_of(vcpu);

	if (x86_mmio_complete(&v->mmio, &v->view, access, value))
		return true;
	v->vmcb->rsp = v->gpr[GPR_RSP];
	v->vmcb->rflags = v->view.rflags;
	svm_step_to(v, v->view.rip);
	return false;
}

/* --- the rest of struct virt_ops --- */

enum mm_error svm_translate(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out)
{
	struct stage1 stage1 = stage1_of(svm_of(vcpu));

	return stage1_translate(&stage1, gva, access, out);
}

uint64_t svm_pc(const struct vcpu *vcpu)
{
	return svm_of(vcpu)->vmcb->rip;
}

size_t svm_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS])
{
	const struct svm_vcpu *v = svm_of(vcpu);
	const struct vmcb *vmcb = v->vmcb;
	const struct vcpu_register special[] = {
		{"rflags", vmcb->rflags},  {"cr0", vmcb->cr0},        {"cr2", vmcb->cr2},
		{"cr3", vmcb->cr3},        {"cr4", vmcb->cr4},        {"efer", vmcb->efer},
		{"cs", vmcb->cs.selector}, {"ss", vmcb->ss.selector}, {"gdtr", vmcb->gdtr.base},
		{"idtr", vmcb->idtr.base},
	};
	size_t n = 0;

	_Static_assert(1 + GPR_COUNT + MM_ARRAY_SIZE(special) <= VCPU_REGISTERS,
	               "they fit a report");
	out[n++] = (struct vcpu_register){"rip", vmcb->rip};
	for (unsigned i = 0; i < GPR_COUNT; i++)
		out[n++] = (struct vcpu_register){x86_gpr_names[i],
		                                  i == GPR_RSP ? vmcb->rsp : v->gpr[i]};
	for (size_t i = 0; i < MM_ARRAY_SIZE(special); i++)
		out[n++] = special[i];
	return n;
}
