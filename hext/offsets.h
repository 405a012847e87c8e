/*
 * Offsets into struct hext_vcpu that entry.S shares with C: vcpu_state.h asserts them.
 */
#ifndef HEXT_OFFSETS_H
#define HEXT_OFFSETS_H

#define VCPU_X(n)    (8 * (n))
#define VCPU_HOST_SP 256
#define VCPU_HOST_TP 264

#endif
