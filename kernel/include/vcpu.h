/*
 * The one small interface between the hypervisor and a virtualization extension. Control flows
 * one way: kernel/ calls run() of struct virt_ops, and an extension returns an exit; it never
 * calls upwards.
 *
 *	vmx/  svm/  el2/  hext/     each defines one struct virt_ops
 *
 * The machine layer lists those that its CPU might have (virt_candidates); kernel_main() takes
 * the first whose probe says yes.
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
#include "mm/npt/format.h"
#include "vm_exit.h"

/* A table geometry that this machine can walk: "sv39x4", "ept4", "ipa40". */
struct virt_geometry {
	const char *name;
	struct npt_config npt;
	const struct npt_format *format; /* NULL: that of virt_caps */
};

#define VIRT_GEOMETRIES 8
#define VIRT_FEATURES   24

/* A feature that the machine reports, and whether Faultline uses it: the log names both. */
struct virt_feature {
	const char *name;
	bool present;
	bool used;
};

/* What an access does that finds A (or D) due in the guest's own tables. */
enum virt_stage1_ad {
	STAGE1_AD_UPDATED, /* the CPU sets them */
	STAGE1_AD_FAULTS,  /* it faults to the guest */
	STAGE1_AD_CHOSEN,  /* as the guest says: Arm's TCR_EL1.HA */
};

struct virt_caps {
	const struct npt_format *format;
	struct virt_geometry geometries[VIRT_GEOMETRIES]; /* smallest GPA width first */
	size_t geometry_count;                            /* at least 1 if the probe said yes */
	unsigned hpa_bits;
	unsigned tag_bits; /* VMID, VPID or ASID; 0: none, so every entry flushes */
	uint64_t max_tag;  /* tags 1..max_tag may be given to guests */
	struct virt_feature features[VIRT_FEATURES];
	size_t feature_count;
	enum virt_stage1_ad stage1_ad;
	char mitigations[96]; /* "erratum=what is done" of each that the extension knows; or "" */
	char missing[128];    /* if the probe said no: what exactly, as one sentence */
};

static inline void virt_add_feature(struct virt_caps *caps, const char *name, bool present,
                                    bool used)
{
	ASSERT(caps->feature_count < VIRT_FEATURES);
	caps->features[caps->feature_count++] = (struct virt_feature){name, present, used};
}

/* The state of one virtual CPU. The extension keeps its own behind `arch`, in frames that
 * vcpu_create takes and vcpu_destroy gives back. */
struct vcpu {
	const struct virt_ops *ops;
	struct aspace *as; /* what it runs in; the owner keeps it alive */
	unsigned index;    /* in its VM */
	void *arch;
};

struct vcpu_config {
	struct aspace *as;
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
	bool lost;           /* so many writes that not all could be kept */
};

/* An instruction has at most 15 bytes. */
#define VCPU_INSN_BYTES 16

struct virt_ops {
	const char *name; /* "vmx", "svm", "el2", "hext" */

	/* What a guest's firmware call is answered with where nothing is emulated: SBI_ERR_NOT_
	 * SUPPORTED (-2) or SMCCC's NOT_SUPPORTED (-1). */
	uint64_t firmware_unknown;

	/* Is the extension here, switched on by the firmware, and with nested paging? Fills *caps
	 * in either case. Changes nothing that cannot be undone. */
	bool (*probe)(struct virt_caps *caps);

	/* On each CPU that will run guests. False: the probe was wrong, and `why` says how. */
	bool (*cpu_enable)(const char **why);

	/* MM_NO_MEMORY, or MM_OK with the vCPU ready for its first instruction. */
	enum mm_error (*create)(struct vcpu *vcpu, const struct vcpu_config *config);
	void (*destroy)(struct vcpu *vcpu);

	/*
	 * Enters the guest until it exits, on the CPU that calls; a vCPU may move between CPUs
	 * from one call to the next, with park() in between. At machine_ticks() >= deadline it
	 * comes back with
	 * VM_EXIT_DEADLINE; UINT64_MAX is no deadline. Deadlines seldom change: setting one is
	 * allowed to be dear, keeping one is not.
	 *
	 * The PC stands after the instruction for hypercalls and firmware calls, and at it for
	 * everything else.
	 */
	void (*run)(struct vcpu *vcpu, uint64_t deadline, struct vm_exit *exit);

	/* Takes the vCPU's state out of the registers (and caches: a VMCS) of the CPU that ran it
	 * last, and that calls. Owed before another CPU uses the vCPU in any way: run() leaves the
	 * state where it is, because the next entry is seldom elsewhere. NULL: nothing is left. */
	void (*park)(struct vcpu *vcpu);

	/* The answer to a hypercall (error, value) or a firmware call (its two result registers;
	 * PSCI has only the first). */
	void (*call_return)(struct vcpu *vcpu, uint64_t first, uint64_t second);

	/* Decodes the access behind a nested fault on a device. Fetches the instruction, at most
	 * once, through the guest's own tables where the hardware gives no syndrome.
	 * MM_UNSUPPORTED: a form that Faultline refuses (docs/testing.md lists them). Several
	 * accesses of one instruction (a pair, a string step) come one at a time, in order:
	 * complete says if more are due. */
	enum mm_error (*mmio_decode)(struct vcpu *vcpu, const struct vm_exit *exit,
	                             struct mmio_access *access);
	/* What the hardware itself says of the instruction behind the nested fault that was the
	 * last exit, without a look at memory: its first bytes (AMD), or RISC-V's htinst where it
	 * is a transformed instruction. Answers how many bytes, 0 if nothing is said; decoding goes
	 * by it. NULL where no CPU says anything. */
	size_t (*given_insn)(const struct vcpu *vcpu, uint8_t out[VCPU_INSN_BYTES]);
	/* Ends it: writes the value read to its register, and steps over the instruction unless
	 * more of it is due. True: the instruction has another access, so decode again (the same
	 * exit) and ask the bus again before the guest is run. */
	bool (*mmio_complete)(struct vcpu *vcpu, const struct mmio_access *access, uint64_t value);

	/* Emulated register accesses, ports and halts: gives the value read (if it was one) and
	 * steps over the instruction. */
	void (*skip)(struct vcpu *vcpu, const struct vm_exit *exit, uint64_t value);

	/* Makes the guest take an undefined-instruction exception at its PC. */
	void (*inject_undefined)(struct vcpu *vcpu);
	/* Raises or lowers the guest's virtual timer or external interrupt line. */
	void (*set_interrupt)(struct vcpu *vcpu, bool pending);

	/* The CPU's own log of the pages that it marks dirty while this vCPU runs (VMX: PML), where
	 * nested tables have such marks. Starts or stops it; false: not on this CPU, or no memory.
	 * NULL where no CPU has one. */
	bool (*log_writes)(struct vcpu *vcpu, bool on);
	/* Takes up to `most` pages out of the log, oldest first. */
	struct vcpu_writes (*take_writes)(struct vcpu *vcpu, gpa_t out[], size_t most);

	/* Walks the guest's own tables: MM_NOT_MAPPED or MM_DENIED if they say so. */
	enum mm_error (*translate)(struct vcpu *vcpu, gva_t gva, enum mm_perm access, gpa_t *out);

	uint64_t (*pc)(const struct vcpu *vcpu);
	size_t (*registers)(const struct vcpu *vcpu, struct vcpu_register out[VCPU_REGISTERS]);

	/* For mm_hal.flush: complete on every CPU when it returns. */
	void (*flush)(void *ctx, const struct mm_flush *request);
};

/* In the machine layer: what to try, best first, NULL-terminated. */
extern const struct virt_ops *const virt_candidates[];

/* Defined by their folders; each image links those of its architecture. */
extern const struct virt_ops vmx_ops;
extern const struct virt_ops svm_ops;
extern const struct virt_ops el2_ops;
extern const struct virt_ops hext_ops;

#endif
