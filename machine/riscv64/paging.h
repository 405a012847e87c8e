/*
 * The hypervisor's own address translation: virtual = physical, but on. QEMU 7.2 takes a wrong
 * path when an hlv faults while satp is bare, and a real hart then has no memory types from
 * page tables either.
 */
#ifndef MACHINE_RISCV64_PAGING_H
#define MACHINE_RISCV64_PAGING_H

/* Once. */
void paging_build(void);
/* On each CPU. */
void paging_enable(void);

#endif
