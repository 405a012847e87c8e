#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/mutants/on_target.py: the defects of the hypervisor can be planted, and its verdicts are
# right. The verdicts are checked on a small tree: its "image" is a text, and its run-qemu.sh prints
# a log that depends on the text.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

runs 0 "every defect of the hypervisor can be planted" "$top/tests/mutants/on_target.py" --check

# --- the small tree ---

tree=$scratch/tree
mkdir -p "$tree"/{tests,hext,el2,scripts}
cp -r "$top/tests/mutants" "$tree/tests"
cp "$top/scripts/tap.py" "$tree/scripts"
rm -rf "$tree/tests/mutants/target"/*

cat >"$tree/hext/hext.c" <<'END'
void f(void)
{
	int vsepc = load;
	int vstvec = load;
	int barrier = full;
	int count = three;
	int boot = good;
	int end = good;
	int first = good;
}
END
cp "$tree/hext/hext.c" "$tree/el2/el2.c"
for image in riscv64/faultline.bin:hext/hext.c aarch64/faultline.img:el2/el2.c; do
	arch=${image%%/*} source=${image#*:} image=${image%:*}
	printf '%s\n' "all-$arch: build/$image" "build/$image: $source" \
		"	@mkdir -p \$(@D)" "	@echo $arch >>build/compiled" \
		"	@! grep -n 'error' \$<" "	@cp \$< \$@.new && mv \$@.new \$@" >>"$tree/Makefile"
done
# shellcheck disable=SC2016 # for make
sed -i '1i .PHONY: all\nall: $(addprefix all-,$(ARCH))' "$tree/Makefile"

cat >"$tree/scripts/run-qemu.sh" <<'END'
#!/bin/bash
# Prints the log of an image that is a text.
while [ $# -gt 0 ]; do
	case $1 in
	--arch) arch=$2 ;;
	--append) test=${2#test=} ;;
	esac
	shift 2
done
cd "$(dirname "$0")/.." || exit 2
image=$(echo build/"$arch"/faultline.*)
has() { grep -q "$1" "$image"; }
trap 'exit 130' TERM
case $test in
'*') cases="a.first b.vsepc b.vstvec c.count d.end" ;;
*) cases=${test//,/ } cases=${cases//b.\*/b.vsepc b.vstvec} ;;
esac
echo "$arch $test" >>build/runs
has 'boot = good' || { sleep 100 & wait; }
echo "TAP version 13"
echo "1..$(wc -w <<<"$cases")"
n=0
for name in $cases; do
	n=$((n + 1)) result=ok note=''
	case $name in
	a.first) has 'first = good' || result="not ok" ;;
	b.vsepc) has 'vsepc = load' || result="not ok" ;;
	b.vstvec) result="not ok" note=' # TODO as in the emulator' ;;
	c.count)
		! has 'count = four' || { sleep 100 & wait; }
		! has 'count = five' || { echo 'Bail out! case c.count hangs: cpu 1' && exit 1; }
		! has 'count = six' || exit 1
		;;
	d.end)
		has 'end = good' || result="not ok"
		[[ $test != *repeat=* ]] || [ ! -e build/../flaky ] || result="not ok"
		;;
	esac
	echo "$result $n - $name$note"
done
echo '# RESULT: PASS'
END
chmod +x "$tree/scripts/run-qemu.sh"

cat >"$tree/tests/mutants/target/__init__.py" <<'END'
MACHINES = {"rv": "--arch riscv64", "arm": "--arch aarch64"}
FOLDERS = {"hext": ("hext", "rv"), "el2": ("el2", "arm"), "svm": ("svm", "arm")}
class Defect:
	def __init__(self, name, *edits, cases="", on="", unseen=""):
		self.name, self.edits, self.cases, self.on, self.unseen = name, edits, cases, on, unseen
END
printf '# none\n' >"$tree/tests/mutants/target/survivors.txt"

defects() { # FOLDER DEFECT...
	local folder=$1
	shift
	{
		printf '%s\n' "from . import Defect" "DEFECTS = ["
		printf 'Defect(%s),\n' "$@"
		echo "]"
	} >"$tree/tests/mutants/target/$folder.py"
}
edit() { # OLD NEW
	printf '("hext/hext.c", "%s", "%s")' "$1" "$2"
}
on_target() { "$tree/tests/mutants/on_target.py" --quiet-limit 2 "$@"; }

defects hext "'vsepc', $(edit 'vsepc = load' 'vsepc = none'), cases='b.* z.*'" \
	"'first', $(edit 'first = good' 'first = bad')" \
	"'end', $(edit 'end = good' 'end = bad'), cases='a.*'" \
	"'hang', $(edit 'count = three' 'count = four')" \
	"'bail', $(edit 'count = three' 'count = five'), cases='c.count'" \
	"'exit', $(edit 'count = three' 'count = six')" \
	"'boot', $(edit 'boot = good' 'boot = bad')" \
	"'two', $(edit 'vsepc = load; int <other>' 'vsepc = load; int big_<other>'), $(edit 'big_vstvec = load; int barrier' 'vstvec = load; int'), on='arm rv'" \
	"'both', $(edit 'barrier = full' 'barrier = none'), on='rv arm', unseen='the emulator has no barriers'" \
	"'fine', $(edit 'first = good' 'first = wrong')"

runs 1 "defects are planted and tried" on_target --folder hext --planted
shows "a failed case is named" 'hext/vsepc: detected b.vsepc \(rv\)$'
shows "a case that is expected to fail does not count" 'hext/first: detected a.first \(rv\)$'
shows "a case that the entry does not name" 'hext/end: detected d.end \(rv\)$'
shows "a hang is named" 'hext/hang: hangs in c.count \(rv\)$'
shows "a bail-out is named" 'hext/bail: bails out in c.count: case c.count hangs'
shows "an end without a result is named" 'hext/exit: ends early in c.count \(rv\)$'
shows "an image that does not boot" 'hext/boot: boots not'
shows "one that lives, and the other machine" 'hext/both: lives \(rv\)$'
shows "an unseen one with its reason" 'the emulator has no barriers'
shows "a pattern that is no case" "note: hext/vsepc: cases='z[.][*]' is no case on rv"
shows "the other machine, where the image is the same" 'hext/two: lives \(rv\)$'
shows "the table" '^hext +10 +9 +8  88.9 %'
shows "a folder below 90 % is a failure" '88.9 % .*less than 90 %'

rm "$tree"/build/mutants-target/*/build/runs
runs 1 "the same again" on_target --folder hext --planted
check "no defect is tried again" [ -z "$(cat "$tree"/build/mutants-target/*/build/runs 2>/dev/null)" ]
shows "its verdicts are the same" '^hext +10 +9 +8  88.9 %'

touch "$tree/flaky"
runs 1 "a case that fails now and then without a defect" on_target --folder hext --planted --only end --fresh
shows "detects nothing" '^UNRELIABLE d.end [(]rv[)]: detected without any defect'
shows "so this defect lives" 'hext/end: lives'
shows "it is named at the end" '^UNRELIABLE d.end .*not counted'
rm "$tree/flaky"

# --- after a change of the sources ---

echo '/* changed */' >>"$tree/hext/hext.c"
runs 0 "one defect by its name" on_target --folder hext --planted --only vsepc
check "first the case that detected it last" \
	grep -qx 'riscv64 b.vsepc' "$tree/build/mutants-target/0/build/runs"
runs 1 "those that were not detected" on_target --folder hext --planted --alive
shows "they are three" '^hext +3 +2 +1 '

defects el2 "'seen', ('el2/el2.c', 'first = good', 'first = bad'), unseen='nobody looks'"
runs 1 "an unseen one that is detected is a failure" on_target --folder el2 --planted
shows "with its reason" '^SEEN el2/seen: detected a.first'
echo 'not in the image' >"$tree/el2/notes.h"
defects el2 "'same', ('el2/notes.h', 'not in', 'in')" "'gone', ('el2/el2.c', 'no such', 'text')"
runs 1 "a defect that changes nothing, and one that cannot be planted" on_target --folder el2 --planted
shows "the one that changes nothing" '^BROKEN el2/same: '
shows "the one that cannot be planted" '^BROKEN el2/gone: cannot be planted'
runs 1 "--check finds it without an emulator" on_target --check
shows "with its name" '^el2/gone: can no longer be planted: not just once in el2/el2.c: no such'
defects el2 "'no', ('el2/el2.c', 'first = good', 'error')"
runs 1 "a defect that does not compile" on_target --folder el2 --planted
shows "is named with the message" '^BROKEN el2/no: does not compile 9:.*error'

# --- mechanical mutants ---

cat >"$tree/el2/el2.c" <<'END'
int f(int n)
{
	boot = good;
	end = good;
	first = good;
	vsepc = load;
	return n == 1;
}
END
rm "$tree/tests/mutants/target/el2.py" "$tree/el2/notes.h"
survivors=$tree/tests/mutants/target/survivors.txt
runs 1 "mechanical survivors without a reason are a failure" on_target --folder el2 --mechanical
shows "they are named" '^NOT LISTED el2/el2.c:7: el2/el2.c \| == to != \| return n != 1;'
printf '%s\n\t%s\n' 'el2/el2.c | == to != | return n != 1;' 'nobody calls it' \
	'el2/el2.c | number + 1 | return n == 2;' 'nobody calls it' >"$survivors"
runs 0 "with a reason they are not" on_target --folder el2 --mechanical
shows "the reason" 'nobody calls it'
sed -i 's/good;/good + 1;/' "$tree/el2/el2.c"
sed -i 's/good/good [+] 1/' "$tree/scripts/run-qemu.sh"
printf '%s\n\t%s\n' 'el2/el2.c | + 1 dropped | first = good;' 'wrong' >>"$survivors"
runs 1 "a reason for one that is detected" on_target --folder el2 --mechanical
shows "is named" '^NO SURVIVOR el2/el2.c | + 1 dropped | first = good;: detected a.first'

# A case that fails once in so many runs: then verdicts are in doubt.
sed -i "s/^for name in/[ \$(wc -l <build\/runs) -lt 9 ] || cases+=' e.flake'\\n&/; s/^\td.end)$/\te.flake) [[ \$test = *repeat=* ]] || result='not ok' ;;\\n&/" \
	"$tree/scripts/run-qemu.sh"
printf '# none\n' >"$survivors"
runs 1 "a suite that fails later" on_target --folder el2 --mechanical -j 1 --control 4
shows "is named" '^IN DOUBT arm: detected e.flake without any defect, after [48] defects'

sed -i 's/first = good/first = bad/' "$tree/el2/el2.c"
runs 1 "a suite that fails without a defect" on_target --folder el2 --mechanical
shows "is named" "^mutants-target: arm says 'detected' a.first without any defect"
runs 1 "a folder that does not exist" on_target --folder hex
shows "is named" 'no folder hex: one of hext el2 svm'

done_testing
