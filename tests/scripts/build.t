#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The build in a bad environment: two runs of make in one tree, a read-only tree, a full disk. All
# in a copy of the tree.
# shellcheck disable=SC2016 # inner shells expand
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# Options of the make that runs the tests must not reach the make under test.
unset MAKELEVEL MAKEFLAGS MAKEOVERRIDES MFLAGS MAKE_TERMOUT MAKE_TERMERR ARCH

cd "$top" || exit 1
copy="$scratch/a copy"
mkdir "$copy"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$copy"
cd "$copy" || exit 1

# --- one file ---
into=$top/scripts/make-file.sh
mkdir "$scratch/out"
file=$scratch/out/a.o
echo old >"$file"
runs 3 "a command that fails" "$into" "$file" sh -c 'echo half >"$1"; echo a message >&2; exit 3' sh @@
shows "its message is shown" '^a message$'
check "the file is as it was" grep -qx old "$file"
runs 0 "a command that succeeds" "$into" "$file" sh -c 'grep -qx old "$1" && echo new >"$2"' sh "$file" @@
check "the file is new once it is complete" grep -qx new "$file"
runs 0 "a list of headers" "$into" "$file" sh -c 'echo new >"$1"; echo a.h >"$1.deps"' sh @@
check "has its own name" grep -qx a.h "$scratch/out/a.d"
runs 0 "an option that ends with the name" "$into" "$file" sh -c ': >"${1#/out:}"' sh /out:@@
check "nothing else is left" [ "$(echo "$scratch"/out/*)" = "$scratch/out/a.d $file" ]
runs 1 "a program that the full disk kills" env FILE="$file" bash -c \
	'trap "" XFSZ; ulimit -f 4; "$0" "$FILE" sh -c "kill -BUS \$\$"' "$into"
shows "says that the disk is full" '^make: cannot write .*/out: No space left on device; free some space'

# --- two runs of make: a compiler that writes its file in two parts ---
cat >"$scratch/slow-clang" <<'END'
#!/bin/bash
while [ $# -gt 0 ]; do
	if [ "$1" = -o ]; then out=$2; shift; else words+=("$1"); fi
	shift
done
clang "${words[@]}" -o "$out.whole" || exit
head -c 200 "$out.whole" >"$out"
sleep 0.3
cat "$out.whole" >"$out"
rm "$out.whole"
END
chmod +x "$scratch/slow-clang"
two_makes() {
	local goal=build/riscv64/guests/hello.elf first status=0
	make -j2 "$goal" CLANG="$scratch/slow-clang" &
	first=$!
	sleep 0.4
	make -j2 "$goal" CLANG="$scratch/slow-clang" || status=1
	wait "$first" || status=1
	return "$status"
}
check "two runs of make in one tree" two_makes
check "leave no temporary files" [ -z "$(find build -name '*.tmp*')" ]

# --- a tree that cannot be written ---
if [ "$(id -u)" -ne 0 ]; then
	read_only() { # COMMAND...
		chmod -R a-w .
		"$@"
		local status=$?
		chmod -R u+w .
		return "$status"
	}
elif unshare --mount true 2>/dev/null; then
	read_only() {
		unshare --mount sh -c 'mount --bind . "$0" && mount -o remount,bind,ro "$0" && cd "$0" && "$@"' \
			"$copy" "$@"
	}
fi
refused() { # NAME GOAL...
	local name=$1
	shift
	runs 2 "$name" read_only make "$@"
	shows "says what to do" 'cannot write /.*/a copy/build.*: run make in a copy of this tree'
	check "in one line" [ "$(wc -l <<<"$out")" -eq 1 ]
}
if declare -F read_only >/dev/null; then
	refused "a read-only tree" ARCH=riscv64
	refused "nothing can be removed there" clean
	runs 0 "help works there" read_only make help
	rm -rf build
	refused "a read-only tree without build/" ARCH=riscv64
	# Fake tools that make empty files are fast.
	mkdir "$scratch/quick"
	for tool in clang llc ld.lld llvm-objcopy; do
		printf '#!/bin/sh\nfor word; do case $word in *.tmp) : >"$word" ;; esac; done\n' \
			>"$scratch/quick/$tool"
		chmod +x "$scratch/quick/$tool"
	done
	check "a build" env PATH="$scratch/quick:$PATH" make -j2 ARCH=riscv64
	runs 0 "what is up to date is used" read_only make ARCH=riscv64
	refused "tests are not: they write" test ARCH=riscv64
else
	skip "a read-only tree" "no mount namespaces here"
fi

# --- a full disk ---
rm -rf build
one_sentence() {
	grep -vE '^  [A-Z]+ |^make: \*\*\* ' <<<"$out" >"$scratch/said"
	check "in one line, besides make's own" [ "$(wc -l <"$scratch/said")" -eq 1 ]
	[ "$(wc -l <"$scratch/said")" -eq 1 ] || explain <"$scratch/said"
}
full() { # a disk that takes 4 KiB of each file
	(
		trap '' XFSZ
		ulimit -f 4
		"$@"
	)
}
runs 2 "a full disk" full make -j1 ARCH=riscv64
shows "says so" '^make: cannot write build/riscv64/.*: File too large; free some space, then run make again$'
one_sentence
if unshare --mount true 2>/dev/null; then
	rm -rf build
	runs 2 "a disk of 64 KiB" unshare --mount sh -c \
		'mkdir build && mount -t tmpfs -o size=64k none build && exec make -j1 ARCH=riscv64'
	shows "says so" '^make: cannot write build/.*: No space left on device; free some space'
	one_sentence
else
	skip "a disk of 64 KiB" "no mount namespaces here"
fi
check "no temporary files" [ -z "$(find build -name '*.tmp*')" ]

done_testing
