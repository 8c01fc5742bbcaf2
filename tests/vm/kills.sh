#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm/run, killed at random moments of its whole run: no process of it is left, nothing in the
# cache, and the next run works. Usage: kills.sh [N] [KEY] (20, 6.12).

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
count=${1:-20} kernel=${2:-6.12}
# A cache in which no other run makes anything.
"$VM/run" --kernel "$kernel" --fetch-only || exit
cache=${IPCSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipcscope}
release=$(cat "$cache/kernels/$kernel.release")
mkdir -p "$scratch/cache/kernels"
cp -al "$cache/kernels"/{"$release","$kernel.release"} "$scratch/cache/kernels/" 2>/dev/null ||
	cp -a "$cache/kernels"/{"$release","$kernel.release"} "$scratch/cache/kernels/"
export IPCSCOPE_CACHE=$scratch/cache
RANDOM=$$
printf 'seed %d\n' $$
# What a run starts has this in its environment.
mark=kills-$$-$RANDOM

# Becomes vm/run, with the files by 9p or virtiofs.
become_guest() # HOW COMMAND...
{
	local how=yes
	[ "$1" != virtiofs ] || how=no
	exec env IPCSCOPE_9P=$how IPCSCOPE_MARK="$mark" "$VM/run" --kernel "$kernel" -- "${@:2}"
}

guest() # HOW COMMAND...
{
	(become_guest "$@")
}

# Processes with the mark, "PID STATE NAME" each.
left()
{
	local directory
	for directory in /proc/[0-9]*; do
		! grep -qsz "^IPCSCOPE_MARK=$mark$" "$directory/environ" ||
			sed -n 's/^\([0-9]* (.*) [^Z]\) .*/\1/p' "$directory/stat" 2>/dev/null
	done
}

in_cache()
{
	(cd "$scratch/cache" && find . ! -path './kernels/*' ! -name 'lock-*' | sort)
}

ways=(9p)
guest virtiofs true >"$scratch/out" 2>"$scratch/err" && ways+=(virtiofs)
printf 'files by %s\n' "${ways[*]}"
start=$(date +%s%N)
check 'a whole run' 0 guest 9p true
milliseconds=$((($(date +%s%N) - start) / 1000000))
before=$(in_cache)
signals=(KILL KILL TERM INT HUP)
for ((i = 0; i < count; i++)); do
	way=${ways[i % ${#ways[@]}]} signal=${signals[i % ${#signals[@]}]}
	moment=$((RANDOM % (milliseconds * 11 / 10)))
	(become_guest "$way" true) >/dev/null 2>&1 &
	pid=$!
	sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
	kill -"$signal" $pid 2>/dev/null
	wait $pid 2>/dev/null
	for ((j = 0; j < 50; j++)); do
		[ -n "$(left)" ] || break
		sleep 0.1
	done
	equal "SIG$signal after $moment of $milliseconds ms ($way)" "$(left)" ''
done
equal 'the cache is as before' "$(in_cache)" "$before"
check 'the next run works' 0 guest 9p true
summary
