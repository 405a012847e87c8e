/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's floating-point and vector registers. They stay in the hart until it unloads the vCPU:
 * the hypervisor uses none of them, so an exit costs nothing. They are always switched, never by a
 * trap at the first use, so no value of another vCPU is ever left in the hart.
 *
 * sstatus.FS and sstatus.VS of HS-mode are Clean after the load. Together with the same fields of
 * vsstatus they become Dirty when the guest changes a register (8.2.5 "vsstatus").
 */
#include "hext/hext.h"

/* Unprivileged manual, F and D. */
#define FCSR 0x003

/*
 *	fsd	f, 8 * n(base)
 *	fld	f, 8 * n(base)
 *	vs8r.v	v, (base)	from v to v + 7
 *	vl8re8.v v, (base)
 *	vsetvl	x0, vl, vtype
 */
#define EACH_F(insn)                                                                                             \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t" insn \
	"\n\t.endr"
#define FSD       ".insn s 0x27, 3, x\\n, (8 * \\n)(%0)"
#define FLD       ".insn i 0x07, 3, x\\n, %0, 8 * \\n"
#define VS8R(v)   ".insn r 0x27, 0, 0x71, x" #v ", %0, x8"
#define VL8RE8(v) ".insn r 0x07, 0, 0x71, x" #v ", %0, x8"
#define VSETVL    ".insn r 0x57, 7, 0x40, x0, %0, %1"

static void save_f(struct hext_fpu *fpu)
{
	__asm__ volatile(EACH_F(FSD)::"r"(fpu->f) : "memory");
	fpu->fcsr = csr_read(FCSR);
}

static void load_f(const struct hext_fpu *fpu)
{
	__asm__ volatile(EACH_F(FLD)::"r"(fpu->f) : "memory");
	csr_write(FCSR, fpu->fcsr);
}

#define GROUP(fpu, n) ((fpu)->v + (size_t)(n)*8 * hext_caps.vlenb)

/* A whole-register store begins at element vstart. */
static void save_v(struct hext_fpu *fpu)
{
#define SAVE(name, csr, guest, when) fpu->name = csr_read(csr);
	HEXT_VECTOR_CSRS(SAVE)
#undef SAVE
	csr_write(0x008, 0);
	__asm__ volatile(VS8R(0)::"r"(GROUP(fpu, 0)) : "memory");
	__asm__ volatile(VS8R(8)::"r"(GROUP(fpu, 1)) : "memory");
	__asm__ volatile(VS8R(16)::"r"(GROUP(fpu, 2)) : "memory");
	__asm__ volatile(VS8R(24)::"r"(GROUP(fpu, 3)) : "memory");
}

static void load_v(const struct hext_fpu *fpu)
{
	csr_write(0x008, 0);
	__asm__ volatile(VL8RE8(0)::"r"(GROUP(fpu, 0)) : "memory");
	__asm__ volatile(VL8RE8(8)::"r"(GROUP(fpu, 1)) : "memory");
	__asm__ volatile(VL8RE8(16)::"r"(GROUP(fpu, 2)) : "memory");
	__asm__ volatile(VL8RE8(24)::"r"(GROUP(fpu, 3)) : "memory");
	__asm__ volatile(VSETVL ::"r"(fpu->vl), "r"(fpu->vtype) : "memory");
	csr_write(0x00f, fpu->vcsr);
	csr_write(0x008, fpu->vstart);
}

static bool is_dirty(const struct hext_csrs *csr, uint64_t field)
{
	return (csr->sstatus & field) == field || (csr->vsstatus & field) == field;
}

/*
 * F is saved even if FS is Clean: in QEMU 7.2, feq.d sets flags of fcsr and leaves FS as it is. V
 * is saved only if it has changed, because it has up to 256 KiB.
 */
void hext_fpu_save(struct hext_vcpu *v)
{
	csr_set(sstatus, hext_fpu_status(SSTATUS_FS, SSTATUS_VS));
	if (hext_caps.d)
		save_f(&v->fpu);
	if (hext_caps.vlenb != 0 && is_dirty(&v->csr, SSTATUS_VS))
		save_v(&v->fpu);
	v->csr.sstatus &= ~(SSTATUS_FS | SSTATUS_VS);
	v->csr.sstatus |= hext_fpu_status(SSTATUS_FS_CLEAN, SSTATUS_VS_CLEAN);
}

void hext_fpu_load(const struct hext_vcpu *v)
{
	csr_set(sstatus, hext_fpu_status(SSTATUS_FS, SSTATUS_VS));
	if (hext_caps.d)
		load_f(&v->fpu);
	if (hext_caps.vlenb != 0)
		load_v(&v->fpu);
	csr_write(sstatus, v->csr.sstatus);
}

uint64_t hext_fpu_status(uint64_t fs, uint64_t vs)
{
	return (hext_caps.d ? fs : 0) | (hext_caps.vlenb != 0 ? vs : 0);
}

static unsigned order_of(size_t bytes)
{
	unsigned order = 0;

	while ((MM_PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

#define VECTOR_REGISTERS 32

/* 3.4.4, V 1.0: vill is set and vl is 0 after a reset. */
bool hext_fpu_create(struct hext_fpu *fpu, const struct mm_hal *hal)
{
	size_t bytes = (size_t)VECTOR_REGISTERS * hext_caps.vlenb;
	mm_hpa_t block;

	fpu->vtype = VTYPE_VILL;
	if (bytes == 0)
		return true;
	if (hal->alloc(hal->ctx, order_of(bytes), 1, &block) != 1)
		return false;
	fpu->v = mm_hal_to_virt(hal, block);
	hal->zero(hal->ctx, fpu->v, MM_PAGE_SIZE << order_of(bytes));
	return true;
}

void hext_fpu_destroy(struct hext_fpu *fpu, const struct mm_hal *hal)
{
	size_t bytes = (size_t)VECTOR_REGISTERS * hext_caps.vlenb;
	mm_hpa_t block;

	if (bytes == 0)
		return;
	block = mm_hal_to_phys(hal, fpu->v);
	hal->free(hal->ctx, order_of(bytes), 1, &block);
	fpu->v = NULL;
}
