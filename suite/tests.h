/* The cases of the main job, by subject: what `test=GLOB` selects from. */
#ifndef SUITE_TESTS_H
#define SUITE_TESTS_H

#include "suite/test.h"

extern const struct test_suite tests_demo;    /* what a boot without test= shows */
extern const struct test_suite tests_lazy;    /* lazy, populated and linear memory */
extern const struct test_suite tests_guests;  /* payloads that behave */
extern const struct test_suite tests_hostile; /* payloads that do not */
extern const struct test_suite tests_limits;  /* too little memory, bad images */
extern const struct test_suite tests_bench;   /* what it all costs a guest */
extern const struct test_suite tests_soak;    /* only by name: what runs for long */

#endif
