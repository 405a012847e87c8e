/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a guest stopped, in one form for every extension. raw[] has the syndrome registers of the
 * machine, for the log and the tests.
 */
#ifndef VM_EXIT_H
#define VM_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/access.h"
#include "mm/addr.h"

enum vm_exit_kind {
	VM_EXIT_NESTED_FAULT, /* the nested page table refused an access: exit.fault */
	VM_EXIT_MISCONFIG,    /* an entry of that table is malformed: exit.fault.gpa */
	VM_EXIT_HYPERCALL,    /* of guests/abi.h: exit.call */
	VM_EXIT_FIRMWARE,     /* SBI or PSCI call: exit.call */
	VM_EXIT_PORT,         /* IN or OUT: exit.port */
	VM_EXIT_SYSREG,    /* trapped CSR, MSR, MRS or MSR, CPUID, control register: exit.sysreg */
	VM_EXIT_HALT,      /* WFI, WFE or HLT */
	VM_EXIT_INTERRUPT, /* an interrupt for the host: a kick, a device */
	VM_EXIT_DEADLINE,  /* the deadline of run() has passed */
	VM_EXIT_UNDEFINED, /* an instruction the guest may not use; inject or kill */
	VM_EXIT_SHUTDOWN,  /* triple fault */
	VM_EXIT_FAILURE,   /* the entry failed, or an unknown exit: exit.failure */
	VM_EXIT_KINDS,
};

struct vm_exit_fault {
	mm_gpa_t gpa;        /* exact to the byte; or to the page, if gpa_is_page */
	mm_gva_t gva;        /* if gva_valid */
	enum mm_perm access; /* exactly one of R, W, X: what the guest did */
	bool gva_valid;
	bool gpa_is_page;
	bool stage1_walk; /* the access was a read or an A/D update of the guest's own tables */
	bool present;     /* the hardware reports an entry without this permission */
};

struct vm_exit_call {
	uint64_t function; /* hypercall number, or SBI extension, or PSCI function */
	uint64_t args[6];  /* in the ABI's order: hypercalls have three. SBI: a0 to a4, then the
	                      function within the extension */
	bool smc;          /* Arm: by SMC rather than HVC */
};

struct vm_exit_port {
	uint16_t port;
	uint8_t width; /* 1, 2 or 4 */
	bool write;
	bool string;    /* INS or OUTS */
	uint32_t value; /* if write */
};

struct vm_exit_sysreg {
	uint32_t reg; /* CSR number, MSR number, Arm: ISS fields op0..CRm packed */
	bool write;
	uint64_t value; /* if write */
	uint8_t gpr;    /* register that takes or gives the value */
};

struct vm_exit {
	enum vm_exit_kind kind;
	uint64_t pc; /* of the instruction that exited */
	/* The syndrome. VMX: reason, qualification, GPA, linear address. SVM: EXITCODE,
	 * EXITINFO1, EXITINFO2, EXITINTINFO. Arm: ESR, FAR, HPFAR, 0. RISC-V: scause, stval, htval,
	 * htinst. */
	uint64_t raw[4];
	union {
		struct vm_exit_fault fault;
		struct vm_exit_call call;
		struct vm_exit_port port;
		struct vm_exit_sysreg sysreg;
		const char *failure; /* static text, in the terms of the manual */
	};
};

/* What an extension's exit handler has decided. */
enum exit_action {
	EXIT_RESUME, /* the extension has handled the exit: enter the guest again */
	EXIT_RETURN, /* struct vm_exit is filled: return it to the run loop */
};

/* VM_EXIT_FAILURE. `text` is static. */
static inline enum exit_action vm_exit_failure(struct vm_exit *exit, const char *text)
{
	exit->kind = VM_EXIT_FAILURE;
	exit->failure = text;
	return EXIT_RETURN;
}

/* One access of a guest to an emulated device, decoded from the syndrome or the instruction. */
struct mmio_access {
	mm_gpa_t gpa;
	uint8_t width; /* 1, 2, 4 or 8 bytes */
	bool write;
	bool sign_extend;  /* of a read: extend the value to... */
	uint8_t reg_width; /* ...this many bytes; x86: 1 and 2 leave the other bytes unchanged */
	uint8_t reg;       /* general register number, as the architecture counts them */
	bool high_byte;    /* x86: AH, CH, DH, BH */
	uint8_t length;    /* of the instruction, in bytes */
	uint64_t value;    /* if write */
};

#endif
