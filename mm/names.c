/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the library's enums, for logs. */
#include "mm/access.h"
#include "mm/aspace.h"
#include "mm/compiler.h"
#include "mm/error.h"

/* names[index], or "???" if there is none. */
static const char *name_of(const char *const names[], size_t count, size_t index)
{
	return index < count && names[index] ? names[index] : "???";
}

const char *mm_error_name(enum mm_error err)
{
	static const char *const names[] = {
		[-MM_OK] = "ok",
		[-MM_INVALID] = "invalid",
		[-MM_MISALIGNED] = "misaligned",
		[-MM_OUT_OF_RANGE] = "out of range",
		[-MM_EXISTS] = "exists",
		[-MM_NOT_MAPPED] = "not mapped",
		[-MM_DENIED] = "denied",
		[-MM_NO_MEMORY] = "no memory",
		[-MM_QUOTA] = "quota",
		[-MM_UNSUPPORTED] = "unsupported",
		[-MM_IS_DEVICE] = "is a device",
		[-MM_BUSY] = "busy",
		[-MM_NEEDS_FRAME] = "needs frame",
	};

	return name_of(names, MM_ARRAY_SIZE(names), 0U - (unsigned)err);
}

const char *mm_perm_name(enum mm_perm perm)
{
	static const char *const names[] = {"---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"};

	return name_of(names, MM_ARRAY_SIZE(names), (size_t)perm);
}

const char *mm_memtype_name(enum mm_memtype type)
{
	static const char *const names[] = {
		[MM_NORMAL] = "normal",
		[MM_NONCACHED] = "noncached",
		[MM_DEVICE] = "device",
	};

	return name_of(names, MM_ARRAY_SIZE(names), (size_t)type);
}

const char *mm_fault_name(enum mm_fault fault)
{
	static const char *const names[] = {
		[MM_FAULT_MAPPED] = "mapped",
		[MM_FAULT_SPURIOUS] = "spurious",
		[MM_FAULT_UNSHARED] = "unshared",
		[MM_FAULT_NOT_MAPPED] = "not-mapped",
		[MM_FAULT_PERMISSION] = "permission",
		[MM_FAULT_NO_MEMORY] = "no-memory",
		[MM_FAULT_QUOTA] = "quota",
		[MM_FAULT_IS_DEVICE] = "device",
		[MM_FAULT_OUT_OF_RANGE] = "out-of-range",
		[MM_FAULT_INVALID] = "invalid",
		[MM_FAULT_NEEDS_FRAME] = "needs-frame",
	};

	return name_of(names, MM_ARRAY_SIZE(names), (size_t)fault);
}
