# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A test file sources this, calls `check NAME COMMAND...` for each case, and
# ends with `summary`. A failed case prints the actual result.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
TOP=$(cd "$HERE/../.." && pwd -P)
# shellcheck disable=SC2034 # for the files that source this
VM=$TOP/vm
passed=0 failed=0 checking=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A word that is misspelled in a test file is a failed case, not a silent line.
command_not_found_handle()
{
	# The shell runs this in a subshell: counting there would be lost.  What a check
	# runs has its status looked at anyway.
	[ -n "$checking" ] || : >"$scratch/not-found"
	printf '%s: no such command\n' "$1" >&2
	return 127
}

ok() # NAME
{
	passed=$((passed + 1))
	printf 'ok    %s\n' "$1"
}

not_ok() # NAME REASON...
{
	failed=$((failed + 1))
	printf 'FAIL  %s\n' "$1"
	shift
	printf '%s\n' "$@" | sed 's/^/      /'
}

# Runs COMMAND with stdout and stderr in $scratch/out and $scratch/err.
check() # NAME EXPECTED_STATUS COMMAND...
{
	local name=$1 expected=$2 status
	shift 2
	checking=1
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	status=$?
	checking=
	if [ "$status" = "$expected" ]; then
		ok "$name"
	else
		not_ok "$name" "status $status, expected $expected" \
			"$(tail -n 5 "$scratch/out" "$scratch/err")"
		return 1
	fi
}

# The last check's stderr (or stdout) matches this extended regular expression.
output_matches() # NAME REGEX [out|err]
{
	if grep -Eq -- "$2" "$scratch/${3:-err}"; then
		ok "$1"
	else
		not_ok "$1" "no '$2' in:" "$(tail -n 5 "$scratch/${3:-err}")"
	fi
}

equal() # NAME GOT EXPECTED
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', expected '$3'"
	fi
}

# shellcheck disable=SC2317 # called by the files that source this
summary()
{
	[ ! -e "$scratch/not-found" ] || failed=$((failed + 1))
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
	exit
}
