# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of `ipcscope bench`, which get the binary as $1: the checks of
# tests/vm/lib.sh, and what looks at a run.  A file that calls `alone "$@"` runs
# in IPC and mount namespaces of its own where it may: then all that is in
# /dev/shm, in the queues' filesystem and in the System V tables is its own.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
case ${1:-} in
'') echo 'which ipcscope?' >&2; exit 2 ;;
/*) ipcscope=$1 ;;
*) ipcscope=$PWD/$1 ;;
esac
[ -x "$ipcscope" ] || { echo "no $ipcscope: build it first" >&2; exit 2; }
# Where nobody may read the checkout, somebody else runs a copy.
chmod 755 "$scratch"
export TMPDIR=$scratch/tmp
mkdir -m 1777 "$TMPDIR"
export LC_ALL=C.UTF-8
mqueues=/dev/mqueue

leave()
{
	rm -rf "$scratch"
	unset TMPDIR
}

# JSON is one long line: what failed shows the beginning of its lines.
bad() # NAME REASON...
{
	failed=$((failed + 1))
	printf 'FAIL  %s\n' "$1"
	shift
	printf '%s\n' "$@" | cut -c 1-240 | sed 's/^/      /'
}

# Start the file anew in namespaces; where that is forbidden, go on as it is.
alone() # ARGUMENTS...
{
	if [ "${IPCSCOPE_ALONE:-}" = "$0" ]; then
		unset IPCSCOPE_ALONE
		mqueues=$scratch/mqueue
		mkdir "$mqueues"
		mount -t tmpfs -o mode=1777 none /dev/shm &&
			mount -t mqueue none "$mqueues" || exit
		trap 'umount "$mqueues"; rm -rf "$scratch"' EXIT
	elif unshare -im true 2>/dev/null; then
		leave
		IPCSCOPE_ALONE=$0 exec unshare -im bash "$0" "$@"
	elif unshare -Urim true 2>/dev/null; then
		leave
		IPCSCOPE_ALONE=$0 exec unshare -Urim bash "$0" "$@"
	else
		echo 'note  no namespaces here: others that use the same IPC disturb this test'
	fi
}

# All that a benchmark could leave, a line each.
things()
{
	local table
	find /dev/shm "$mqueues" -mindepth 1 2>/dev/null
	# What others have in /tmp is no concern of ours.
	find "$TMPDIR" -mindepth 1
	for table in shm msg sem; do
		awk -v table="$table" 'NR > 1 { print table, "key", $1, "id", $2 }' "/proc/sysvipc/$table"
	done
}

# Processes of a group that are not dead, a line each.
processes() # GROUP
{
	ps -eo pgid=,pid=,stat=,args= | awk -v group="$1" '$1 == group && $3 !~ /^Z/'
}

# Milliseconds until COMMAND succeeds, in $took; 1 where it has not within 10 s.
wait_for() # COMMAND...
{
	local from=${EPOCHREALTIME/./} status
	while true; do
		"$@" && status=0 || status=1
		took=$(((${EPOCHREALTIME/./} - from) / 1000))
		[ $status = 1 ] && [ $took -lt 10000 ] || return $status
		sleep 0.02
	done
}

# jq's -e on the last check's standard output.
json() # NAME FILTER [ARGUMENTS...]
{
	local name=$1 filter=$2
	shift 2
	if jq -e "$@" "$filter" "$scratch/out" >/dev/null 2>"$scratch/jq"; then
		ok "$name"
	else
		bad "$name" "not so: $filter" "$(cat "$scratch/jq")" \
			"$(jq -c '[.results[]? | {key, failed, median: .estimate.median}]' "$scratch/out" 2>&1 |
				head -c 1000)"
	fi
}

# The last check's standard output holds a figure for every mechanism: in JSON.
# Spinning takes two CPUs: on one, those that only spin have their call alone.
whole_table() # NAME
{
	local lacking
	lacking=$(jq -r --argjson list "$("$ipcscope" bench --list |
		awk 'NR > 1 { print $1 }' | jq -Rn '[inputs]')" '
		([.results[] | select(.failed) | "\(.key): \(.failed)"]
		 + [.results[] | select(.failed == null and .estimate.median <= 0) | "\(.key): nothing"]
		 + ($list - [.results[].mechanism]))[]' "$scratch/out" 2>&1)
	equal "$1" "$lacking" ''
}
