/*
 * VMs beside the one that a case is about: made, run with it, judged and unmade again.
 */
#ifndef SUITE_BESIDE_H
#define SUITE_BESIDE_H

#include "suite/run.h"

/* Makes those that the case asks for. False: noted why, and none is left. */
bool beside_begin(struct suite_run *run);
/* Judges and unmakes them. */
void beside_end(struct suite_run *run);

/* How many there are, and each. */
size_t beside_count(const struct suite_run *run);
struct vm *beside_vm(size_t index);

/* Is the memory of VM `index` as the script beside_neighbour leaves it? Complains if not. */
bool beside_intact(struct suite_run *run, size_t index);

/* One VM alone, with this script, from creation to destruction; its tag is kept in *tag. */
bool beside_alone(struct suite_run *run, const struct suite_op *script, uint32_t *tag);

#endif
