/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V's hypervisor extension (privileged manual, chapter 8): the private header of this folder.
 *
 *	ops.c         struct virt_ops
 *	caps.c        detects the features of this machine; struct hext_caps
 *	cpu.c         switches the extension on for one hart; loads and unloads a vCPU
 *	vcpu.c        creates and destroys a vCPU; its registers
 *	enter.S       the world switch, and the loop around it; offsets.h has its offsets
 *	fpu.c         switches the floating-point and vector registers
 *	state.h       the lists of the registers that are switched
 *	run.c         loads the vCPU, sets the deadline, and enters
 *	exit.c        decides what an exit is
 *	event.c       injects interrupts and exceptions
 *	sysreg.c      virtual-instruction exceptions: CSRs and wfi
 *	mmio.c        decodes and completes a device access
 *	flush.c       HFENCE.GVMA on this hart and on the others
 *	guest_walk.c  VS-stage translation, and instruction fetch
 *	fields.h      the extension as the manual defines it
 *
 * Invariants:
 *   - x1 to x31 of a vCPU are in memory except while its guest runs.
 *   - The registers of state.h, hgatp, and the floating-point and vector registers of a vCPU are
 *     in memory, or in the hart on which it is loaded. hext_vcpu.cpu is that hart, whose cpu.guest
 *points back; or NULL.
 *   - hext_caps is constant after the probe.
 */
#ifndef HEXT_HEXT_H
#define HEXT_HEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hext/fields.h"
#include "hext/offsets.h"
#include "hext/state.h"
#include "machine/riscv64/cpu.h"
#include "machine/riscv64/csr.h"
#include "machine/riscv64/trap.h"
#include "mm/bits.h"
#include "vcpu.h"

/* The features that this folder uses. The same on every hart. */
struct hext_caps {
	unsigned vmid_bits;
	bool sstc;    /* vstimecmp, if henvcfg.STCE is set */
	bool envcfg;  /* henvcfg and senvcfg exist (privileged architecture 1.12) */
	bool stateen; /* hstateen0 exists */
	bool svpbmt;
	uint64_t reserved; /* bits of a VS-stage entry that must be 0 */
	bool d;            /* F and D */
	uint64_t vlenb;    /* bytes of a vector register; 0: no vector registers */
	bool svadu;
};

extern struct hext_caps hext_caps;

struct hext_csrs {
#define HEXT_MEMBER(name, csr, guest, when) uint64_t name;
	HEXT_HOST_CSRS(HEXT_MEMBER)
	HEXT_GUEST_CSRS(HEXT_MEMBER)
	uint64_t hgatp; /* constant */
};

struct hext_fpu {
	uint64_t f[32];
	uint64_t fcsr;
	HEXT_VECTOR_CSRS(HEXT_MEMBER)
#undef HEXT_MEMBER
	uint8_t *v; /* 32 registers of hext_caps.vlenb bytes; NULL if that is 0 */
};

/* One frame, at vcpu.arch. */
struct hext_vcpu {
	uint64_t x[32];   /* VCPU_X; x[0] is 0 */
	uint64_t host_sp; /* VCPU_HOST_SP: while the guest runs */
	uint64_t host_tp; /* VCPU_HOST_TP: of the hart on which it is loaded */
	struct cpu *cpu;  /* the hart on which it is loaded, or NULL */
	struct hext_csrs csr;
	struct mm_aspace *as;
	struct hext_fpu fpu;
};

_Static_assert(offsetof(struct hext_vcpu, x[31]) == VCPU_X(31), "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_sp) == VCPU_HOST_SP, "offsets.h");
_Static_assert(offsetof(struct hext_vcpu, host_tp) == VCPU_HOST_TP, "offsets.h");
_Static_assert(sizeof(struct hext_vcpu) <= MM_PAGE_SIZE, "a vCPU's state fits a frame");

/* Indices of hext_vcpu.x by the names of the calling convention. */
enum {
	X_A0 = 10,
	X_A1 = 11,
	X_A2 = 12,
	X_A3 = 13,
	X_A4 = 14,
	X_A6 = 16,
	X_A7 = 17,
};

static inline struct hext_vcpu *hext_of(const struct vcpu *vcpu)
{
	return vcpu->arch;
}

/* x0 stays 0. */
static inline void hext_set_x(struct hext_vcpu *v, unsigned n, uint64_t value)
{
	if (n != 0)
		v->x[n] = value;
}

/* Steps over an instruction. */
static inline void hext_step(struct hext_vcpu *v, unsigned bytes)
{
	if (MM_LIKELY(v->cpu != NULL))
		csr_write(sepc, csr_read(sepc) + bytes);
	else
		v->csr.sepc += bytes;
}

/* Functions without a comment implement the entry of struct virt_ops with the same name. */

/* --- caps.c --- */
bool hext_probe(struct virt_caps *caps);
/* The value of henvcfg, if it exists. */
uint64_t hext_henvcfg(void);

/* --- cpu.c --- */
bool hext_cpu_enable(const char **why);
/* Loads v, which is loaded on no hart, on this one, and unloads the vCPU that is loaded here. */
void hext_load(struct cpu *cpu, struct hext_vcpu *v);
/* Writes the CSRs to memory. If v is loaded, it is on this hart, and is not afterwards. */
void hext_unload(struct hext_vcpu *v);
/* The same, but v stays loaded: for reports. */
void hext_save_csrs(struct hext_vcpu *v);
void hext_park(struct vcpu *vcpu);

/* --- fpu.c --- */
/* On the hart on which v is loaded, when it is unloaded. v->csr is saved already. */
void hext_fpu_save(struct hext_vcpu *v);
/* When it is loaded. The CSRs of v are in the hart already. */
void hext_fpu_load(const struct hext_vcpu *v);
/* A value of FS and one of VS, each if the hart has the registers. */
uint64_t hext_fpu_status(uint64_t fs, uint64_t vs);
/* Allocates the vector registers, all zero. *fpu is zero before. False: no memory. */
bool hext_fpu_create(struct hext_fpu *fpu, const struct mm_hal *hal) MM_MUST_CHECK;
void hext_fpu_destroy(struct hext_fpu *fpu, const struct mm_hal *hal);

/* --- vcpu.c --- */
enum mm_error hext_create(struct vcpu *vcpu, const struct vcpu_config *config) MM_MUST_CHECK;
void hext_destroy(struct vcpu *vcpu);
uint64_t hext_pc(const struct vcpu *vcpu);
size_t hext_registers(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

/* --- enter.S --- */
/* The trap vector of a hart that runs guests. Traps of the hypervisor go to host_trap(). */
void hext_trap(void);
/* Runs the guest, which is loaded on this hart, until hext_handle_exit() returns EXIT_RETURN. */
void hext_enter(struct hext_vcpu *v, struct vm_exit *exit);

/* --- run.c --- */
void hext_run(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

/* --- exit.c --- */
/* Called by enter.S: the guest has trapped. */
enum exit_action hext_handle_exit(struct hext_vcpu *v, struct vm_exit *exit);
void hext_call_return(struct vcpu *vcpu, uint64_t first, uint64_t second);

/* --- event.c --- */
void hext_inject_undefined(struct vcpu *vcpu);
void hext_set_interrupt(struct vcpu *vcpu, bool pending);

/* --- sysreg.c --- */
/* A virtual-instruction exception. raw[] of *exit is set. */
enum exit_action hext_decode_virtual_instruction(struct hext_vcpu *v, struct vm_exit *exit);
void hext_skip(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

/* --- mmio.c --- */
size_t hext_given_insn(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES]);
enum mm_error hext_mmio_decode(struct vcpu *vcpu, const struct vm_exit *exit,
                               struct mmio_access *access) MM_MUST_CHECK;
bool hext_mmio_complete(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

/* --- flush.c --- */
void hext_flush(void *ctx, const struct mm_flush *request);

/* --- guest_walk.c --- */
/*
 * Translates gva by the tables of vsatp as the vCPU's next access would, with its privilege, SUM
 * and MXR. Table pages that are lazily backed are faulted in. A and D are taken as set, because
 * hardware sets them.
 * MM_NOT_MAPPED: the guest would take a page fault. MM_DENIED: because of permissions. If a table
 * is not in memory, the error of mm_aspace_load().
 */
enum mm_error hext_guest_walk(const struct hext_vcpu *v, mm_gva_t gva, enum mm_perm access,
                              mm_gpa_t *out) MM_MUST_CHECK;
enum mm_error hext_translate(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access,
                             mm_gpa_t *out) MM_MUST_CHECK;

/* hext_fetch() for an instruction that is not aligned, for a page that is not mapped, and for a
 * vCPU that is not loaded. hstatus: the guest's. */
enum mm_error hext_fetch_slow(const struct hext_vcpu *v, mm_gva_t pc, uint32_t *insn,
                              uint64_t hstatus) MM_MUST_CHECK;

/*
 * Fetches the instruction at the vCPU's pc, of 2 or 4 bytes, once. A 4-byte instruction may lie
 * in two pages. The high half of a 2-byte instruction is undefined. Errors: those of
 * hext_guest_walk() and of mm_aspace_fetch().
 *
 * Inline, because every device access waits for it. An aligned instruction lies in one page; one
 * hlvx.wu reads 4 bytes through both stages with the guest's execute permission. It zero-extends,
 * so the -1 is in the register only if it has trapped.
 */
static MM_ALWAYS_INLINE MM_MUST_CHECK enum mm_error hext_fetch(const struct hext_vcpu *v,
                                                               mm_gva_t pc, uint32_t *insn)
{
	uint64_t hstatus = csr_read(hstatus);
	int64_t read;

	if (MM_UNLIKELY(!mm_is_aligned(pc.raw, 4)) || MM_UNLIKELY(v->cpu == NULL))
		return hext_fetch_slow(v, pc, insn, hstatus);
	/* clang-format off */
	__asm__ volatile("li %[read], -1\n\t"
	                 "la t0, 1f\n\t"
	                 "sd t0, " CATCH_PC "(tp)\n\t"
	                 HLVX_WU("%[read]", "%[pc]") "\n"
	                 "1:\n\t"
	                 "sd zero, " CATCH_PC "(tp)"
	                 : [read] "=&r"(read)
	                 : [pc] "r"(pc.raw)
	                 : "t0", "memory");
	/* clang-format on */
	if (MM_UNLIKELY(read < 0))
		return hext_fetch_slow(v, pc, insn, hstatus);
	*insn = (uint32_t)read;
	return MM_OK;
}

#endif
