/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm stage 2, VMSAv8-64, 4 KiB granule: Arm ARM D8, in the order of its shared pseudocode
 * (J1.1.5: AArch64.S2Translate, AArch64.S2Walk, AArch64.S2CheckPermissions). Levels carry the
 * manual's numbers: -1 to 3, and 3 is the last.
 *
 * Fault order (D8.15): translation, address size, access flag, permission.
 */
#include "oracle.h"

#define FINAL_LEVEL 3

/* D8.15: fault status codes; levels 0 to 3 are in the low two bits. */
#define STATUS_ADDRESS_SIZE         0x00
#define STATUS_TRANSLATION          0x04
#define STATUS_ACCESS_FLAG          0x08
#define STATUS_PERMISSION           0x0c
#define STATUS_ADDRESS_SIZE_MINUS_1 0x29
#define STATUS_TRANSLATION_MINUS_1  0x2b

/* Bits hi:lo of x. */
static uint64_t slice(uint64_t x, unsigned hi, unsigned lo)
{
	return (x >> lo) & (~UINT64_C(0) >> (63 - (hi - lo)));
}

/* The walk's parameters: AArch64.GetS2TTWParams. */
struct params {
	unsigned txsz;
	bool ds, ha, hd, fwb, xnx, xs;
	unsigned sh;
	unsigned sl; /* SL2:SL0 */
	unsigned output_size;
};

/* D19.2: VTCR_EL2. */
static struct params params_of(const struct oracle_arm *regs)
{
	static const unsigned ps_bits[8] = {32, 36, 40, 42, 44, 48, 52, 56};
	struct params p = {
		.txsz = (unsigned)slice(regs->vtcr, 5, 0),
		.sh = (unsigned)slice(regs->vtcr, 13, 12),
		.ha = slice(regs->vtcr, 21, 21),
		.ds = slice(regs->vtcr, 32, 32),
		.fwb = regs->fwb,
		.xnx = regs->xnx,
		.xs = regs->xs,
	};

	/* HD is used if HA is 1 as well. */
	p.hd = p.ha && slice(regs->vtcr, 22, 22);
	/* SL2 is RES0 while DS is 0. */
	p.sl = (unsigned)(slice(regs->vtcr, 7, 6) | (p.ds ? slice(regs->vtcr, 33, 33) << 2 : 0));
	p.output_size = ps_bits[slice(regs->vtcr, 18, 16)];
	if (p.output_size > regs->pamax)
		p.output_size = regs->pamax;
	/* D8.1.7: 52 bits of output with the 4 KiB granule need DS. */
	if (!p.ds && p.output_size > 48)
		p.output_size = 48;
	return p;
}

/* AArch64.S2StartLevel, 4 KiB granule. -2: reserved. */
static int start_level(const struct params *p)
{
	static const int levels[8] = {2, 1, 0, 3, -1, -2, -2, -2};

	return levels[p->sl];
}

static unsigned level_shift(int level)
{
	return 12 + 9 * (unsigned)(FINAL_LEVEL - level);
}

static void fault_at(struct oracle_walk *walk, enum oracle_fault fault, int level)
{
	walk->fault = fault;
	switch (fault) {
	case ORACLE_ADDRESS_SIZE:
		walk->code = level < 0 ? STATUS_ADDRESS_SIZE_MINUS_1
		                       : STATUS_ADDRESS_SIZE + (unsigned)level;
		break;
	case ORACLE_ACCESS_FLAG:
		walk->code = STATUS_ACCESS_FLAG + (unsigned)level;
		break;
	case ORACLE_PERMISSION:
		walk->code = STATUS_PERMISSION + (unsigned)level;
		break;
	default:
		walk->code = level < 0 ? STATUS_TRANSLATION_MINUS_1
		                       : STATUS_TRANSLATION + (unsigned)level;
		break;
	}
}

/* AArch64.S2InvalidTxSZ, AArch64.S2InvalidSL, AArch64.S2InconsistentSL. */
static bool is_valid(const struct params *p)
{
	unsigned min_txsz = p->ds ? 12 : 16;
	unsigned ia_size = 64 - p->txsz;
	int start = start_level(p);
	unsigned levels, least, most;

	if (p->txsz < min_txsz || p->txsz > 48 || start == -2)
		return false;
	/* FEAT_TTST is not modelled: T0SZ up to 39, and no start at level 3. */
	if (p->txsz > 39 || start == 3)
		return false;
	levels = (unsigned)(FINAL_LEVEL - start);
	least = levels * 9 + 12 + 1;
	most = least + (9 - 1) + 4;
	return ia_size >= least && ia_size <= most;
}

/* AArch64.S2TTBaseAddress: D8.2.3. The base is aligned to the size of the (concatenated) root. */
static uint64_t root_of(const struct oracle_arm *regs, const struct params *p)
{
	unsigned root_bits = 64 - p->txsz - level_shift(start_level(p));
	unsigned align = 3 + root_bits;
	uint64_t base = regs->vttbr & UINT64_C(0x0000fffffffffffe);

	/* D8.2.4: with 52-bit outputs, BADDR[5:2] holds address bits 51:48, 64 bytes aligned. */
	if (p->output_size >= 52) {
		base = (base & ~UINT64_C(0x3f)) | slice(regs->vttbr, 5, 2) << 48;
		if (align < 6)
			align = 6;
	}
	return base >> align << align;
}

enum descriptor {
	INVALID,
	TABLE,
	LEAF,
};

/* AArch64.DecodeDescriptorType: D8.3.1. */
static enum descriptor descriptor_type(const struct params *p, uint64_t descriptor, int level)
{
	switch (descriptor & 3) {
	case 3:
		return level == FINAL_LEVEL ? LEAF : TABLE;
	case 1:
		/* AArch64.BlockDescSupported: 512 GiB blocks need DS. */
		return level == 1 || level == 2 || (level == 0 && p->ds) ? LEAF : INVALID;
	default:
		return INVALID;
	}
}

/* AArch64.NextTableBase, AArch64.LeafBase: bits 47:lsb, and with DS 49:lsb and 9:8. */
static uint64_t address_in(const struct params *p, uint64_t descriptor, unsigned lsb)
{
	uint64_t address;

	if (!p->ds)
		return slice(descriptor, 47, lsb) << lsb;
	address = slice(descriptor, 49, lsb) << lsb;
	return address | slice(descriptor, 9, 8) << 50;
}

static bool out_of_range(const struct params *p, uint64_t address)
{
	return address >> p->output_size != 0;
}

/* D8.3.1.1: table descriptors. 63:59 are stage 1's; 11:2 (save 9:8 with DS) are ignored. */
static uint64_t table_res0(const struct params *p)
{
	return UINT64_C(0xf800000000000000) |
	       (p->ds ? 0 : UINT64_C(0x000f000000000000)); /* 51:48 */
}

/* D8.3.1.2, D8.3.2.3: block and page descriptors of stage 2. */
static uint64_t leaf_res0(const struct params *p, unsigned shift)
{
	uint64_t res0 = p->ds ? UINT64_C(0x0004000000000000)  /* 50 */
	                      : UINT64_C(0x0007000000000000); /* 50:48 */

	if (shift > 12)
		res0 |= (UINT64_C(1) << shift) -
		        0x1000; /* shift-1:12; bit 16 (nT) is of FEAT_BBM */
	if (!p->xs)
		res0 |= 0x800;
	if (!p->xnx)
		res0 |= UINT64_C(1) << 53;
	return res0;
}

/* D8.6.5: stage 2 memory attributes. MemAttr is bits 5:2. */
static void decode_memattr(const struct params *p, uint64_t descriptor, struct oracle_walk *walk)
{
	unsigned memattr = (unsigned)slice(descriptor, 5, 2);
	unsigned outer = memattr >> 2, inner = memattr & 3;
	static const enum oracle_memtype types[4] = {ORACLE_UC, ORACLE_WC, ORACLE_WT, ORACLE_WB};

	walk->memtype_bits = memattr;
	if (p->fwb) {
		/* D8.6.6: 0xx Device; 101 NC; 110 WB; 111 keeps what stage 1 says; 100 reserved. */
		unsigned fwb = memattr & 7;

		walk->memtype = fwb < 4 ? ORACLE_UC : (fwb == 5 ? ORACLE_WC : ORACLE_WB);
		walk->reserved_encoding |= fwb == 4;
		return;
	}
	if (outer == 0) {
		walk->memtype = ORACLE_UC; /* Device-nGnRnE, -nGnRE, -nGRE, -GRE */
		return;
	}
	walk->reserved_encoding |= inner == 0;
	walk->memtype = outer == inner ? types[outer] : ORACLE_MIXED;
}

/* AArch64.S2DirectBasePermissions: D8.4.2. Data and fetch permissions are independent. */
static void decode_permissions(const struct params *p, uint64_t descriptor,
                               struct oracle_walk *walk)
{
	bool dbm = slice(descriptor, 51, 51);
	unsigned xn = (unsigned)slice(descriptor, 54, 53);

	walk->read = slice(descriptor, 6, 6);
	/* A clean page of hardware's (DBM) counts as writable: D8.5.2. */
	walk->clean = p->hd && dbm && !slice(descriptor, 7, 7);
	walk->write = slice(descriptor, 7, 7) || walk->clean;
	if (!p->xnx) {
		walk->fetch = (xn & 2) == 0; /* XN is bit 54 */
		walk->fetch_user = walk->fetch;
		return;
	}
	walk->fetch = xn == 0 || xn == 3;
	walk->fetch_user = xn == 0 || xn == 1;
}

/* AArch64.S2Walk: gives the leaf's level, or says the fault. */
static bool walk_tables(const struct oracle_arm *regs, const struct params *p,
                        const struct oracle_memory *memory, uint64_t ipa, struct oracle_walk *walk,
                        int *leaf_level)
{
	int level = start_level(p);
	uint64_t base = root_of(regs, p);
	unsigned top = 64 - p->txsz - 1; /* the root resolves all bits from here down */
	uint64_t descriptor, output;

	if (out_of_range(p, base)) {
		fault_at(walk, ORACLE_ADDRESS_SIZE, 0);
		return false;
	}
	for (;;) {
		unsigned shift = level_shift(level);

		if (!oracle_read_entry(walk, memory, base | slice(ipa, top, shift) << 3, shift,
		                       &descriptor)) {
			walk->fault = ORACLE_BUS;
			return false;
		}
		switch (descriptor_type(p, descriptor, level)) {
		case INVALID:
			walk->reserved_encoding = descriptor & 1;
			fault_at(walk, ORACLE_ABSENT, level);
			return false;
		case TABLE:
			walk->should_be_zero |= descriptor & table_res0(p);
			base = address_in(p, descriptor, 12);
			if (out_of_range(p, base)) {
				fault_at(walk, ORACLE_ADDRESS_SIZE, level);
				return false;
			}
			top = shift - 1;
			level++;
			continue;
		case LEAF:
			break;
		}
		walk->should_be_zero |= descriptor & leaf_res0(p, shift);
		output = address_in(p, descriptor, shift);
		if (out_of_range(p, output)) {
			fault_at(walk, ORACLE_ADDRESS_SIZE, level);
			return false;
		}
		/* The address size fault looks at the base alone. */
		walk->reserved_encoding |= shift > p->output_size;
		walk->pa = output | slice(ipa, shift - 1, 0);
		*leaf_level = level;
		return true;
	}
}

struct oracle_walk oracle_arm_walk(const struct oracle_arm *regs,
                                   const struct oracle_memory *memory, uint64_t ipa,
                                   enum oracle_access access)
{
	struct params p = params_of(regs);
	struct oracle_walk walk = {0};
	const struct oracle_step *last;
	bool permitted;
	int level;

	/* TG0 other than 4 KiB is not modelled. */
	if (!is_valid(&p) || slice(regs->vtcr, 15, 14) != 0) {
		fault_at(&walk, ORACLE_BAD_ROOT, 0);
		return walk;
	}
	if (ipa >> (64 - p.txsz) != 0) {
		fault_at(&walk, ORACLE_WIDTH, 0);
		return walk;
	}
	if (!walk_tables(regs, &p, memory, ipa, &walk, &level))
		return walk;

	last = &walk.steps[walk.step_count - 1];
	decode_memattr(&p, last->word, &walk);
	decode_permissions(&p, last->word, &walk);
	walk.shareability = p.ds ? p.sh : (unsigned)slice(last->word, 9, 8);
	/* D8.6.2: SH 0b01 is reserved. Device and Non-cacheable memory does not use SH. */
	walk.reserved_encoding |=
		walk.shareability == 1 && walk.memtype != ORACLE_UC && walk.memtype != ORACLE_WC;
	/* D8.5.1: with HA the walker sets AF, without it this is a fault. */
	if (!slice(last->word, 10, 10) && !p.ha) {
		fault_at(&walk, ORACLE_ACCESS_FLAG, level);
		return walk;
	}
	permitted = access == ORACLE_READ    ? walk.read
	            : access == ORACLE_WRITE ? walk.write
	                                     : walk.fetch;
	if (!permitted)
		fault_at(&walk, ORACLE_PERMISSION, level);
	/* D8.5.1: with HA the access sets AF; an access with a permission fault may do so.
	 * D8.5.2: a write that is permitted sets S2AP[1] where DBM is 1. */
	if (p.ha)
		oracle_set_bits(&walk, walk.step_count - 1,
		                permitted && access == ORACLE_WRITE && p.hd &&
		                                slice(last->word, 51, 51)
		                        ? 0x480
		                        : 0x400,
		                !permitted);
	return walk;
}
