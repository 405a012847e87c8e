/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers that the world switch saves and restores when another vCPU is loaded on a hart
 * (cpu.c, fpu.c). suite/riscv64/ makes its cases from these lists, so a new line is tested.
 *
 * X(name, csr, guest, when)
 *	name	as in the manual, 4.1 and 8.2
 *	csr	what the hypervisor accesses: a name, or a number if clang 14 has no name for it
 *	guest	the number by which the guest reaches it; 0: it cannot
 *	when	it exists: always; envcfg, sstc: if hext_caps says so
 */
#ifndef HEXT_STATE_H
#define HEXT_STATE_H

/* clang-format off */

/* Written in this order: vstimecmp is compared with time + htimedelta. */
#define HEXT_HOST_CSRS(X)                      \
	X(sepc, sepc, 0, always)               \
	X(sstatus, sstatus, 0, always)         \
	X(hstatus, hstatus, 0, always)         \
	X(htimedelta, htimedelta, 0, always)

/* HS and VS share scounteren and senvcfg. hvip comes after vstimecmp: a write to that clears
 * hvip.VSTIP in QEMU 7.2. */
#define HEXT_GUEST_CSRS(X)                       \
	X(vsstatus, vsstatus, 0x100, always)     \
	X(vsie, vsie, 0x104, always)             \
	X(vstvec, vstvec, 0x105, always)         \
	X(vsscratch, vsscratch, 0x140, always)   \
	X(vsepc, vsepc, 0x141, always)           \
	X(vscause, vscause, 0x142, always)       \
	X(vstval, vstval, 0x143, always)         \
	X(vsatp, vsatp, 0x180, always)           \
	X(scounteren, scounteren, 0x106, always) \
	X(senvcfg, 0x10a, 0x10a, envcfg)         \
	X(vstimecmp, 0x24d, 0x14d, sstc)         \
	X(hvip, hvip, 0x144, always)

/* Vector state beside the 32 registers (unprivileged manual, V, 3). Saved before and restored after
 * them, in this order: vsetvl sets vl and vtype and clears vstart. */
#define HEXT_VECTOR_CSRS(X)        \
	X(vstart, 0x008, 0x008, v) \
	X(vcsr, 0x00f, 0x00f, v)   \
	X(vl, 0xc20, 0xc20, v)     \
	X(vtype, 0xc21, 0xc21, v)

/* clang-format on */

/* vtime of a VM = time + this. Each VM has a clock of its own, so that an emulator, a hart or a
 * hypervisor that confuses them is found. Without VMIDs all VMs share one. */
#define HEXT_TIME_OFFSET(vmid) ((uint64_t)(vmid) << 40)

#endif
