/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface between the hypervisor and a virtualization extension. kernel/ calls run() of
 * struct virt_ops, and the extension returns an exit. An extension does not call kernel/, except
 * for the log and panic().
 *
 *	vmx/  svm/  el2/  hext/     each defines one struct virt_ops
 *
 * The machine layer lists the extensions that its CPU may have (virt_candidates). kernel_main()
 * takes the first one whose probe succeeds.
 */
#ifndef VCPU_H
#define VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "mm/access.h"
#include "mm/addr.h"
#include "mm/aspace.h"
#include "mm/error.h"
#include "mm/hal.h"
#include "mm/npt_format.h"
#include "vm_exit.h"

/* A table geometry that this machine can walk: "sv39x4", "ept4", "ipa40". */
struct virt_geometry {
	const char *name;
	struct mm_npt_config npt;
	const struct mm_npt_format *format; /* NULL: that of virt_caps */
};

#define VIRT_GEOMETRIES 8
#define VIRT_FEATURES   32

/* A feature of the machine, for the log: is it present, and does Faultline use it? */
struct virt_feature {
	const char *name;
	bool present;
	bool used;
};

/* What happens when an access needs to set A (or D) in the guest's own tables. */
enum virt_stage1_ad {
	STAGE1_AD_UPDATED, /* the CPU sets them */
	STAGE1_AD_FAULTS,  /* the guest takes a fault */
	STAGE1_AD_CHOSEN,  /* the guest chooses: TCR_EL1.HA on Arm */
};

struct virt_caps {
	const struct mm_npt_format *format;
	struct virt_geometry geometries[VIRT_GEOMETRIES]; /* smallest GPA width first */
	size_t geometry_count;                            /* at least 1 if the probe succeeded */
	unsigned hpa_bits;
	unsigned tag_bits; /* VMID, VPID or ASID; 0: none, so every entry flushes */
	uint64_t max_tag;  /* guests may have the tags 1..max_tag */
	struct virt_feature features[VIRT_FEATURES];
	size_t feature_count;
	enum virt_stage1_ad stage1_ad;
	char mitigations[96]; /* "erratum=what is done" of each that applies; or "" */
	char missing[128];    /* if the probe failed: what is missing, as one sentence */
};

static inline void virt_add_feature(struct virt_caps *caps, const char *name, bool present,
                                    bool used)
{
	ASSERT(caps->feature_count < VIRT_FEATURES);
	caps->features[caps->feature_count++] = (struct virt_feature){name, present, used};
}

/* One virtual CPU. `arch` is the extension's part, in frames that create() allocates and destroy()
 * frees. */
struct vcpu {
	const struct virt_ops *ops;
	struct mm_aspace *as; /* its address space, which outlives it */
	unsigned index;       /* in its VM */
	void *arch;
};

struct vcpu_config {
	struct mm_aspace *as;
	unsigned index;
	uint64_t entry;   /* GPA of the first instruction: riscv VS-mode, stage 1 bare; aarch64
	                     EL1h, MMU off; x86 32-bit protected mode, flat, paging off */
	uint64_t args[2]; /* riscv a0, a1; aarch64 x0, x1; x86 edi, esi: vCPU index, guest_info GPA
	                   */
};

/* A register by name and value, for reports. */
struct vcpu_register {
	const char *name;
	uint64_t value;
};

#define VCPU_REGISTERS 48

/* What virt_ops.take_writes answers beside the pages. */
struct vcpu_writes {
	size_t count;        /* pages */
	unsigned full_exits; /* times that the CPU's buffer was full, since the last call */
	bool lost;           /* there were more writes than the log holds */
};

/* An instruction has at most 15 bytes. */
#define VCPU_INSN_BYTES 16

struct virt_ops {
	const char *name; /* "vmx", "svm", "el2", "hext" */

	/* The answer to a firmware call that is not emulated: SBI_ERR_NOT_SUPPORTED (-2) or
	 * SMCCC's NOT_SUPPORTED (-1). */
	uint64_t firmware_unknown;

	/* Is the extension present, enabled by firmware, and with nested paging? Fills *caps in
	 * either case. Leaves the machine as it was. */
	bool (*probe)(struct virt_caps *caps);

	/* On each CPU that will run guests. False: it cannot, and `why` says what is wrong. */
	bool (*cpu_enable)(const char **why);

	/* MM_NO_MEMORY, or MM_OK with the vCPU ready for its first instruction. */
	enum mm_error (*create)(struct vcpu *vcpu, const struct vcpu_config *config);
	void (*destroy)(struct vcpu *vcpu);

	/*
	 * Runs the guest on the calling CPU until it exits. A vCPU may move to another CPU between
	 * two calls, with park() in between. At machine_ticks() >= deadline the exit is
	 * VM_EXIT_DEADLINE; UINT64_MAX is no deadline. Deadlines seldom change: setting a new one
	 * may be slow, keeping one must be fast.
	 *
	 * For hypercalls and firmware calls the PC is behind the instruction; for all other exits
	 * it is at the instruction.
	 */
	void (*run)(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

	/* Writes the vCPU's state from the registers of this CPU (or its VMCS cache) to memory.
	 * This CPU ran it last. Required before another CPU uses the vCPU in any way: run() leaves
	 * the state in the CPU, because the next entry is usually on the same one. NULL: not
	 * needed. */
	void (*park)(struct vcpu *vcpu);

	/* Returns from a hypercall (error, value) or a firmware call (its two result registers;
	 * PSCI has only the first). */
	void (*call_return)(struct vcpu *vcpu, uint64_t first, uint64_t second);

	/* Decodes the access of a nested fault on a device. Where the hardware gives no syndrome,
	 * it fetches the instruction once, through the guest's own tables. MM_UNSUPPORTED: a form
	 * that Faultline refuses (docs/testing.md lists them). If an instruction has several
	 * accesses (a pair, a string step), each call decodes the next one: mmio_complete() says if
	 * there are more. */
	enum mm_error (*mmio_decode)(struct vcpu *vcpu, const struct vm_exit *exit,
	                             struct mmio_access *access);
	/* The instruction of the last exit, a nested fault, as the hardware reports it without a
	 * read of memory: its first bytes (AMD), or htinst (RISC-V) if that is a transformed
	 * instruction. mmio_decode() uses it. Answers how many bytes; 0: none. NULL: no CPU reports
	 * it. */
	size_t (*given_insn)(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES]);
	/* Completes the access: writes the value that was read to its register. Steps over the
	 * instruction after its last access. True: the instruction has another access, so the
	 * caller decodes the same exit again before the guest runs. */
	bool (*mmio_complete)(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

	/* Completes an emulated register access, port access or halt: writes the value of a read,
	 * and steps over the instruction. */
	void (*skip)(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

	/* Makes the guest take an undefined-instruction exception at its PC. */
	void (*inject_undefined)(struct vcpu *vcpu);
	/* Raises or lowers the guest's virtual timer or external interrupt line. */
	void (*set_interrupt)(struct vcpu *vcpu, bool pending);

	/* Starts or stops the CPU's log of pages that it marks dirty while this vCPU runs (VMX:
	 * PML). False: not on this CPU, or no memory. NULL: no CPU has one. */
	bool (*log_writes)(struct vcpu *vcpu, bool on);
	/* Takes up to `most` pages out of the log, oldest first. */
	struct vcpu_writes (*take_writes)(struct vcpu *vcpu, mm_gpa_t out[], size_t most);

	/* Walks the guest's own tables. MM_NOT_MAPPED: no entry. MM_DENIED: no permission. */
	enum mm_error (*translate)(struct vcpu *vcpu, mm_gva_t gva, enum mm_perm access,
	                           mm_gpa_t *out);

	uint64_t (*pc)(const struct vcpu *vcpu);
	size_t (*registers)(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

	/* For mm_hal.flush: when it returns, the flush is complete on every CPU. */
	void (*flush)(void *ctx, const struct mm_flush *request);
};

/* In the machine layer: the extensions to probe, in this order, NULL-terminated. */
extern const struct virt_ops *const virt_candidates[];

/* Defined by their folders; each image links those of its architecture. */
extern const struct virt_ops vmx_ops;
extern const struct virt_ops svm_ops;
extern const struct virt_ops el2_ops;
extern const struct virt_ops hext_ops;

#endif
