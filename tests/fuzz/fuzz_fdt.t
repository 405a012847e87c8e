#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A few seconds' search for an input that fuzz_fdt.c does not survive; a minute where CI is set.
exec "$(dirname "$0")/search" fuzz_fdt
