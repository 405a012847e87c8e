/* How panic() takes the log for itself. */
#ifndef KERNEL_LOG_PANIC_H
#define KERNEL_LOG_PANIC_H

#include <stdbool.h>

/*
 * From now on only this CPU's lines are written, and without the lock, which it may hold itself.
 * False: this CPU was in a panic already. Does not return on a CPU that comes second.
 */
bool log_panic_begin(void);

#endif
