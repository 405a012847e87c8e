/*
 * The VMX instructions: SDM vol. 3C, ch. 31. Those that fail say so in CF (no VMCS is current)
 * or ZF (VMCS_INSTRUCTION_ERROR has the number). VMREAD and VMWRITE of fields that the probe has
 * found to exist, on a VMCS that is current, cannot fail, and are not asked.
 */
#ifndef VMX_INSN_H
#define VMX_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/addr.h"
#include "vmx/vmcs.h"

static inline uint64_t vmread(enum vmcs_field field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "r"(value) : "cc");
}

#define DEFINE_POINTER_INSTRUCTION(name)                                                           \
	static inline bool name(hpa_t region)                                                      \
	{                                                                                          \
		bool done;                                                                         \
                                                                                                   \
		__asm__ volatile(#name " %1" : "=@cca"(done) : "m"(region.raw) : "memory", "cc");  \
		return done;                                                                       \
	}
DEFINE_POINTER_INSTRUCTION(vmxon)
DEFINE_POINTER_INSTRUCTION(vmclear)
DEFINE_POINTER_INSTRUCTION(vmptrld)

/* The kinds of INVEPT and INVVPID. */
#define INVEPT_SINGLE  UINT64_C(1)
#define INVEPT_ALL     UINT64_C(2)
#define INVVPID_SINGLE UINT64_C(1)
#define INVVPID_ALL    UINT64_C(2)

struct invalidation {
	uint64_t which; /* EPTP, or VPID in bits 15:0 */
	uint64_t address;
};

static inline void invept(uint64_t type, uint64_t eptp)
{
	struct invalidation what = {eptp, 0};

	__asm__ volatile("invept %0, %1" : : "m"(what), "r"(type) : "memory", "cc");
}

static inline void invvpid(uint64_t type, uint16_t vpid)
{
	struct invalidation what = {vpid, 0};

	__asm__ volatile("invvpid %0, %1" : : "m"(what), "r"(type) : "memory", "cc");
}

#endif
