/*
 * Virtual-instruction exceptions (8.6.1): what a guest may not do, though HS-mode may. wfi under
 * hstatus.VTW is a halt, an access to a CSR is for the run loop to emulate or refuse, and the rest
 * (hfence, hlv, sret and sfence.vma from VU) is as good as undefined.
 */
#include "hext/virtual_insn.h"

#include "decode/riscv64.h"
#include "hext/guest_walk.h"
#include "mm/bits.h"

#define INSN_WFI UINT32_C(0x10500073)

#define INSN_CSR GENMASK(31, 20)

/* Unprivileged manual, 9 "Zicsr": funct3 bit 2 takes rs1 as a number, bits 1:0 say what to do. */
#define ZICSR_IMMEDIATE 4
#define ZICSR_OPERATION 3
#define ZICSR_WRITE     1

static void decode_csr(struct hext_vcpu *v, uint32_t insn, struct vm_exit *exit)
{
	unsigned funct3 = (unsigned)FIELD_GET(INSN_FUNCT3, insn);
	unsigned rs1 = (unsigned)FIELD_GET(INSN_RS1, insn);

	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg.reg = (uint32_t)FIELD_GET(INSN_CSR, insn);
	exit->sysreg.gpr = (uint8_t)FIELD_GET(INSN_RD, insn);
	/* Set and clear of nothing does not write. */
	exit->sysreg.write = (funct3 & ZICSR_OPERATION) == ZICSR_WRITE || rs1 != 0;
	exit->sysreg.value = (funct3 & ZICSR_IMMEDIATE) != 0 ? rs1 : v->x[rs1];
}

void virtual_insn_decode(struct hext_vcpu *v, struct vm_exit *exit)
{
	/* stval is the instruction, or 0 on a hart that does not say. */
	uint32_t insn = (uint32_t)exit->raw[1];

	exit->kind = VM_EXIT_UNDEFINED;
	if (insn == 0 && walk_fetch(v, gva_at(exit->pc), &insn) != MM_OK)
		return;
	if (insn == INSN_WFI)
		exit->kind = VM_EXIT_HALT;
	else if (FIELD_GET(INSN_OPCODE, insn) == OPCODE_SYSTEM &&
	         (FIELD_GET(INSN_FUNCT3, insn) & ZICSR_OPERATION) != 0)
		decode_csr(v, insn, exit);
}
