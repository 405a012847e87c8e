/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits that mean the same in VMX and SVM: an access to a port or an MSR, and its completion.
 * The extension reads its own exit fields and passes them here.
 */
#include "x86/x86.h"

static uint64_t width_mask(unsigned bytes)
{
	return GENMASK(8 * bytes - 1, 0);
}

enum exit_action x86_decode_port(const struct x86_vcpu *v, struct vm_exit_port port,
                                 struct vm_exit *exit)
{
	exit->kind = VM_EXIT_PORT;
	exit->port = port;
	exit->port.value = (uint32_t)(v->gpr[GPR_RAX] & width_mask(port.width));
	return EXIT_RETURN;
}

void x86_complete_port(struct x86_vcpu *v, const struct vm_exit_port *port, uint64_t value)
{
	uint64_t mask = width_mask(port->width);
	uint64_t kept = port->width == 4 ? 0 : v->gpr[GPR_RAX] & ~mask;

	if (!port->write)
		v->gpr[GPR_RAX] = kept | (value & mask);
}

enum exit_action x86_decode_msr(const struct x86_vcpu *v, bool write, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_SYSREG;
	exit->sysreg = (struct vm_exit_sysreg){
		.reg = (uint32_t)v->gpr[GPR_RCX],
		.write = write,
		.value = v->gpr[GPR_RDX] << 32 | (uint32_t)v->gpr[GPR_RAX],
		.gpr = GPR_RAX,
	};
	return EXIT_RETURN;
}

void x86_complete_rdmsr(struct x86_vcpu *v, uint64_t value)
{
	v->gpr[GPR_RAX] = (uint32_t)value;
	v->gpr[GPR_RDX] = value >> 32;
}

void x86_deadline_exit(uint64_t pc, uint64_t raw, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_DEADLINE;
	exit->pc = pc;
	exit->raw[0] = raw;
}
