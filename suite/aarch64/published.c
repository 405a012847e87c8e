/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published defects, AArch64: exceptions that the hypervisor gives to the guest, registers that a
 * guest may not have, and device accesses. docs/published.md lists them.
 */
#include "suite/published.h"

#include "suite/run.h"

/* Defines the text `name`, position-independent code, and declares its two symbols. */
#define PUBLISHED_TEXT(name, ...)                                                                  \
	extern const uint8_t name[], name##_end[];                                                 \
	__asm__(".section .rodata\n.balign 0x800\n" #name ":\n" __VA_ARGS__ "\n" #name             \
	        "_end:\n.text");

/*
 * Runs the code at x0 at EL0 or, if bit 0 of x0 is set, at EL1, with its own vectors and with
 * CNTKCTL_EL1 enabling the physical timer. Returns how it ended: EC in bits 7:0, the offset of ELR
 * in 31:8, the mode in SPSR in 39:32, and the number of the vector, of 0x80 bytes each, in 47:40.
 * The number is set by the first instruction of the vector.
 */
PUBLISHED_TEXT(run_with_vectors, "adr x11, run_with_vectors\n"
                                 "add x11, x11, #0x2000\n"
                                 "mrs x9, vbar_el1\n"
                                 "stp x9, x30, [x11]\n"
                                 "mov x9, sp\n"
                                 "mrs x10, cntkctl_el1\n"
                                 "stp x9, x10, [x11, #16]\n"
                                 "mov x9, #0x200\n"
                                 "msr cntkctl_el1, x9\n"
                                 "adr x9, 2f\n"
                                 "msr vbar_el1, x9\n"
                                 "isb\n"
                                 "mov x16, #0xff\n"
                                 "tbnz x0, #0, 1f\n"
                                 "msr elr_el1, x0\n"
                                 "mov x9, #0x3c0\n"
                                 "msr spsr_el1, x9\n"
                                 "isb\n"
                                 "eret\n"
                                 "1: sub x0, x0, #1\n"
                                 "br x0\n"
                                 "3: adr x17, run_with_vectors\n"
                                 "add x17, x17, #0x2000\n"
                                 "ldp x9, x30, [x17]\n"
                                 "msr vbar_el1, x9\n"
                                 "ldp x9, x10, [x17, #16]\n"
                                 "mov sp, x9\n"
                                 "msr cntkctl_el1, x10\n"
                                 "isb\n"
                                 "mrs x0, esr_el1\n"
                                 "ubfx x0, x0, #26, #6\n"
                                 "mrs x9, elr_el1\n"
                                 "sub x10, x17, #0x1000\n"
                                 "sub x9, x9, x10\n"
                                 "bfi x0, x9, #8, #24\n"
                                 "mrs x9, spsr_el1\n"
                                 "bfi x0, x9, #32, #5\n"
                                 "bfi x0, x16, #40, #8\n"
                                 "ret\n"
                                 ".balign 0x800\n"
                                 "2:\n"
                                 ".set vector, 0\n"
                                 ".rept 16\n"
                                 "mov x16, #vector\n"
                                 "b 3b\n"
                                 ".balign 0x80\n"
                                 ".set vector, vector + 1\n"
                                 ".endr")

#define AT_EL1 1U
#define ENDED(ec, offset, mode, vector)                                                            \
	((uint64_t)(ec) | (uint64_t)(offset) << 8 | (uint64_t)(mode) << 32 |                       \
	 (uint64_t)(vector) << 40)
#define EL0T         0x0U
#define EL1H         0x5U
#define FROM_EL1H    4U /* D1.3.1: vector 0x200 */
#define FROM_EL0     8U /* vector 0x400 */
#define EC_UNDEFINED 0U

/* GUEST_EXIT */
PUBLISHED_TEXT(call_from_user, "mov x0, #1\n"
                               "movk x0, #0xc600, lsl #16\n"
                               "mov x1, #7\n"
                               "hvc #0\n"
                               "brk #0")
/* The physical timer: CNTKCTL_EL1 permits it at EL0, and EL2 traps it. */
PUBLISHED_TEXT(use_timer, "nop\n"
                          "mrs x1, cntp_ctl_el0\n"
                          "brk #0")

#define READ_REGISTER(name)  "nop\nmrs x1, " name "\nbrk #0"
#define WRITE_REGISTER(name) "nop\nmsr " name ", xzr\nbrk #0"
PUBLISHED_TEXT(read_amcr, READ_REGISTER("s3_3_c13_c2_0"))
PUBLISHED_TEXT(read_amcntenset0, READ_REGISTER("s3_3_c13_c2_5"))
PUBLISHED_TEXT(read_amevcntr00, READ_REGISTER("s3_3_c13_c4_0"))
PUBLISHED_TEXT(write_pmcr, WRITE_REGISTER("pmcr_el0"))
PUBLISHED_TEXT(write_pmccfiltr, WRITE_REGISTER("pmccfiltr_el0"))

static const struct row {
	const char *name;
	struct published_text text;
	bool user;
	uint8_t offset;
} rows[] = {
	/* Xen, XSA-76: user mode of a guest could make hypercalls. */
	{"published.xen.76", TEXT(call_from_user), true, 12},
	/* Xen, XSA-102: an exception of EL0 was given to the vector of EL1. XSA-103: the PC was
         * stepped after the injection, so that the first instruction of the vector was left out. */
	{"published.xen.102", TEXT(use_timer), true, 4},
	{"published.xen.103", TEXT(use_timer), false, 4},
	/* Xen, XSA-351: CPTR_EL2 did not trap the activity monitors. */
	{"published.xen.351.amcr", TEXT(read_amcr), false, 4},
	{"published.xen.351.amcntenset0", TEXT(read_amcntenset0), false, 4},
	{"published.xen.351.amevcntr00", TEXT(read_amevcntr00), false, 4},
	/* Xen, XSA-93: a guest could write registers of the PMU and of debugging, which are not
         * switched. */
	{"published.xen.93.pmcr", TEXT(write_pmcr), false, 4},
	{"published.xen.93.pmccfiltr", TEXT(write_pmccfiltr), false, 4},
};

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	static struct published texts;
	const struct row *row = &rows[index];

	(void)host;
	if (index >= MM_ARRAY_SIZE(rows))
		return false;
	texts = (struct published){TEXT(run_with_vectors), row->text};
	draft_name(d, "%s", row->name);
	d->c.data = &texts;
	d->c.ready = published_put;
	draft_area(d, (struct suite_area)PLACE);
	draft_op(d, (struct suite_op)CALL_CODE(
			    USER + (row->user ? 0 : AT_EL1),
			    row->user ? ENDED(EC_UNDEFINED, row->offset, EL0T, FROM_EL0)
				      : ENDED(EC_UNDEFINED, row->offset, EL1H, FROM_EL1H)));
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	return true;
}

/* Writes x0 to CNTKCTL_EL1 and yields ten times. The result is the register. */
PUBLISHED_TEXT(keep_cntkctl, "msr cntkctl_el1, x0\n"
                             "mov x9, #10\n"
                             "1: mov x0, #6\n"
                             "movk x0, #0xc600, lsl #16\n"
                             "hvc #0\n"
                             "subs x9, x9, #1\n"
                             "b.ne 1b\n"
                             "mrs x0, cntkctl_el1\n"
                             "ret")

/* x0: the test device. The result is 0 if its register took the zero and SP is unchanged. */
PUBLISHED_TEXT(zero_register, "mov x9, sp\n"
                              "mov x1, #-1\n"
                              "str x1, [x0, #8]\n"
                              "str xzr, [x0, #8]\n"
                              "ldr x2, [x0, #8]\n"
                              "str x1, [x0, #8]\n"
                              "str wzr, [x0, #8]\n"
                              "ldr x3, [x0, #8]\n"
                              "mvn x3, x3\n"
                              "lsr x4, x3, #32\n"
                              "orr x2, x2, x4\n"
                              "ldr xzr, [x0]\n"
                              "ldrb wzr, [x0, #1]\n"
                              "mov x10, sp\n"
                              "eor x10, x10, x9\n"
                              "mov sp, x9\n"
                              "orr x0, x2, x10\n"
                              "ret")

/* The virtual timer is due. x0 is written to CNTV_CTL_EL0. The result is that register. */
PUBLISHED_TEXT(set_timer, "msr cntv_tval_el0, xzr\n"
                          "msr cntv_ctl_el0, x0\n"
                          "isb\n"
                          "mrs x1, cntvct_el0\n"
                          "add x1, x1, #64\n"
                          "1: isb\n"
                          "mrs x2, cntvct_el0\n"
                          "cmp x2, x1\n"
                          "b.lo 1b\n"
                          "mrs x0, cntv_ctl_el0\n"
                          "ret")

#define ENABLE  1U
#define IMASK   2U
#define ISTATUS 4U
#define NO_INTERRUPTS                                                                              \
	{OP(IRQ_MASK, .value = 0)}, SPIN(1000), {OP(IRQS)},                                        \
	{                                                                                          \
		OP(IRQ_MASK, .value = 1)                                                           \
	}

#define SWITCHED(value) SCRIPT(BARRIER(0), CALL_CODE(value, value), CALL_CODE(value, value))

static const struct suite_case cases[] = {
	{
		/* Xen, XSA-91: CNTKCTL_EL1 was not switched. */
		.name = "published.xen.91",
		.areas = AREAS(PLACE),
		.share_cpu = true,
		.script = SWITCHED(0x3),
		.others = {SWITCHED(0x302)},
		.data = CODE_OF(keep_cntkctl),
		.ready = published_put,
	},
	{
		/* Linux, commit 3d0b70fd4d23: a store of the zero register to a device stored SP,
                 * and a load to it changed SP. */
		.name = "published.linux.3d0b70fd4d23",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(GUEST_TEST_BASE, 0)),
		.data = CODE_OF(zero_register),
		.ready = published_put,
		.uncounted = true,
	},
	{
		/* Linux, commit 16e604a437c8: a guest took an interrupt of a timer that it had
                 * masked or disabled. */
		.name = "published.linux.16e604a437c8",
		.areas = AREAS(PLACE),
		.script = SCRIPT(CALL_CODE(ENABLE | IMASK, ENABLE | IMASK | ISTATUS), NO_INTERRUPTS,
                                 {OP(CALL_AT, .addr = CODE, .value = IMASK), .any_value = true},
                                 NO_INTERRUPTS,
                                 {OP(CALL_AT, .addr = CODE, .value = 0), .any_value = true},
                                 NO_INTERRUPTS),
		.data = CODE_OF(set_timer),
		.ready = published_put,
	},
};

const struct suite_subject suite_aarch64_published = {
	.name = "published",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
	.generate = generate,
	.generated = "published.",
};
