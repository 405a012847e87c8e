/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction at RIP. A CPU with NRIPS reports the address of the next one. Without it, this
 * file fetches the instruction's prefixes through the guest's page tables. Each emulated
 * instruction has a fixed length after them.
 *
 * Without decode assists, an exit for MOV to CR4 does not report the source register. It is in the
 * instruction's ModRM byte.
 */
#include "decode/x86_64.h"
#include "machine/x86_64/bits.h"
#include "svm/svm.h"

static enum mm_error fetch_byte(const struct svm_vcpu *v, uint64_t rip, uint8_t *byte)
{
	uint64_t base = svm_code_width(v->vmcb) == 8 ? 0 : v->vmcb->cs.base;
	struct stage1 stage1;
	mm_gpa_t gpa;
	enum mm_error err;

	svm_read_stage1(v, &stage1);
	err = stage1_translate(&stage1, mm_gva_at(base + rip), MM_X, &gpa);
	return err != MM_OK ? err : mm_aspace_fetch(stage1.as, gpa, byte, 1);
}

/* APM vol. 3, 1.2: the legacy prefixes, and REX in 64-bit code. */
static bool is_prefix(uint8_t byte, bool code_64)
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
		return code_64 && (byte & 0xf0) == 0x40;
	}
}

void svm_step_to(struct svm_vcpu *v, uint64_t rip)
{
	v->vmcb->rip = rip;
	/* The shadow of STI and of MOV SS ends with the next instruction: this one (15.21.5). */
	v->vmcb->interrupt_shadow = 0;
	/* The emulated instruction ends with a single-step trap, as any other does. */
	if (MM_UNLIKELY(v->vmcb->rflags & RFLAGS_TF)) {
		v->vmcb->dr6 |= DR6_BS;
		v->vmcb->clean &= ~CLEAN_DRX;
		svm_inject_exception(v, EXCEPTION_DB, 0);
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
		if (fetch_byte(v, rip + i, &byte) != MM_OK ||
		    !is_prefix(byte, svm_code_width(v->vmcb) == 8)) {
			svm_step_to(v, rip + i + bytes);
			return;
		}
	}
	svm_step_to(v, rip + bytes);
}

/* [prefixes] [REX] 0f 22 /r: bits 2:0 of the ModRM byte, and REX.B as bit 3. */
enum mm_error svm_mov_cr_source(struct svm_vcpu *v, uint8_t *gpr)
{
	uint8_t extension = 0, byte;
	uint64_t rip = v->vmcb->rip;

	for (unsigned i = 0; i + 2 < INSN_MAX_BYTES; i++) {
		enum mm_error err = fetch_byte(v, rip + i, &byte);

		if (err != MM_OK)
			return err;
		if (byte == 0x0f) {
			err = fetch_byte(v, rip + i + 2, &byte);
			*gpr = (uint8_t)(extension | (byte & 7));
			return err;
		}
		extension = (byte & 0xf1) == 0x41 && svm_code_width(v->vmcb) == 8 ? 8 : 0;
	}
	return MM_UNSUPPORTED;
}
