#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# .ci/run with a fake make and a fake tests/fresh: the commands, the sums and the exit status.
# shellcheck disable=SC2016 # the fakes expand their own
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

mkdir -p "$scratch/a tree/.ci" "$scratch/a tree/tests" "$scratch/bin"
cp "$top/.ci/run" "$scratch/a tree/.ci/"
cat >"$scratch/bin/make" <<'END'
#!/bin/sh
echo "make $*" >>"$ASKED"
case $1 in
setup) printf "$TEST_SAYS"; exit "${TEST_STATUS:-0}" ;;
lint) echo "lint says this"; exit "${LINT_STATUS:-0}" ;;
esac
END
cat >"$scratch/a tree/tests/fresh" <<'END'
#!/bin/sh
echo "fresh $*" >>"$ASKED"
if [ "$1" = --check ]; then
	[ -z "$CANNOT" ] || { echo "fresh: cannot run here: $CANNOT" >&2; exit 77; }
	exit 0
fi
printf "$FRESH_SAYS"
exit "${FRESH_STATUS:-0}"
END
chmod +x "$scratch/bin/make" "$scratch/a tree/tests/fresh"
export ASKED=$scratch/asked

ci() { # VARIABLE=...
	: >"$ASKED"
	env PATH="$scratch/bin:$PATH" TEST_SAYS='ok a\n5 passed, 0 failed, 2 skipped\n' \
		FRESH_SAYS='fresh: passed\n4 passed, 0 failed, 3 skipped\n' "$@" "$scratch/a tree/.ci/run"
}
last() { # NAME TEXT
	check "$1" [ "$(tail -n 1 <<<"$out")" = "$2" ]
	[ "$(tail -n 1 <<<"$out")" = "$2" ] || explain <<<"$out"
}

runs 0 "all good" ci
last "the counts of both are added" "9 passed, 0 failed, 5 skipped"
shows "the output of make is shown" '^ok a$'
shows "that of lint" '^lint says this$'
shows "that of tests/fresh" '^fresh: passed$'
check "the README's command is run, lint, tests/fresh" \
	[ "$(sort "$ASKED" | tr '\n' ,)" = "fresh --check,fresh --run,make lint,make setup test," ]

runs 1 "a failed test" ci TEST_SAYS='5 passed, 1 failed, 2 skipped\n' TEST_STATUS=2
last "is counted once" "9 passed, 1 failed, 5 skipped"
check "and the rest is run" grep -qx 'make lint' "$ASKED"
runs 1 "a build that fails" ci TEST_SAYS='error\n' TEST_STATUS=2
last "is one failure" "4 passed, 1 failed, 3 skipped"
shows "with its status" '^make setup test: FAILED with status 2$'
runs 1 "a bad status after good counts" ci TEST_STATUS=2
last "is one failure" "9 passed, 1 failed, 5 skipped"
runs 1 "lint fails" ci LINT_STATUS=2
last "as one failure" "9 passed, 1 failed, 5 skipped"
runs 1 "the tests fail in the fresh root" ci FRESH_SAYS='4 passed, 2 failed, 3 skipped\n' FRESH_STATUS=1
last "they are counted" "9 passed, 2 failed, 5 skipped"
runs 1 "make run fails in the fresh root" ci FRESH_SAYS='fresh: FAILED\n' FRESH_STATUS=1
last "as one failure" "5 passed, 1 failed, 2 skipped"
runs 0 "no root" ci CANNOT='chroot needs root'
last "tests/fresh is skipped" "5 passed, 0 failed, 3 skipped"
shows "in one line that says why" '^tests/fresh: skipped: chroot needs root$'
runs 0 "no mirror" ci FRESH_SAYS='fresh: base system\nfresh: cannot run here: no mirror\n' FRESH_STATUS=77
last "is a skip too" "5 passed, 0 failed, 3 skipped"
shows "that says why" '^tests/fresh: skipped: no mirror$'

done_testing
