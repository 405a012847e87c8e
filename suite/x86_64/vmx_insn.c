/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that exit to the hypervisor (SDM vol. 3C, 26.1). One row per instruction: its bytes,
 * RAX, RCX and RDX before it, and its result: an exception at its own address, the values that RAX
 * and RDX have after it, or the end of the VM.
 */
#include "suite/payload.h"
#include "suite/x86_64/vmx_guest.h"
#include "suite/x86_64/vmx_read.h"
#include "suite/x86_64/vmx_subjects.h"

#define UD 6
#define GP 13

/* CR0 and CR4 as the agent runs: guests/x86_64/start.S. */
#define AGENT_CR0 UINT64_C(0x80010031)
#define AGENT_CR4 UINT64_C(0x20)

#define BYTES_MOST 12

static const struct row {
	const char *name;
	unsigned vector; /* of the exception; 0: none */
	uint64_t rax, rcx, rdx;
	uint64_t rax_after, rdx_after; /* if there is no exception */
	uint8_t bytes[BYTES_MOST];     /* the rest are NOPs */
	unsigned count;
} rows[] = {
#define ROW(name, vector, rax, rcx, rdx, rax_after, rdx_after, ...)                                \
	{                                                                                          \
		name, vector, rax, rcx, rdx, rax_after, rdx_after, {__VA_ARGS__},                  \
			sizeof((const uint8_t[]){__VA_ARGS__})                                     \
	}
#define UNDEFINED(name, ...) ROW(name, UD, 0, 0, 0, 0, 0, __VA_ARGS__)

	/* VMX is not for guests. The operands are on the stack. */
	UNDEFINED("vmclear", 0x66, 0x0f, 0xc7, 0x34, 0x24),
	UNDEFINED("vmptrst", 0x0f, 0xc7, 0x3c, 0x24),
	UNDEFINED("vmptrld", 0x0f, 0xc7, 0x34, 0x24),
	UNDEFINED("vmxon", 0xf3, 0x0f, 0xc7, 0x34, 0x24),
	UNDEFINED("vmlaunch", 0x0f, 0x01, 0xc2),
	UNDEFINED("vmresume", 0x0f, 0x01, 0xc3),
	UNDEFINED("vmread", 0x0f, 0x78, 0xc0),
	UNDEFINED("vmwrite", 0x0f, 0x79, 0xc0),
	UNDEFINED("vmxoff", 0x0f, 0x01, 0xc4),
	UNDEFINED("vmfunc", 0x0f, 0x01, 0xd4),
	UNDEFINED("invept", 0x66, 0x0f, 0x38, 0x80, 0x04, 0x24),
	UNDEFINED("invvpid", 0x66, 0x0f, 0x38, 0x81, 0x04, 0x24),

	/* Features that a guest does not have. */
	UNDEFINED("getsec", 0x0f, 0x37),
	UNDEFINED("invpcid", 0x66, 0x0f, 0x38, 0x82, 0x04, 0x24),
	UNDEFINED("rdtscp", 0x0f, 0x01, 0xf9),
	UNDEFINED("monitor", 0x0f, 0x01, 0xc8),
	UNDEFINED("mwait", 0x0f, 0x01, 0xc9),
	UNDEFINED("syscall", 0x0f, 0x05),

	/* Registers that do not exist for it. The error code is 0. */
	ROW("rdpmc", GP, 0, 0, 0, 0, 0, 0x0f, 0x33),
	ROW("read-cr8", GP, 0, 0, 0, 0, 0, 0x44, 0x0f, 0x20, 0xc0),
	ROW("write-cr8", GP, 0, 0, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0),
	ROW("rdmsr-vmx-basic", GP, 0, 0x480, 0, 0, 0, 0x0f, 0x32),
	ROW("rdmsr-pat", GP, 0, 0x277, 0, 0, 0, 0x0f, 0x32),
	ROW("rdmsr-misc-enable", GP, 0, 0x1a0, 0, 0, 0, 0x0f, 0x32),
	ROW("rdmsr-vm-cr", GP, 0, 0xc0010114, 0, 0, 0, 0x0f, 0x32),
	ROW("rdmsr-no-range", GP, 0, 0x40000000, 0, 0, 0, 0x0f, 0x32),
	ROW("wrmsr-tsc", GP, 0, 0x10, 0, 0, 0, 0x0f, 0x30),
	ROW("wrmsr-apic-base", GP, 0, 0x1b, 0, 0, 0, 0x0f, 0x30),
	ROW("wrmsr-feature-control", GP, 5, 0x3a, 0, 0, 0, 0x0f, 0x30),
	ROW("wrmsr-debugctl", GP, 1, 0x1d9, 0, 0, 0, 0x0f, 0x30),
	ROW("wrmsr-x2apic", GP, 0, 0x830, 0, 0, 0, 0x0f, 0x30),
	ROW("cr4-vmxe", GP, AGENT_CR4 | 0x2000, 0, 0, 0, 0, 0x0f, 0x22, 0xe0),
	ROW("cr4-smxe", GP, AGENT_CR4 | 0x4000, 0, 0, 0, 0, 0x0f, 0x22, 0xe0),
	ROW("cr4-pcide", GP, AGENT_CR4 | 0x20000, 0, 0, 0, 0, 0x0f, 0x22, 0xe0),
	ROW("cr4-mce", GP, AGENT_CR4 | 0x40, 0, 0, 0, 0, 0x0f, 0x22, 0xe0),
	ROW("cr4-bit-31", GP, AGENT_CR4 | UINT64_C(0x80000000), 0, 0, 0, 0, 0x0f, 0x22, 0xe0),
	ROW("cr0-nw", GP, AGENT_CR0 | 0x20000000, 0, 0, 0, 0, 0x0f, 0x22, 0xc0),
	ROW("cr0-not-ne", GP, AGENT_CR0 & ~UINT64_C(0x20), 0, 0, 0, 0, 0x0f, 0x22, 0xc0),

	/* The guest's own registers. MOV from and to CR0 and CR4; WRMSR, then RDMSR. */
	ROW("read-cr0", 0, 0, 0, 7, AGENT_CR0, 7, 0x0f, 0x20, 0xc0),
	ROW("read-cr4", 0, 0, 0, 7, AGENT_CR4, 7, 0x0f, 0x20, 0xe0),
	ROW("cr0-ts-am", 0, AGENT_CR0 | 0x4000a, 0, 0, AGENT_CR0 | 0x4000a, 0, 0x0f, 0x22, 0xc0,
            0x0f, 0x20, 0xc0, 0x0f, 0x06),
	/* The guest reads back what it wrote; caches stay on. */
	ROW("cr0-cd", 0, AGENT_CR0 | 0x40000000, 0, 0, AGENT_CR0 | 0x40000000, 0, 0x0f, 0x22, 0xc0,
            0x0f, 0x20, 0xc0),
	ROW("clts", 0, AGENT_CR0 | 8, 0, 0, AGENT_CR0, 0, 0x0f, 0x22, 0xc0, 0x0f, 0x06, 0x0f, 0x20,
            0xc0),
	ROW("cr4-own", 0, AGENT_CR4 | 0x68c, 0, 0, AGENT_CR4 | 0x68c, 0, 0x0f, 0x22, 0xe0, 0x0f,
            0x20, 0xe0),
	ROW("sysenter-cs", 0, 0x3456, 0x174, 0, 0x3456, 0, 0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32),
	ROW("sysenter-esp", 0, 0x12345678, 0x175, 0x1234, 0x12345678, 0x1234, 0x0f, 0x30, 0x31,
            0xc0, 0x31, 0xd2, 0x0f, 0x32),
	ROW("sysenter-eip", 0, 0x76543210, 0x176, 0x4321, 0x76543210, 0x4321, 0x0f, 0x30, 0x31,
            0xc0, 0x31, 0xd2, 0x0f, 0x32),
	ROW("fs-base", 0, 0x13572468, 0xc0000100, 0x1111, 0x13572468, 0x1111, 0x0f, 0x30, 0x31,
            0xc0, 0x31, 0xd2, 0x0f, 0x32),
	ROW("efer", 0, 0x500, 0xc0000080, 0, 0x500, 0, 0x0f, 0x30, 0x31, 0xc0, 0x0f, 0x32),
	ROW("cpuid", 0, 0x40000000, 0, 0, 0x40000000, 0x584d5665, 0x89, 0xd3, 0x0f, 0xa2),

	/* Ports without a device read as ones. IN of 1 and 2 bytes keeps the rest of RAX. */
	ROW("in8", 0, UINT64_C(0x1122334455667788), 0, 0x80, UINT64_C(0x11223344556677ff), 0x80,
            0xec),
	ROW("in8-imm", 0, UINT64_C(0x1122334455667788), 0, 7, UINT64_C(0x11223344556677ff), 7, 0xe4,
            0x80),
	ROW("in16", 0, UINT64_C(0x1122334455667788), 0, 0x1f0, UINT64_C(0x112233445566ffff), 0x1f0,
            0x66, 0xed),
	ROW("in32", 0, UINT64_C(0x1122334455667788), 0, 0xcf8, 0xffffffff, 0xcf8, 0xed),
	ROW("out8", 0, UINT64_C(0x1122334455667788), 0, 0x8900, UINT64_C(0x1122334455667788),
            0x8900, 0xee),
	ROW("out32", 0, UINT64_C(0x1122334455667788), 0, 0xcfc, UINT64_C(0x1122334455667788), 0xcfc,
            0xef),
	ROW("wbinvd", 0, 5, 0, 6, 5, 6, 0x0f, 0x09),
	ROW("invd", 0, 5, 0, 6, 5, 6, 0x0f, 0x08),
	ROW("invlpg", 0, 5, 0, 6, 5, 6, 0x0f, 0x01, 0x3c, 0x24),
	ROW("hlt", 0, 5, 0, 6, 5, 6, 0xf4),
};

static const struct row *row_of(const struct suite_run *run)
{
	return run->c->data;
}

static bool put_instruction(struct suite_run *run)
{
	const struct row *row = row_of(run);
	uint64_t in[3] = {row->rax, row->rcx, row->rdx};
	mm_gpa_t bytes = mm_gpa_at(CODE_AT(vmx_any_bytes));

	return vmx_put_code(run) &&
	       mm_aspace_write(&run->vm->as, bytes, row->bytes, row->count) == MM_OK &&
	       mm_aspace_write(&run->vm->as, mm_gpa_at(CODE_AT(vmx_record) + RECORD_IN), in,
	                       sizeof(in)) == MM_OK;
}

static bool ends_as_its_row(struct suite_run *run)
{
	const struct row *row = row_of(run);
	struct vmx_record record;

	if (!vmx_get_record(run, &record))
		return false;
	if (row->vector == 0) {
		EXPECT_EQ(run, record.out[0], row->rax_after);
		EXPECT_EQ(run, record.out[1], row->rdx_after);
		return run->complaints == 0;
	}
	EXPECT_EQ(run, record.count, 1);
	EXPECT_EQ(run, record.log[0].vector, row->vector);
	EXPECT_EQ(run, record.log[0].error, 0);
	EXPECT_EQ(run, record.log[0].rip, CODE_AT(vmx_at_any));
	return run->complaints == 0;
}

static void draft_insn(struct suite_draft *d, const struct row *row)
{
	uint64_t events = row->vector != 0;

	draft_name(d, "vmx.insn.%s", row->name);
	draft_area(d, (struct suite_area)CODE_AREA);
	draft_op(d, (struct suite_op)CALL_CODE(CODE_AT(vmx_do_any), 0, events));
	draft_op(d, (struct suite_op)CALL(GUEST_NOP, 0, 0, GUEST_OK, 0));
	d->c.data = row;
	d->c.arena_only = true;
	d->c.ready = put_instruction;
	d->c.verify = ends_as_its_row;
}

/* --- string I/O, which is refused: the report names the port --- */

static const struct string_row {
	const char *name;
	uint8_t bytes[3];
	uint64_t port;
} strings[] = {
	{"insb", {0x6c, 0x90, 0x90}, 0x1234},
	{"insd", {0x6d, 0x90, 0x90}, 0xabcd},
	{"outsb", {0x6e, 0x90, 0x90}, 0x80},
	{"rep-outsw", {0xf3, 0x66, 0x6f}, 0x5678},
};

static bool put_string(struct suite_run *run)
{
	const struct string_row *row = run->c->data;
	uint64_t in[3] = {0, 1, row->port};
	mm_gpa_t bytes = mm_gpa_at(CODE_AT(vmx_any_bytes));

	return vmx_put_code(run) &&
	       mm_aspace_write(&run->vm->as, bytes, row->bytes, sizeof(row->bytes)) == MM_OK &&
	       mm_aspace_write(&run->vm->as, mm_gpa_at(CODE_AT(vmx_record) + RECORD_IN), in,
	                       sizeof(in)) == MM_OK;
}

static bool names_port(struct suite_run *run)
{
	const struct string_row *row = run->c->data;

	return payload_expect_eq(run, __FILE__, __LINE__, "kill_gpa", run->vm->kill_gpa.raw,
	                         row->port);
}

static void draft_string(struct suite_draft *d, const struct string_row *row)
{
	draft_name(d, "vmx.insn.%s", row->name);
	draft_area(d, (struct suite_area)CODE_AREA);
	draft_op(d, (struct suite_op)CALL_CODE(CODE_AT(vmx_do_any), 0, 0));
	d->c.data = row;
	d->c.arena_only = true;
	d->c.end = SUITE_DIES;
	d->c.kill = KILL_MMIO_UNDECODED;
	d->c.ready = put_string;
	d->c.verify = names_port;
}

static bool generate(size_t index, const struct host *host, struct suite_draft *d)
{
	if (!vmx_is_here(host) || index >= MM_ARRAY_SIZE(rows) + MM_ARRAY_SIZE(strings))
		return false;
	if (index < MM_ARRAY_SIZE(rows))
		draft_insn(d, &rows[index]);
	else
		draft_string(d, &strings[index - MM_ARRAY_SIZE(rows)]);
	return true;
}

const struct suite_subject suite_vmx_insn = {
	.name = "vmx",
	.generate = generate,
	.generated = "vmx.insn.",
};
