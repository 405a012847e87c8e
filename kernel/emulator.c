/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How emulators are recognised. No real machine has any of these signs:
 *
 *	QEMU's TCG, x86-64	CPUID 40000000H says "TCGTCGTCGTCG"
 *	Bochs			a 440FX host bridge (1996) beside a CPU with VMX or SVM, and no
 *				hypervisor in CPUID
 *	QEMU, riscv64		marchid and mimpid are both its version (7.2; not 10); or the
 *				root's model ends in ",qemu"
 *	Spike			marchid 5: "Open-Source RISC-V Architecture IDs"
 *	QEMU, aarch64		a "qemu,fw-cfg-mmio" node; MIDR_EL1 of -cpu max; or the name of a
 *				board that exists in QEMU alone. With a counter that follows
 *				the instructions (-icount), it runs the CPUs in turn
 */
#include "kernel/emulator.h"

#include "kernel/string.h"
#include "log.h"
#include "mm/bits.h"

/* --- versions --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number at *text. *text is then behind the number and its dot. Missing parts are 0. */
static uint64_t next_part(const char **text)
{
	uint64_t part = 0;

	for (; is_digit(**text); (*text)++)
		part = part < UINT32_MAX ? part * 10 + (uint64_t)(**text - '0') : part;
	if ((*text)[0] == '.' && is_digit((*text)[1]))
		(*text)++;
	return part;
}

/* Less than 0: `version` is before `end`. 0: it is in `end`. Greater than 0: after. */
static int compare(const char *version, const char *end)
{
	while (is_digit(*end)) {
		uint64_t a = next_part(&version), b = next_part(&end);

		if (a != b)
			return a < b ? -1 : 1;
	}
	return 0;
}

bool emulator_in_range(const char *emulator, const char *name, const char *from, const char *to)
{
	size_t length = strlen(name);

	if (strlen(emulator) < length || memcmp(emulator, name, length) != 0)
		return false;
	emulator += length;
	if (*emulator == '\0' || *emulator == ',')
		return true;
	if (*emulator++ != '-')
		return false;
	return !is_digit(*emulator) || (compare(emulator, from) >= 0 && compare(emulator, to) <= 0);
}

/* As in QEMU's option -accel tcg,thread=single. */
#define IN_TURN ",thread=single"

bool emulator_runs_cpus_in_turn(const char *emulator, unsigned cpus)
{
	size_t length = strlen(emulator), n = strlen(IN_TURN);

	return cpus == 1 || (length >= n && memcmp(emulator + length - n, IN_TURN, n) == 0);
}

/* --- signs --- */

/* PCI vendor and device of the host bridge: Intel's 82441FX. */
#define BRIDGE_440FX UINT32_C(0x12378086)

/* QEMU's target/riscv/cpu.c: major << 16 | minor << 8 | micro. */
#define QEMU_MAJOR  GENMASK(31, 16)
#define QEMU_MINOR  GENMASK(15, 8)
#define QEMU_MICRO  GENMASK(7, 0)
#define QEMU_OLDEST 7 /* major versions; these bits of an architecture ID are 0 */
#define QEMU_NEWEST 99

#define MARCHID_SPIKE 5

/* MIDR_EL1 of QEMU's -cpu max: no implementer, architecture 0xf, part "Q" (0x51). */
#define MIDR_QEMU_MAX UINT64_C(0x000f0510)

static void identify_x86_64(const struct machine_signs *signs, char *out, size_t size)
{
	if (memcmp(signs->hypervisor, "TCGTCGTCGTCG", sizeof(signs->hypervisor)) == 0)
		(void)format_string(out, size, "qemu");
	else if (signs->hypervisor[0] == '\0' && signs->host_bridge == BRIDGE_440FX)
		(void)format_string(out, size, "bochs");
}

static bool ends_in(const char *text, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length >= n && memcmp(text + length - n, end, n) == 0;
}

static bool model_is_qemu(const struct fdt *fdt)
{
	struct fdt_node root = fdt_start(fdt);
	struct fdt_property model;

	return fdt_next(fdt, &root) && fdt_get(fdt, &root, "model", &model) && model.bytes > 0 &&
	       ends_in((const char *)model.data, model.bytes - 1, ",qemu");
}

static void identify_riscv64(const struct machine_signs *signs, const struct fdt *fdt, char *out,
                             size_t size)
{
	uint64_t major = FIELD_GET(QEMU_MAJOR, signs->marchid);

	if (signs->mvendorid == 0 && signs->marchid == signs->mimpid &&
	    signs->marchid <= UINT32_MAX && major >= QEMU_OLDEST && major <= QEMU_NEWEST)
		(void)format_string(out, size, "qemu-%u.%u.%u", (unsigned)major,
		                    (unsigned)FIELD_GET(QEMU_MINOR, signs->marchid),
		                    (unsigned)FIELD_GET(QEMU_MICRO, signs->marchid));
	else if (fdt != NULL && model_is_qemu(fdt))
		(void)format_string(out, size, "qemu");
	else if (signs->mvendorid == 0 && signs->marchid == MARCHID_SPIKE)
		(void)format_string(out, size, "spike");
}

static void identify_aarch64(const struct machine_signs *signs, const struct fdt *fdt, char *out,
                             size_t size)
{
	static const char *const boards[] = {"linux,sbsa-ref", "xlnx,versal-virt"};
	struct fdt_node node;
	bool qemu = signs->midr == MIDR_QEMU_MAX;

	if (fdt != NULL) {
		qemu = qemu || fdt_find_compatible(fdt, "qemu,fw-cfg-mmio", &node);
		for (size_t i = 0; i < MM_ARRAY_SIZE(boards); i++)
			qemu = qemu || fdt_find_compatible(fdt, boards[i], &node);
	}
	if (qemu)
		(void)format_string(out, size, "qemu%s", signs->counted ? IN_TURN : "");
}

void emulator_identify(const struct machine_signs *signs, const struct fdt *fdt, char *out,
                       size_t size)
{
	out[0] = '\0';
	switch (signs->kind) {
	case SIGNS_X86_64:
		identify_x86_64(signs, out, size);
		return;
	case SIGNS_RISCV64:
		identify_riscv64(signs, fdt, out, size);
		return;
	case SIGNS_AARCH64:
		identify_aarch64(signs, fdt, out, size);
		return;
	}
}
