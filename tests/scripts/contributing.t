#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# CONTRIBUTING.md gives the number of changed files for a new case, a group of cases, a guest, a
# device and a board. This test makes each change in a copy of the tree, counts the files that
# differ, builds the copy and boots it.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

copy="$scratch/tree"
mkdir "$copy"
(cd "$top" && git ls-files -z --cached --others --exclude-standard |
	xargs -0 cp --parents -t "$copy" 2>/dev/null)
cd "$copy" || exit 1
# The start: a tree that is built, so that only the changes are compiled.
mkdir build && cp -a "$top/build/riscv64" build/
find . -path ./build -prune -o -type f -exec touch -r "$top/build/riscv64/faultline.elf" {} +
git init -q . && git add -A && git -c user.name=t -c user.email=t@example.org commit -qm start

# The number in the last column of CONTRIBUTING.md's row.
documented() { sed -n "s/^| $1 |.*| \([0-9]*\) |\$/\1/p" CONTRIBUTING.md; }

# Each change is committed, so that the next one is counted separately.
costs() { # WHAT
	local files
	git add -A
	files=$(git diff --cached --name-only | wc -l)
	check "$1: $files files, as CONTRIBUTING.md says" test "$files" = "$(documented "$1")"
	git -c user.name=t -c user.email=t@example.org commit -qm "$1"
}

# A case: a row in a table.
sed -i '0,/^static const struct suite_case cases\[\] = {$/s//&\
	{\
		.name = "lazy.contributed",\
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),\
		.script = SCRIPT(WRITE(8, ARENA, 7), READ(8, ARENA, 7)),\
		.faults = FAULTS(MAPPED(ARENA, MM_W)),\
	},/' suite/lazy.c
costs "a case"

# A group of cases.
cat >suite/contributed.c <<'C'
/* A group of cases that a contributor adds. */
#include "suite/suite.h"

static const struct suite_case cases[] = {
	{
		.name = "contributed.read",
		.areas = AREAS(LAZY(ARENA, PAGE, MM_RW)),
		.script = SCRIPT(READ(8, ARENA, 0)),
		.faults = FAULTS(MAPPED(ARENA, MM_R)),
	},
};

const struct suite_subject suite_contributed = {
	.name = "contributed",
	.cases = cases,
	.count = MM_ARRAY_SIZE(cases),
};
C
sed -i 's/^extern const struct suite_subject /&suite_contributed, /' suite/suite.h
sed -i 's/^static const struct suite_subject \*const subjects\[\] = {$/&\n\t\&suite_contributed,/' suite/runner.c
costs "a group of cases"

# A guest.
cat >guests/contributed.c <<'C'
/* Touches one page. Reports what it reads back, under key 0. */
#include "guest.h"

void guest_main(unsigned vcpu, const struct guest_info *info)
{
	(void)vcpu;
	write64(info->arena_base, 1);
	guest_report(0, read64(info->arena_base));
	guest_print("contributed");
}
C
echo 'GUEST(contributed)' >>kernel/guest_list.inc
costs "a guest"

# A device: a register that counts its reads.
cat >kernel/contributed.c <<'C'
/* A device that a contributor adds: one register, which counts its reads. */
#include "kernel/devices.h"

struct counter {
	struct mm_device device;
	_Atomic uint64_t reads;
};

static enum mm_error counter_read(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                  uint64_t *value)
{
	(void)offset;
	(void)width;
	*value = MM_CONTAINER_OF(dev, struct counter, device)->reads++;
	return MM_OK;
}

static enum mm_error counter_write(struct mm_device *dev, uint64_t offset, enum mm_width width,
                                   uint64_t value)
{
	(void)dev;
	(void)offset;
	(void)width;
	(void)value;
	return MM_DENIED;
}

static const struct mm_device_ops counter_ops = {counter_read, counter_write};

const struct device_class contributed_class = {
	.config = {
		.name = "counter",
		.type = MM_DEVICE_TYPE_TIMER,
		.range = MM_DEVICE_AT_MMIO(0x10002000, MM_PAGE_SIZE),
	},
	.ops = &counter_ops,
	.bytes = sizeof(struct counter),
};
C
echo 'DEVICE(contributed)' >>kernel/device_list.inc
costs "a device"

# A board: a row. It is only compiled, because no loader here uses that address.
sed -i 's/^static const struct known_board known_boards\[\] = {$/&\
	{\
		.board = {.name = "contributed", .uart = UART_PL011, .uart_base = {0x1000}},\
		.loaded = {{UINT64_C(0x7000000000)}, 0x1000000},\
		.ram = {{UINT64_C(0x7000000000)}, 0x10000000},\
		.cpus = 1,\
	},/' machine/aarch64/board.c
costs "a board without a device tree"
runs 0 "the board's row compiles" make ARCH=aarch64 build/aarch64/obj/machine/aarch64/board.c.o

runs 0 "the image with all of it builds" make ARCH=riscv64
runs 0 "the case passes" scripts/run-qemu.sh --arch riscv64 --append 'test=lazy.contributed'
shows "and is named" '^ok 1 - lazy.contributed$'
runs 0 "the case of the group passes" scripts/run-qemu.sh --arch riscv64 --append 'test=contributed.*'
runs 0 "the guest runs" scripts/run-qemu.sh --arch riscv64 --append 'guest=contributed'
shows "and prints" 'guest vm=contributed: contributed'
done_testing
