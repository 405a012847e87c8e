/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile HAL. It gives out frames of a small pool in scattered order, at physical addresses
 * that are no pointers, filled with 0xA5; refuses the n-th allocation if told to; knows the owner
 * of every frame; keeps translations in a ghost TLB until they are flushed; and records the
 * order of what it is asked.
 *
 * With several CPUs, a flush reaches them one at a time, and the TLBs have to be coherent
 * (ghost_tlb.h) whenever a hook is called and after each CPU's flush.
 *
 * It fails the test at once if
 *   - a frame is freed that nobody owns (blocks may come back in pieces: see mm_hal.free);
 *   - a frame is freed while the ghost TLB holds a translation or a table entry that leads to it;
 *   - a flush names no address space that was announced (hal_test_watch), or a misaligned range;
 *   - at hal_test_close(), a frame is not back.
 * Freed frames are poisoned: under AddressSanitizer a touch of one is a report.
 */
#ifndef HAL_TEST_H
#define HAL_TEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/hal.h"

#include "ghost_tlb.h"

/* Where the pool lies in physical memory: aligned to 1 GiB, and nobody's pointer. */
#define HAL_TEST_BASE   UINT64_C(0x800000000)
#define HAL_TEST_POISON 0xa5

enum hal_event_kind {
	HAL_ALLOC,
	HAL_FREE,
	HAL_ZERO,
	HAL_PUBLISH,
	HAL_FLUSH,
};

struct hal_event {
	enum hal_event_kind kind;
	mm_hpa_t frame;        /* alloc, free: one event per block; zero: where */
	unsigned order;        /* alloc, free */
	struct mm_flush flush; /* flush */
};

#define HAL_EVENTS 4096

struct hal_test_options {
	size_t frames;  /* a power of two; 0: 4096 */
	bool hooks;     /* phys_to_virt and virt_to_phys by hook, not by offset */
	bool no_zero;   /* leave the hooks for zeroed and written memory out */
	bool no_blocks; /* no block larger than a frame is ever free, save of root_order */
	bool in_order;  /* frames come in order, from hal_test.cursor + 1 on */
	unsigned root_order;
	bool threads;       /* hooks are called from several threads at once */
	bool shared;        /* the pool and the trace are shared with forked children */
	bool light;         /* one thread, no cpu_index; only the first and the last 64 bytes of
	                       each frame are poisoned */
	bool edges;         /* poison, and clear for a guest, only the first and the last 64 bytes
	                       of each frame */
	bool sparse;        /* blocks of 2 MiB are given out once, as they are, all zero: for a
	                       process that is copied often */
	size_t small;       /* blocks below 2 MiB come from the first so many frames, a power of
	                       two, and larger ones from the rest; 0: from anywhere */
	size_t tlb_entries; /* 0: as many as needed */
	unsigned cpus;      /* with a TLB each; 0: one, which all callers share */
	bool mirror;        /* keep what a guest without caches would see */
};

struct hal_test {
	struct mm_hal hal;
	struct hal_test_options options;
	uint8_t *memory;   /* the pool, as the host sees it */
	uint8_t *mirror;   /* what of it the hooks have made visible, or NULL */
	bool *owner;       /* per frame: is it given out? */
	size_t frames;     /* in the pool */
	size_t in_use;     /* frames */
	size_t cursor;     /* where the next search begins */
	uint64_t requests; /* blocks asked for, ever; the one refused included */
	uint64_t fail_at;  /* refuse the request of this number; 0: none */
	bool fail_on;      /* and all that come after it */
	uint64_t refusals; /* requests not served, for whatever reason */
	size_t keep_free;  /* pretend that this many frames are not there */
	struct ghost_tlb tlb;
	unsigned flush_first; /* the CPU that a flush reaches first */
	uint64_t flushes, publishes, zeroed;
	bool tracing;
	struct hal_event events[HAL_EVENTS];
	size_t event_count;           /* may exceed HAL_EVENTS: later ones are lost */
	void (*interlude)(void *ctx); /* called by the hook of this number, once */
	void *interlude_ctx;
	unsigned interlude_in;
	pthread_mutex_t mutex;
};

/* Opens a HAL; never fails. */
struct hal_test *hal_test_open(struct hal_test_options options);
/* Checks that every frame is back. */
void hal_test_close(struct hal_test *test);

/* Refuses the n-th block from here (1 is the next) and all after it: the HAL has run dry. 0: no
 * more refusals. */
void hal_test_fail_after(struct hal_test *test, uint64_t n);
/* Refuses the n-th block from here, and no other. */
void hal_test_fail_once(struct hal_test *test, uint64_t n);

/* Before the n-th hook from here does its work (1 is the next; alloc, free, zero, publish and
 * flush count), calls this, once: it stands for another CPU. 0: never. With several CPUs, the
 * moments between one CPU's flush and the next one's count as well. */
void hal_test_interlude(struct hal_test *test, unsigned n, void (*call)(void *ctx), void *ctx);

/* Starts a new trace. */
void hal_test_trace(struct hal_test *test);

/* Host pointer to a physical address in the pool; fails the test outside it. */
void *hal_test_ptr(struct hal_test *test, mm_hpa_t pa);
/* Is this frame allocated? */
bool hal_test_owned(struct hal_test *test, mm_hpa_t pa);

/* The calling thread's index for mm_hal.cpu_index; 0 in the main thread. */
void hal_test_set_cpu(unsigned cpu);

/* The same, as an index of the TLBs. */
unsigned hal_test_tlb_cpu(const struct hal_test *test);

#endif
