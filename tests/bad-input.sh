# SPDX-License-Identifier: BSD-2-Clause
# Bad command lines and guest images. Each is refused before any guest runs, and the message gives
# the reason. Source this file after tests/boot.sh.
# shellcheck shell=bash
: "${top:?}" "${scratch:?}" # tap.sh's

bad_command_lines() { # run-qemu.sh's options for the machine
	refuse "command line: an unknown key" 4 "'frobnicate=1': unknown key" \
		"$@" --append 'frobnicate=1'
	refuse "command line: a number that overflows" 4 'too large a number' \
		"$@" --append 'guest=hello mem=99999999999999999999G'
	refuse "command line: a guest given twice" 4 'given twice' \
		"$@" --append 'guest=hello guest=wild'
	refuse "command line: a test that does not exist" 4 'no test of that name' \
		"$@" --append 'test=no.such.test'
	refuse "command line: a key with a typing error" 4 "'gest=lazy': .*did you mean 'guest'[?]" \
		"$@" --append 'gest=lazy'
	refuse "command line: a value with one" 4 "did you mean 'faults'[?]" "$@" --append 'log=fautls'
	refuse "command line: a test with one" 4 "no test of that name; did you mean 'lazy.read.64'[?]" \
		"$@" --append 'test=lzay.read.64'
	refuse "command line: a pattern with one" 4 "did you mean 'hostile[.][*]'[?]" \
		"$@" --append 'test=hostil.*'
	refuse "command line: a list of tests with one that does not exist" 4 "'no.such': no test of that name" \
		"$@" --append 'test=lazy.*,no.such,atomic.*'
	refuse "command line: a list of tests that ends with a comma" 4 "'': no test of that name" \
		"$@" --append 'test=lazy.*,'
	refuse "command line: nothing to list" 4 'no test of that name' "$@" --append 'list test=zzz'
	refuse "command line: a geometry without a test" 4 'geometry= is for the suite' \
		"$@" --append 'geometry=sv39x4'
	refuse "command line: a geometry that does not exist" 4 'no geometry of that name' \
		"$@" --append 'test=lazy.* geometry=sv99'
	refuse "command line: a guest and a test" 4 'give one of them' \
		"$@" --append 'guest=hello test=lazy.*'
	refuse "command line: a guest that only the suite can drive" 4 'use test=' "$@" --append 'guest=agent'
	refuse "command line: longer than is read" 4 'too long' \
		"$@" --append "test=$(printf '%0600d' 0)"
}

# A guest without arguments of its own, identified by the faults that it takes.
runs_guest() { # GUEST REGEX run-qemu.sh's options
	local guest=$1 faults=$2
	shift 2
	runs 0 "guest=$guest has arguments" "$top/scripts/run-qemu.sh" "$@" --append "guest=$guest" \
		--expect "guest name=$guest args=" --expect "^# vm name=$guest end=exit $faults"
}

bad_guests() { # ARCH OTHER-ARCH run-qemu.sh's options
	local good=$top/build/$1/guests/hello.bin other=$top/build/$2/guests/hello.bin
	shift 2

	"$top/scripts/run-qemu.sh" --timeout "${limit:?}" "$@" --initrd "$good" --expect 'hello from a guest' \
		>"$scratch/log" 2>&1 </dev/null
	check "guest image: a good one runs" grep -q '^# RESULT: PASS' "$scratch/log"

	head -c 30 "$good" >"$scratch/short"
	refuse "guest image: shorter than its header" 1 'image truncated: shorter than its header$' \
		"$@" --initrd "$scratch/short"
	head -c 200 "$good" >"$scratch/cut"
	refuse "guest image: cut off" 1 'image truncated: shorter than its header says' \
		"$@" --initrd "$scratch/cut"
	seq 10000 >"$scratch/noise"
	refuse "guest image: something else" 1 'no guest image: wrong magic' "$@" --initrd "$scratch/noise"
	refuse "guest image: for another architecture" 1 'image built for another architecture' \
		"$@" --initrd "$other"
	refuse "guest image: larger than its memory" 1 'image larger than the guest.s memory' \
		"$@" --initrd "$good" --append 'mem=4K'
	refuse "guest image: more memory than a guest can have" 1 'guest RAM: out of range' \
		"$@" --initrd "$good" --append 'mem=8G'
	refuse "guest image: more memory than there is" 1 'not enough memory for the guest.s RAM' \
		"$@" --initrd "$good" --append 'mem=512M'
	refuse "guest image: a name that nobody has" 1 "guest 'nobody': there is none" "$@" --append 'guest=nobody'
	refuse "guest image: a name with a typing error" 1 "there is none; did you mean 'hello'[?]" \
		"$@" --append 'guest=helo'
	refuse "guest image: beside a built-in guest" 4 'leave one out, or write guest=image' \
		"$@" --initrd "$good" --append 'guest=lazy'
	runs_guest lazy 'faults=64 ' "$@"
	runs_guest fetch 'faults=64 ' "$@"
	runs_guest stage1 'faults=[1-9][0-9][0-9]' "$@"
	runs_guest bench 'faults=0 ' "$@"
	refuse "a guest that is killed fails its run" 1 '^# kill vm=.* reason=not-mapped' \
		"$@" --append 'guest=wild'
}
