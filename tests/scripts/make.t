#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The Makefile's command line: errors name the most similar valid word, and values reach
# run-qemu.sh. Nothing is built: make -n prints the commands.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# Options of the make that runs the tests must not reach the make under test.
unset MAKELEVEL MAKEFLAGS MAKEOVERRIDES MFLAGS ARCH VIRT TEST APPEND QEMU
cd "$top" || exit 1

refused() { # NAME REGEX ARGUMENTS...
	local name=$1 regex=$2
	shift 2
	runs 2 "$name" make -n "$@"
	shows "says what is wrong" "$regex"
	check "in one line" test "$(wc -l <<<"$out")" -eq 1
}

refused "an unknown variable" 'FOO=: no such variable\.' run FOO=1
refused "a mistyped variable" 'APEND=: no such variable; did you mean APPEND\?' run 'APEND=test=* x'
refused "a variable in lower case" 'smp=: no such variable; did you mean SMP\?' run smp=4
refused "an unknown architecture" 'ARCH=mips: one of riscv64 aarch64 x86_64\.' ARCH=mips
refused "a mistyped architecture" 'ARCH=riscv46: .*; did you mean ARCH=riscv64\?' run ARCH=riscv46
refused "a mistyped one of two" 'did you mean ARCH=x86_64\?' run 'ARCH=riscv64 x86-64'
refused "an unknown VIRT" 'VIRT=svn: vmx or svm; did you mean VIRT=svm\?' run ARCH=x86_64 VIRT=svn
refused "VIRT for another architecture" 'VIRT=svm is for ARCH=x86_64, and ARCH is riscv64' \
	run ARCH=riscv64 VIRT=svm
refused "no compiler" 'not installed: no-such-clang; .make setup. installs' CLANG=no-such-clang
runs 0 "what needs no compiler does without" make -n help CLANG=no-such-clang
runs 0 "a variable that an included makefile reads" make -n mutants MUTANTS=list
runs 0 "one that the makefile sets" make -n all OBJCOPY=llvm-objcopy

# The arguments of the command that would run.
arguments() { # VARIABLE=...
	make -n run ARCH=riscv64 "$@" | sed -e ':a' -e '/\\$/{N;s/\\\n//;ta' -e '}' |
		sed -n 's/^.*scripts\/run-qemu\.sh\(.*esac)\) ||.*/printf "<%s>\\n"\1/p' >"$scratch/command"
	arch=riscv64 bash "$scratch/command" 2>&1
}
runs 0 "TEST=" arguments 'TEST=lazy.*'
shows "is a word of the image's command line" '^<test=lazy\.\*>$'
runs 0 "TEST= and APPEND=" arguments 'TEST=lazy.*' 'APPEND=seed=1 log=faults'
shows "are one line" '^<seed=1 log=faults test=lazy\.\*>$'
# shellcheck disable=SC2016 # as they stand
runs 0 "quotes and dollar signs" arguments 'APPEND=a "b" '"'c'"' `d` $e \f;'
shows "arrive as they are" "^<a \"b\" 'c' .d. .e .f;>$"
runs 0 "a path with a space" arguments 'INITRD=/a b/c'
shows "is one word" '^</a b/c>$'
runs 0 "counted instructions" arguments
shows "are the default" '^<--icount>$'
runs 0 "under KVM" arguments ACCEL=kvm
check "they are not" test -z "$(grep icount <<<"$out")"

done_testing
