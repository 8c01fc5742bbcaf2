# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of `ipcscope bench`, which get the binary as $1: the checks of
# tests/vm/lib.sh, and checks of a run.  A file that calls `isolate "$@"` runs in new
# IPC and mount namespaces if that is permitted, so that other programs' objects are
# not in /dev/shm, the message queue file system and the System V tables.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"
case ${1:-} in
'') echo 'which ipcscope?' >&2; exit 2 ;;
/*) ipcscope=$1 ;;
*) ipcscope=$PWD/$1 ;;
esac
[ -x "$ipcscope" ] || { echo "no $ipcscope: build it first" >&2; exit 2; }
# Other users run a copy, since the checkout may not be readable by them.
chmod 755 "$scratch"
export TMPDIR=$scratch/tmp
mkdir -m 1777 "$TMPDIR"
export LC_ALL=C.UTF-8
mqueues=/dev/mqueue

discard_scratch()
{
	rm -rf "$scratch"
	unset TMPDIR
}

# JSON is one long line: cut the lines of the reason.
not_ok() # NAME REASON...
{
	failed=$((failed + 1))
	printf 'FAIL  %s\n' "$1"
	shift
	printf '%s\n' "$@" | cut -c 1-240 | sed 's/^/      /'
}

# Restarts the file in new namespaces; if that is not permitted, goes on without.
isolate() # ARGUMENTS...
{
	if [ "${IPCSCOPE_ISOLATED:-}" = "$0" ]; then
		unset IPCSCOPE_ISOLATED
		mqueues=$scratch/mqueue
		mkdir "$mqueues"
		mount -t tmpfs -o mode=1777 none /dev/shm &&
			mount -t mqueue none "$mqueues" || exit
		trap 'umount "$mqueues"; rm -rf "$scratch"' EXIT
	elif unshare -im true 2>/dev/null; then
		discard_scratch
		IPCSCOPE_ISOLATED=$0 exec unshare -im bash "$0" "$@"
	elif unshare -Urim true 2>/dev/null; then
		discard_scratch
		IPCSCOPE_ISOLATED=$0 exec unshare -Urim bash "$0" "$@"
	else
		echo 'note  no namespaces here: other programs that use IPC disturb this test'
	fi
}

# The objects that a benchmark could leave, one per line.
ipc_objects()
{
	local table
	find /dev/shm "$mqueues" -mindepth 1 2>/dev/null
	# Not /tmp, which holds other programs' files.
	find "$TMPDIR" -mindepth 1
	for table in shm msg sem; do
		awk -v table="$table" 'NR > 1 { print table, "key", $1, "id", $2 }' "/proc/sysvipc/$table"
	done
}

# Processes of a group except zombies, one per line.
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
		not_ok "$name" "not so: $filter" "$(cat "$scratch/jq")" \
			"$(jq -c '[.results[]? | {key, failed, median: .estimate.median}]' "$scratch/out" 2>&1 |
				head -c 1000)"
	fi
}

# The last check's standard output holds a figure for every mechanism: in JSON.
# Spinning needs two CPUs: on one, mechanisms that only spin have only their call.
every_mechanism_measured() # NAME
{
	local lacking
	lacking=$(jq -r --argjson list "$("$ipcscope" bench --list |
		awk 'NR > 1 { print $1 }' | jq -Rn '[inputs]')" '
		([.results[] | select(.failed) | "\(.key): \(.failed)"]
		 + [.results[] | select(.failed == null and .estimate.median <= 0) | "\(.key): nothing"]
		 + ($list - [.results[].mechanism]))[]' "$scratch/out" 2>&1)
	equal "$1" "$lacking" ''
}
