/*
 * Assertions for misuse of the library by its caller's code, and for the library's own
 * invariants; never for what a guest or a configuration decides. Compiled in where MM_DEBUG is
 * defined (the host tests), where mm_assert_failed() is the test's to define.
 */
#ifndef MM_ASSERT_H
#define MM_ASSERT_H

#ifdef MM_DEBUG
_Noreturn void mm_assert_failed(const char *file, int line, const char *condition);
#define MM_ASSERT(condition)                                                                       \
	((condition) ? (void)0 : mm_assert_failed(__FILE__, __LINE__, #condition))
#else
#define MM_ASSERT(condition) ((void)sizeof(condition))
#endif

#endif
