/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a report (virt_ops.registers) are those of the guest, under their names. */
#include "kernel/string.h"
#include "machine/aarch64/sysreg.h"
#include "suite/aarch64/arm.h"

ARM_PIECE(report);

/* The values of report_code.S. */
static uint64_t known(uint64_t number)
{
	return (0x70 + number) << 48 | (0x6000 + number) << 32 | (0x5000 + number) << 16 |
	       (0x4000 + number);
}

/* A prefix of each name and its value. `bits` that all CPUs implement are compared. */
static const struct {
	const char *name;
	uint64_t number; /* of known(); 0: `value` */
	uint64_t value;
	uint64_t bits;
} system_registers[] = {
	{"sp_el0", 40, 0, UINT64_MAX},
	{"elr_el1", 41, 0, UINT64_MAX},
	{"spsr_el1", 0, 0x3c5, UINT64_MAX},
	{"esr_el1", 0, 0x4444, UINT64_MAX},
	{"far_el1", 44, 0, UINT64_MAX},
	{"vbar_el1", 0, 0x40005800, UINT64_MAX},
	{"ttbr0_el1", 48, 0, 0xfffffffffffe},
	{"ttbr1_el1", 50, 0, 0xfffffffffffe},
	{"mair_el1", 52, 0, UINT64_MAX},
	{"sctlr_el1", 0, 0x30d00800, UINT64_MAX},
	{"tcr_el1", 0, 0, UINT64_MAX},
	{"pc", 0, ARM_CODE, ~(PAGE - 1)},
	{"sp_el1", 0, GUEST_RAM_BASE, ~UINT64_C(0xfffffff)},
	{"pstate", 0, 5, 0xf},
};

static bool is_general(const char *name, unsigned *number)
{
	if (name[0] != 'x')
		return false;
	*number = 0;
	for (name++; *name != '\0'; name++)
		*number = *number * 10 + (unsigned)(*name - '0');
	return true;
}

static void check(struct suite_run *run, const struct vcpu_register *reg)
{
	uint64_t expected, bits;
	unsigned number;

	if (is_general(reg->name, &number)) {
		/* x0 and x1 are those of the hypercall. */
		expected = number == 0 ? 0xc6000009 : number == 1 ? 0 : known(number);
		run->scratch[0] |= UINT64_C(1) << number;
		if (reg->value != expected)
			suite_fail(run, "%s: 0x%" PRIx64 ", not 0x%" PRIx64, reg->name, reg->value,
			           expected);
		return;
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(system_registers); i++) {
		if (strcmp(system_registers[i].name, reg->name) != 0)
			continue;
		run->scratch[1] |= UINT64_C(1) << i;
		expected = system_registers[i].number != 0 ? known(system_registers[i].number)
		                                           : system_registers[i].value;
		bits = system_registers[i].bits;
		if (((reg->value ^ expected) & bits) != 0)
			suite_fail(run, "%s: 0x%" PRIx64 ", not 0x%" PRIx64, reg->name, reg->value,
			           expected);
		return;
	}
	suite_fail(run, "%s: no such register", reg->name);
}

static uint64_t step(struct suite_run *run, uint64_t number)
{
	static struct vcpu_register registers[VCPU_REGISTERS];
	const struct vcpu *vcpu = &run->vm->vcpus[0].vcpu;
	size_t count = run->host->ops->registers(vcpu, registers);

	(void)number;
	for (size_t i = 0; i < count; i++)
		check(run, &registers[i]);
	return 0;
}

static bool verify(struct suite_run *run)
{
	if (run->scratch[0] != 0x7fffffff)
		return suite_fail(run, "general registers are missing: 0x%" PRIx64,
		                  run->scratch[0]);
	if (run->scratch[1] != (UINT64_C(1) << MM_ARRAY_SIZE(system_registers)) - 1)
		return suite_fail(run, "registers are missing: 0x%" PRIx64, run->scratch[1]);
	return run->complaints == 0;
}

static const struct suite_case cases[] = {
	{
		.name = "arm.report.registers",
		.areas = ARM_AREAS,
		.script = SCRIPT(CALL_AT(ARM_CODE, 0, 0)),
		.data = &report,
		.ready = arm_ready,
		.step = step,
		.verify = verify,
	},
};

const struct suite_subject suite_arm_report = {
	.name = "arm.report",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
