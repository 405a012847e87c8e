/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent: executes the script that the hypervisor wrote to its mailbox. It executes one real
 * instruction after the other and stores the result of each. The suite's cases (suite/) are such
 * scripts. guests/agent/abi.h defines the operations.
 */
#include "agent/agent.h"
#include "agent/stage1.h"

static struct agent_shared *shared(void)
{
	return (struct agent_shared *)AGENT_SHARED_BASE;
}

static uint64_t load(uint64_t at, unsigned width)
{
	switch (width) {
	case 1:
		return read8(at);
	case 2:
		return read16(at);
	case 4:
		return read32(at);
	default:
		return read64(at);
	}
}

static uint64_t sign_extend(uint64_t value, unsigned width)
{
	unsigned unused = 64 - 8 * width;

	return (uint64_t)((int64_t)(value << unused) >> unused);
}

static void do_read(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	ctx->value = load(op->addr, op->width);
	if (op->flags & AGENT_SIGNED)
		ctx->value = sign_extend(ctx->value, op->width);
}

static void store(uint64_t at, unsigned width, uint64_t value)
{
	switch (width) {
	case 1:
		write8(at, (uint8_t)value);
		break;
	case 2:
		write16(at, (uint16_t)value);
		break;
	case 4:
		write32(at, (uint32_t)value);
		break;
	default:
		write64(at, value);
	}
}

static void do_write(struct agent_context *ctx)
{
	store(ctx->op->addr, ctx->op->width, ctx->op->value);
}

static void do_fetch(struct agent_context *ctx)
{
	agent_call(ctx->op->addr, 0);
	ctx->value = 1;
}

static void do_put_return(struct agent_context *ctx)
{
	void *at = (void *)(uintptr_t)ctx->op->addr;

	ctx->value = guest_put_return(at);
	guest_sync_code(at, ctx->value);
}

static void do_run_at(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	uint64_t bytes;
	const uint8_t *code = agent_snippet(op->count, &bytes);

	if (code == NULL) {
		ctx->supported = false;
		return;
	}
	for (uint64_t i = 0; i < bytes; i++)
		write8(op->addr + i, code[i]);
	guest_sync_code((void *)(uintptr_t)op->addr, bytes);
	ctx->value = agent_call(op->addr, op->value);
}

static void do_call_at(struct agent_context *ctx)
{
	ctx->value = agent_call(ctx->op->addr, ctx->op->value);
}

/* The address of word `i` of a series. */
static uint64_t word_at(const struct agent_op *op, uint64_t i)
{
	uint64_t offset = i * op->stride;

	return op->flags & AGENT_BACKWARD ? op->addr - offset : op->addr + offset;
}

static void do_touch(struct agent_context *ctx)
{
	for (uint64_t i = 0; i < ctx->op->count; i++)
		ctx->value |= read64(word_at(ctx->op, i));
}

static void do_fill(struct agent_context *ctx)
{
	for (uint64_t i = 0; i < ctx->op->count; i++) {
		uint64_t at = word_at(ctx->op, i);

		write64(at, ctx->op->value ^ at);
	}
}

static void do_check(struct agent_context *ctx)
{
	for (uint64_t i = 0; i < ctx->op->count; i++) {
		uint64_t at = word_at(ctx->op, i);

		ctx->value += read64(at) != (ctx->op->value ^ at);
	}
}

static void do_zero(struct agent_context *ctx)
{
	for (uint64_t i = 0; i < ctx->op->count; i++)
		ctx->value += read64(word_at(ctx->op, i)) != 0;
}

static void do_amo(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	ctx->supported = agent_amo(op->addr, op->value, op->width, &ctx->value);
}

static void do_llsc(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	ctx->supported = agent_llsc(op->addr, op->value, op->width, &ctx->value);
}

static void do_form(struct agent_context *ctx)
{
	ctx->value = ctx->op->value;
	ctx->supported = agent_form(ctx->op->count, ctx->op->addr, &ctx->value);
}

static void do_priv(struct agent_context *ctx)
{
	ctx->value = ctx->op->value;
	ctx->supported = agent_priv(ctx->op->count, &ctx->value);
}

/* The error in the upper half, the low 32 bits of the value in the lower half. */
static void call(struct agent_context *ctx, uint64_t number, uint64_t a0, uint64_t a1)
{
	struct guest_result result = guest_call((enum guest_call)number, a0, a1, ctx->vcpu);

	ctx->value = result.error << 32 | (uint32_t)result.value;
}

static void do_call(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	for (uint32_t i = 0; i < (op->count ? op->count : 1); i++)
		call(ctx, op->addr, op->value, op->stride);
}

static void do_step(struct agent_context *ctx)
{
	call(ctx, GUEST_STEP, ctx->op->value, 0);
}

static void do_storm(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;

	for (uint64_t times = 0; times < op->stride; times++) {
		for (uint32_t i = 0; i < op->count; i++)
			guest_call((enum guest_call)op->addr, 0, 0, 0);
		call(ctx, GUEST_STEP, op->value, 0);
		if (ctx->value == 0)
			return;
	}
}

static void do_firmware(struct agent_context *ctx)
{
	ctx->supported = agent_firmware(ctx->op, &ctx->value);
}

static void do_stage1(struct agent_context *ctx)
{
	ctx->supported = stage1_on(ctx->op->flags & AGENT_PTE_AD);
}

static void do_map(struct agent_context *ctx)
{
	ctx->supported = agent_pte_can(ctx->op->count);
	if (ctx->supported)
		ctx->value = stage1_map(ctx->op);
}

static void do_flush(struct agent_context *ctx)
{
	(void)ctx;
	agent_stage1_flush();
}

static void do_far(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	uint64_t at = stage1_reach(op->addr);

	if (op->flags & AGENT_JUMP)
		ctx->value = agent_call(at, 0);
	else if (op->flags & AGENT_STORE)
		store(at, op->width, op->value);
	else
		ctx->value = load(at, op->width);
}

/* Spins a little, then ends its time slice: other vCPUs may be waiting for this CPU. */
static void do_barrier(struct agent_context *ctx)
{
	uint32_t *arrived = &shared()->arrived[ctx->op->value % AGENT_BARRIERS];

	__atomic_fetch_add(arrived, 1, __ATOMIC_ACQ_REL);
	for (unsigned spins = 0; __atomic_load_n(arrived, __ATOMIC_ACQUIRE) < ctx->info->vcpus;
	     spins++)
		if (spins % 64 == 63)
			guest_call(GUEST_YIELD, 0, 0, 0);
}

static void do_wait(struct agent_context *ctx)
{
	(void)ctx;
	guest_wait();
}

static void do_spin(struct agent_context *ctx)
{
	volatile uint32_t turns = 0;

	do {
		turns = turns + 1;
	} while (ctx->op->count == 0 || turns < ctx->op->count);
}

static void do_poll(struct agent_context *ctx)
{
	while (read64(ctx->op->addr) != ctx->op->value)
		continue;
}

static void do_irqs(struct agent_context *ctx)
{
	ctx->value = *(volatile uint64_t *)&ctx->frame->irqs;
}

static void do_irq_mask(struct agent_context *ctx)
{
	agent_irq_mask(ctx->op->value != 0);
}

static void do_timer(struct agent_context *ctx)
{
	call(ctx, GUEST_TIMER, ctx->op->value, 0);
}

static void do_await(struct agent_context *ctx)
{
	while (*(volatile uint64_t *)&ctx->frame->irqs < ctx->op->value) {
		if (ctx->op->count == 0)
			guest_wait();
	}
	ctx->value = ctx->frame->irqs;
}

static void do_vector(struct agent_context *ctx)
{
	agent_vector_base(ctx->op->addr);
}

/* All three arguments come from the script. */
static void do_call3(struct agent_context *ctx)
{
	const struct agent_op *op = ctx->op;
	struct guest_result result =
		guest_call((enum guest_call)op->count, op->addr, op->value, op->stride);

	ctx->value = result.error << 32 | (uint32_t)result.value;
}

#define SWEEP_PROGRESS 256U

/* Each attempt may trap, so each has its own agent_try(). */
static void sweep(struct agent_context *ctx)
{
	static agent_fn *const attempts[AGENT_SWEEPS] = {
		[AGENT_SWEEP_REGISTERS] = agent_sweep_register,
		[AGENT_SWEEP_FIRMWARE] = agent_sweep_firmware,
		[AGENT_SWEEP_FORBIDDEN] = agent_sweep_write,
	};
	unsigned kind = ctx->op->count;
	bool forbidden = kind == AGENT_SWEEP_FORBIDDEN;
	uint32_t length = agent_sweep_length(kind);
	uint64_t odd = 0;

	ctx->supported = length != 0;
	for (ctx->attempt = 0; ctx->attempt < length; ctx->attempt++) {
		enum agent_trap trap = AGENT_DONE;

		/* Most attempts end in an exception in the guest, which some emulators handle
		 * slowly. This hypercall counts as progress (kernel/hang.h). */
		if (ctx->attempt % SWEEP_PROGRESS == 0)
			guest_call(GUEST_CYCLES, 0, 0, 0);
		if (forbidden && !agent_sweep_forbidden(ctx))
			continue;
		if (!agent_try(ctx->frame, attempts[kind], ctx))
			trap = agent_arch_trap(ctx);
		if (trap == AGENT_DONE && forbidden)
			odd = ((odd + 1) & UINT32_MAX) | (uint64_t)ctx->attempt << 32;
		else if (trap != AGENT_DONE && trap != AGENT_UNDEFINED && trap != AGENT_ACCESS)
			odd = ((odd + 1) & UINT32_MAX) | ctx->frame->cause << 32;
	}
	ctx->value = odd;
}

static agent_fn *const handlers[AGENT_CODES] = {
	[AGENT_READ] = do_read,         [AGENT_WRITE] = do_write,
	[AGENT_FETCH] = do_fetch,       [AGENT_PUT_RET] = do_put_return,
	[AGENT_RUN_AT] = do_run_at,     [AGENT_CALL_AT] = do_call_at,
	[AGENT_TOUCH] = do_touch,       [AGENT_FILL] = do_fill,
	[AGENT_CHECK] = do_check,       [AGENT_ZERO] = do_zero,
	[AGENT_AMO] = do_amo,           [AGENT_LLSC] = do_llsc,
	[AGENT_FORM] = do_form,         [AGENT_PRIV] = do_priv,
	[AGENT_CALL] = do_call,         [AGENT_STEP] = do_step,
	[AGENT_FIRMWARE] = do_firmware, [AGENT_STAGE1] = do_stage1,
	[AGENT_MAP] = do_map,           [AGENT_FLUSH] = do_flush,
	[AGENT_FAR] = do_far,           [AGENT_BARRIER] = do_barrier,
	[AGENT_WAIT] = do_wait,         [AGENT_SPIN] = do_spin,
	[AGENT_IRQS] = do_irqs,         [AGENT_IRQ_MASK] = do_irq_mask,
	[AGENT_TIMER] = do_timer,       [AGENT_AWAIT] = do_await,
	[AGENT_VECTOR] = do_vector,     [AGENT_STORM] = do_storm,
	[AGENT_CALL3] = do_call3,       [AGENT_ASK] = agent_ask,
	[AGENT_ECHO] = agent_echo,      [AGENT_ARCH] = agent_arch_op,
	[AGENT_POLL] = do_poll,
};

static void run_one(struct agent_context *ctx, struct agent_result *result)
{
	agent_fn *handler = ctx->op->code < AGENT_CODES ? handlers[ctx->op->code] : NULL;
	bool trapped = false;

	ctx->value = 0;
	ctx->supported = true;
	if (handler == NULL)
		ctx->supported = false;
	else
		trapped = !agent_try(ctx->frame, handler, ctx);

	result->trap = ctx->supported ? AGENT_DONE : AGENT_UNSUPPORTED;
	if (trapped) {
		result->trap = (uint32_t)agent_arch_trap(ctx);
		result->cause = (uint32_t)ctx->frame->cause;
		result->addr = result->trap == AGENT_UNDEFINED ? ctx->frame->pc : ctx->frame->addr;
	}
	result->value = ctx->value;
}

/* Each step has its own result. */
static void run_steps(struct agent_context *ctx)
{
	struct agent_step *steps = (struct agent_step *)(uintptr_t)ctx->op->addr;
	uint32_t count = ctx->op->count;

	for (uint32_t i = 0; i < count; i++) {
		ctx->op = &steps[i].op;
		run_one(ctx, &steps[i].result);
	}
	ctx->value = count;
}

/* Sweeps and lists call agent_try() for each of their parts. */
static void run(struct agent_context *ctx, struct agent_result *result)
{
	unsigned code = ctx->op->code;

	if (code != AGENT_SWEEP && code != AGENT_STEPS) {
		run_one(ctx, result);
		return;
	}
	ctx->value = 0;
	ctx->supported = true;
	if (code == AGENT_SWEEP)
		sweep(ctx);
	else
		run_steps(ctx);
	result->trap = ctx->supported ? AGENT_DONE : AGENT_UNSUPPORTED;
	result->value = ctx->value;
}

_Noreturn void agent_fatal(const struct agent_frame *frame)
{
	guest_exit(0xdead0000 | (frame->cause & 0xffff));
}

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	struct agent_context ctx = {.vcpu = vcpu, .info = info};

	ctx.mailbox = (struct agent_mailbox *)(AGENT_MAILBOX_BASE + vcpu * AGENT_MAILBOX_SIZE);
	ctx.frame = (struct agent_frame *)((uintptr_t)ctx.mailbox + AGENT_FRAME_OFFSET);
	agent_arch_init(vcpu, ctx.frame);
	for (uint32_t i = 0; i < ctx.mailbox->ops; i++) {
		ctx.op = &ctx.mailbox->script[i];
		if (ctx.op->code == AGENT_END)
			break;
		run(&ctx, &ctx.mailbox->results[i]);
		*(volatile uint32_t *)&ctx.mailbox->done = i + 1;
		if (ctx.mailbox->flags & AGENT_YIELDS)
			guest_call(GUEST_YIELD, 0, 0, 0);
	}
	guest_exit(0);
}
