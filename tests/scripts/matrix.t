#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/matrix with a fake runner: the machines that it runs, its output and its files.
# shellcheck disable=SC2016 # Markdown, not expansions
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

mkdir -p "$scratch/scripts"
cp "$top/scripts/matrix" "$scratch/scripts/"
# Writes a log chosen by the CPU's name: good, bad, or one that stops in its second case.
cat >"$scratch/scripts/run-qemu.sh" <<'END'
#!/bin/bash
echo "$*" >>"$(dirname "$0")/../asked"
while [ $# -gt 0 ]; do
	case $1 in
	--cpu) cpu=$2 ;;
	--append) append=$2 ;;
	--save) save=$2 ;;
	esac
	shift 2
done
case $append in
list*) printf '# case %s\n' a.one a.two b.one && exit 0 ;;
esac
[ "$cpu" != absent ] || { echo "run-qemu: cannot run here: no CPU" >&2 && exit 77; }
{
	echo '# cmdline "test=* emulator=fake-1.2"'
	echo 'ok 1 - a.one'
	[ "$cpu" != hangs ] || exit 124
	[ "$cpu" = mended ] || echo 'not ok 2 - a.two # TODO fake: two is wrong'
	[ "$cpu" != mended ] || echo 'ok 2 - a.two # TODO fake: two is wrong'
	[ "$cpu" != bad ] || echo 'not ok 3 - b.one'
	[ "$cpu" = bad ] || echo 'ok 3 - b.one # SKIP no one'
	[ "$cpu" = bad ] || echo '# RESULT: PASS'
	[ "$cpu" != bad ] || echo '# RESULT: FAIL'
} >"$save"
[ "$cpu" != bad ] || exit 1
END
chmod +x "$scratch/scripts/run-qemu.sh"
cat >"$scratch/mine" <<'END'
# machines of mine
my-good --arch riscv64 --cpu good   # a comment

my-bad --arch riscv64 --cpu bad
my-hang --arch riscv64 --cpu hangs
my-mended --arch riscv64 --cpu mended
my-absent --arch riscv64 --cpu absent
END

matrix() { "$scratch/scripts/matrix" --jobs 1 "$@"; }

runs 0 "a good machine" matrix --machines "$scratch/mine" --only '^my-good$'
shows "it passes" '^my-good +pass, 3 cases'
check "as a page" grep -q '^| `my-good` | fake-1.2 | .* | 3 | 1 | 0 | 1 | 0 | 1 |$' \
	"$scratch/build/matrix/matrix.md"
check "with what is known" grep -q '^| `a.two` | fake: two is wrong | `my-good` |$' \
	"$scratch/build/matrix/matrix.md"
check "with the emulators" grep -q '^Commit .*, on fake-1.2\.' "$scratch/build/matrix/matrix.md"
rm "$scratch/asked"
runs 0 "the same again" matrix --machines "$scratch/mine" --only '^my-good$'
shows "takes the log that is there" '^my-good +pass, 3 cases, from'
check "and runs nothing" test ! -e "$scratch/asked"
runs 0 "other cases" matrix --machines "$scratch/mine" --only '^my-good$' --test 'a.*'
shows "are run" '^my-good +pass, 3 cases, [0-9]+ s'
runs 0 "all cases" matrix --machines "$scratch/mine" --only '^my-good$'
runs 0 "--again" matrix --machines "$scratch/mine" --only '^my-good$' --again
shows "runs it" '^my-good +pass, 3 cases, [0-9]+ s'
mkdir -p "$scratch/build/riscv64"
echo other >"$scratch/build/riscv64/faultline.elf"
runs 0 "another image" matrix --machines "$scratch/mine" --only '^my-good$'
shows "is run" '^my-good +pass, 3 cases, [0-9]+ s'
runs 0 "--page" matrix --machines "$scratch/mine" --only '^my-(good|absent)$' --page
shows "shows what was run" '^all passed +1$'
runs 0 "a machine that does better than is known" matrix --machines "$scratch/mine" --only '^my-mended$'
shows "the case is named" '^P a.two: my-mended: fake: two is wrong'
check "and is not one that failed" grep -q '^| `my-mended` | .* | 3 | 1 | 0 | 0 | 1 | 1 |$' \
	"$scratch/build/matrix/matrix.md"
runs 1 "a bad machine" matrix --machines "$scratch/mine" --only '^my-(good|bad)$'
shows "it is named" '^F b.one: my-bad'
runs 1 "a machine that hangs" matrix --machines "$scratch/mine" --only '^my-hang$'
shows "the case is named" '^my-hang +FAIL \(124\), broke off in a.two, 1 cases'
runs 0 "a machine that is not there" matrix --machines "$scratch/mine" --only '^my-(good|absent)$'
shows "it says why" '^my-absent +cannot run here: .*no CPU'
runs 0 "no second emulator" matrix --only '^(q10-rv|rv-sv39x4)$'
shows "it says how to get it" '^q10-rv +cannot run here: .*make second-opinion'

runs 2 "no such file" matrix --machines "$scratch/none"
echo 'nameonly' >"$scratch/broken"
runs 2 "a name alone" matrix --machines "$scratch/broken"
shows "it says where" "broken:1: give options after the name 'nameonly'"
runs 2 "a name of two machines" matrix --machines <(echo 'rv-spike --arch riscv64')
runs 2 "no machine matches" matrix --only '^zzz$'
runs 2 "a bad regex" matrix --only '('

done_testing
