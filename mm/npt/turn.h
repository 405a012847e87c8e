/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns: a long [exclusive] call lets other calls in between two parts of its work.
 *
 * It counts the entries that it has visited by mm_npt_work(). After MM_NPT_TURN entries the owner
 * of the table admits the calls that wait for its lock (mm_npt.admit), and goes on when they have
 * returned. Such a call is [shared]: it changes entries as install.h says, and unlinks no table. So
 * where mm_npt_work() is called, the table is as any [shared] call may find it, and the caller
 * reads entries again afterwards. It may keep the addresses of tables.
 */
#ifndef MM_NPT_TURN_H
#define MM_NPT_TURN_H

#include "mm/npt.h"

/* Entries between two turns: 50 us leave 12 ns for each. */
#define MM_NPT_TURN 4096U

/* What the change of a leaf costs beside a visit, in entries. */
#define MM_NPT_CHANGE_WORK 4U

/* [exclusive] Ends the turn. */
static inline void mm_npt_end_turn(struct mm_npt *npt)
{
	npt->work = 0;
	if (npt->admit)
		npt->admit(npt->admit_ctx);
}

/* [exclusive] The call has visited so many entries more. */
static inline void mm_npt_work(struct mm_npt *npt, unsigned entries)
{
	npt->work += entries;
	if (MM_UNLIKELY(npt->work >= MM_NPT_TURN))
		mm_npt_end_turn(npt);
}

#endif
