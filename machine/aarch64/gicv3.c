/* SPDX-License-Identifier: BSD-2-Clause */
/* GICv3: Arm IHI 0069. A redistributor per CPU, and a CPU interface in system registers. */
#include "log.h"
#include "machine/aarch64/board.h"
#include "machine/aarch64/irq.h"
#include "machine/aarch64/sysreg.h"
#include "mm/bits.h"

/* 12.9: the distributor. */
#define GICD_CTLR      0x0
#define GICD_CTLR_GRP0 BIT(0)
#define GICD_CTLR_GRP1 BIT(1)
#define GICD_CTLR_ARE  BIT(4)
#define GICD_CTLR_RWP  BIT(31)

/* 12.11: redistributors: a frame for the CPU, a frame for its SGIs and PPIs, and two more where
 * virtual LPIs are implemented. */
#define GICR_CTLR           0x0
#define GICR_CTLR_RWP       BIT(3)
#define GICR_TYPER          0x8
#define GICR_TYPER_VLPIS    BIT(1)
#define GICR_TYPER_LAST     BIT(4)
#define GICR_TYPER_AFFINITY GENMASK(63, 32)
#define GICR_WAKER          0x14
#define GICR_WAKER_SLEEP    BIT(1)
#define GICR_WAKER_ASLEEP   BIT(2)
#define GICR_FRAME          0x10000
#define GICR_IGROUPR0       (GICR_FRAME + 0x80)
#define GICR_ISENABLER0     (GICR_FRAME + 0x100)
#define GICR_ICENABLER0     (GICR_FRAME + 0x180)

/* 12.2: the CPU interface. */
SYSREG_WRITE(icc_sre_el2, "S3_4_C12_C9_5")
SYSREG_WRITE(icc_pmr_el1, "S3_0_C4_C6_0")
SYSREG_WRITE(icc_igrpen0_el1, "S3_0_C12_C12_6")
SYSREG_WRITE(icc_igrpen1_el1, "S3_0_C12_C12_7")
SYSREG_WRITE(icc_sgi0r_el1, "S3_0_C12_C11_7")
SYSREG_WRITE(icc_sgi1r_el1, "S3_0_C12_C11_5")
SYSREG_READ(icc_iar1_el1, "S3_0_C12_C12_0")
SYSREG_WRITE(icc_eoir1_el1, "S3_0_C12_C12_1")

#define SRE_SRE        BIT(0)
#define SRE_DFB        BIT(1)
#define SRE_DIB        BIT(2)
#define SGI1R_AFF3     GENMASK(55, 48)
#define SGI1R_RS       GENMASK(47, 44)
#define SGI1R_AFF2     GENMASK(39, 32)
#define SGI1R_INTID    GENMASK(27, 24)
#define SGI1R_AFF1     GENMASK(23, 16)
#define MPIDR_AFF3     GENMASK(39, 32)
#define MPIDR_AFF2     GENMASK(23, 16)
#define MPIDR_AFF1     GENMASK(15, 8)
#define MPIDR_AFF0     GENMASK(7, 0)
#define SPURIOUS_FIRST 1020U

SYSREG_READ(id_aa64pfr0_el1, "id_aa64pfr0_el1")

#define PFR0_EL3 GENMASK(15, 12)

/* Group 0 interrupts are FIQs (4.6.2). If there is an EL3, they belong to it. */
static bool has_group0(void)
{
	return FIELD_GET(PFR0_EL3, read_id_aa64pfr0_el1()) == 0;
}

static void init(void)
{
	uint64_t control = board.irq_distributor.raw + GICD_CTLR;
	uint64_t groups = GICD_CTLR_GRP1 | (has_group0() ? GICD_CTLR_GRP0 : 0);

	mmio_write32(control, (uint32_t)(GICD_CTLR_ARE | groups));
	while ((mmio_read32(control) & GICD_CTLR_RWP) != 0)
		;
}

/* MPIDR_EL1 has Aff3 at bit 32. In GICR_TYPER the four fields are contiguous. */
static uint64_t packed_affinity(uint64_t mpidr)
{
	return FIELD_GET(MPIDR_AFF3, mpidr) << 24 | (mpidr & GENMASK(23, 0));
}

static uint64_t find_redistributor(const struct cpu *cpu)
{
	uint64_t at = board.irq_cpu.start.raw;
	uint64_t type;

	do {
		type = mmio_read64(at + GICR_TYPER);
		if (FIELD_GET(GICR_TYPER_AFFINITY, type) == packed_affinity(cpu->mpidr))
			return at;
		at += (uint64_t)GICR_FRAME * ((type & GICR_TYPER_VLPIS) != 0 ? 4 : 2);
	} while ((type & GICR_TYPER_LAST) == 0 &&
	         mm_hpa_range_contains(board.irq_cpu, mm_hpa_at(at)));
	panic("no GIC redistributor for CPU 0x%llx", (unsigned long long)cpu->mpidr);
}

static void init_cpu(struct cpu *cpu)
{
	uint64_t at = find_redistributor(cpu);

	cpu->irq = at;
	mmio_write32(at + GICR_WAKER, mmio_read32(at + GICR_WAKER) & ~(uint32_t)GICR_WAKER_SLEEP);
	while ((mmio_read32(at + GICR_WAKER) & GICR_WAKER_ASLEEP) != 0)
		;
	mmio_write32(at + GICR_IGROUPR0, ~(uint32_t)(has_group0() ? BIT(IRQ_STOP) : 0));
	mmio_write32(at + GICR_ISENABLER0, IRQ_ALL | (uint32_t)(has_group0() ? BIT(IRQ_STOP) : 0));

	write_icc_sre_el2(SRE_SRE | SRE_DFB | SRE_DIB);
	isb();
	write_icc_pmr_el1(0xff);
	write_icc_igrpen1_el1(1);
	if (has_group0())
		write_icc_igrpen0_el1(1);
	isb();
}

/* ICC_SGI0R_EL1 has the same fields as ICC_SGI1R_EL1. */
static uint64_t sgi(const struct cpu *cpu, uint64_t id)
{
	uint64_t aff0 = FIELD_GET(MPIDR_AFF0, cpu->mpidr);

	return FIELD_PREP(SGI1R_AFF3, FIELD_GET(MPIDR_AFF3, cpu->mpidr)) |
	       FIELD_PREP(SGI1R_AFF2, FIELD_GET(MPIDR_AFF2, cpu->mpidr)) |
	       FIELD_PREP(SGI1R_AFF1, FIELD_GET(MPIDR_AFF1, cpu->mpidr)) |
	       FIELD_PREP(SGI1R_RS, aff0 / 16) | BIT(aff0 % 16) | FIELD_PREP(SGI1R_INTID, id);
}

static void kick(const struct cpu *cpu)
{
	dsb_ishst();
	write_icc_sgi1r_el1(sgi(cpu, IRQ_KICK));
	isb();
}

static bool stop(const struct cpu *cpu)
{
	if (!has_group0())
		return false;
	dsb_ishst();
	write_icc_sgi0r_el1(sgi(cpu, IRQ_STOP));
	isb();
	return true;
}

static bool acknowledge(void)
{
	uint64_t id = read_icc_iar1_el1();

	if (id < SPURIOUS_FIRST)
		write_icc_eoir1_el1(id);
	return id == IRQ_KICK;
}

/* RWP is 1 until the redistributor has disabled it. */
static void virtual_timer(bool enable)
{
	uint64_t at = this_cpu()->irq;

	mmio_write32(at + (enable ? GICR_ISENABLER0 : GICR_ICENABLER0),
	             (uint32_t)BIT(IRQ_VIRTUAL_TIMER));
	while (!enable && (mmio_read32(at + GICR_CTLR) & GICR_CTLR_RWP) != 0)
		;
}

const struct irq_controller irq_gicv3 = {"gicv3",     init,          init_cpu, kick,
                                         acknowledge, virtual_timer, stop};
