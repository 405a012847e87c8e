# SPDX-License-Identifier: BSD-2-Clause
# Boot tests of hangs. A case that hangs is reported by name, with the place of each vCPU, and the
# next case runs. Source this file after tests/tap.sh.
#
#	hang_run EXTENSION PATTERN OPTIONS...	false if it cannot run here
#	hangs EXTENSION CASE REGEX...		the case failed, and the log says so
#	passes EXTENSION CASE
#	hang_all EXTENSION OPTIONS...		all cases
#	stuck EXTENSION PC OPTIONS...		the hypervisor hangs; PC is its program counter in the report
# shellcheck shell=bash
: "${top:?}" "${scratch:?}" # tap.sh's

log=$scratch/log
limit=3000 # seconds for a run; longer than a run on a busy host

# The result line of a case and its diagnostics, up to the next result line.
case_of() { # NAME
	awk -v name="$1" '/^(not )?ok/ { mine = $0 ~ "- " name "$" } mine' "$log"
}

hangs() {
	local extension=$1 name=$2 regex
	shift 2
	case_of "$name" >"$scratch/case"
	for regex in "^not ok .*- $name\$" "$@" "rerun:.* test=$name "; do
		grep -qE -- "$regex" "$scratch/case" && continue
		result "not ok" "$extension: $name is reported"
		explain <<<"no '$regex' in:"
		explain <"$scratch/case"
		return
	done
	result ok "$extension: $name is reported"
}

passes() {
	if grep -qE "^ok [0-9]+ - $2\$" "$log"; then
		result ok "$1: $2 runs after it"
	else
		result "not ok" "$1: $2 runs after it"
		tail -n 20 "$log" | explain
	fi
}

hang_run() {
	local extension=$1 pattern=$2 status=0
	shift 2
	"$top/scripts/run-qemu.sh" --save "$log" --timeout "$limit" --status 1 --append "test=$pattern" \
		"$@" >/dev/null 2>"$scratch/err" </dev/null || status=$?
	case $status in
	0) result ok "$extension: a run with hanging cases ends by itself, as failed" ;;
	77)
		skip "$extension" "$(sed -n 's/^run-qemu: cannot run here: //p' "$scratch/err")"
		return 1
		;;
	*)
		result "not ok" "$extension: a run with hanging cases ends by itself, as failed"
		explain <"$scratch/err"
		;;
	esac
}

quiet='hangs: no progress in [0-9]+ s'
place() { echo "vcpu $1: cpu=[0-9]+ pc=0x[0-9a-f]+ code=[0-9a-f]{8}"; }

hang_all() {
	hang_run "$1" 'selftest.*' "${@:2}" || return 0
	hangs "$1" selftest.hang.spin-masked "hangs: no progress in 8 s" "$(place 0)"
	passes "$1" selftest.after.spin-masked
	hangs "$1" selftest.hang.waiting "$quiet" "$(place 0)"
	hangs "$1" selftest.hang.barrier "$quiet" "$(place 0)" "$(place 1)"
	hangs "$1" selftest.hang.calls "$quiet" "$(place 0)"
	hangs "$1" selftest.hang.endless 'does not end: more than 3 s' "$(place 0)"
	hangs "$1" selftest.hang.lost-kick 'cpu 1: a kick (did not arrive|was lost)'
	hangs "$1" selftest.hang.lost-start 'cpu 1: a kick (did not arrive|was lost)'
	hangs "$1" selftest.hang.neighbour "$quiet" "$(place 0)"
	hangs "$1" selftest.kick.lost-kill 'cpu [01]: a kick was lost'
	passes "$1" selftest.after.all
}

# The hypervisor itself hangs on one CPU. Another CPU ends the run, names the case, and reports the
# place of each CPU.
stuck() { # EXTENSION PC OPTIONS...
	local extension=$1 pc=$2 here='hypervisor pc=0x[0-9a-f]+' guest='guest vm=.* vcpu=[01] pc=0x[0-9a-f]+'
	shift 2
	stuck_case hypervisor "# cpu 0: $here, it reports this; no guest" "# cpu 1: hypervisor pc=$pc.*; $guest" \
		'^Bail out! case selftest-stuck.hypervisor hangs: cpu 0 has waited [0-9]+ s for cpu 1' "$@"
	stuck_case boot-cpu "# cpu 0: hypervisor pc=$pc.*; $guest" "# cpu 1: $here, it reports this; no guest" \
		'^Bail out! case selftest-stuck.boot-cpu hangs: cpu 1 has waited [0-9]+ s for cpu 0' "$@"
	stuck_case beside-guest "# cpu 0: hypervisor pc=$pc.*; $guest" "# cpu 1: $here, it reports this; $guest" \
		'^Bail out! case selftest-stuck.beside-guest hangs: cpu 1 has waited [0-9]+ s for cpu 0' "$@"
}

stuck_case() { # NAME LINE LINE LINE OPTIONS...
	runs 0 "$extension: a CPU that hangs in the hypervisor ends the run: $1" \
		"$top/scripts/run-qemu.sh" "${@:5}" --append "test=selftest-stuck.$1" --timeout "$limit" --status 2 \
		--expect "$2" --expect "$3" --expect "$4"
}
