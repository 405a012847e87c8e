/*
 * The neighbour: a VM beside a hostile one, which goes on with work of its own and afterwards
 * finds its memory as it left it.
 */
#ifndef SUITE_NEIGHBOUR_H
#define SUITE_NEIGHBOUR_H

#include "kernel/suite/run.h"

/* Makes it. False: noted why. */
bool neighbour_begin(struct suite_run *run);
/* Judges and unmakes it. */
void neighbour_end(struct suite_run *run);

struct vm *neighbour_vm(void);

#endif
