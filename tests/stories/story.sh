# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# shellcheck disable=SC2034 # its variables are for the stories
#
# What the stories in bash share. A story prints its truth to descriptor 9, a file, by
# truth(): see docs/stories.md for the lines.

exec 9>&1 1>&2

truth() { printf '%s\n' "$*" >&9; }

# Seconds of CLOCK_MONOTONIC, in hundredths, in $now.
read_now() { read -r now _ </proc/uptime; }

# Seconds between two of those, in $elapsed.
elapse() # FROM TO
{
	local hundredths=$((10#${2/./} - 10#${1/./}))
	printf -v elapsed '%d.%02d' $((hundredths / 100)) $((hundredths % 100))
}

# Waits until PID is in STATE (a letter of /proc/PID/stat), and, if given, has NAME.
wait_state() # PID STATE [NAME]
{
	local stat rest tries=0
	until read -r stat <"/proc/$1/stat" && rest=${stat##*) } && [ "${rest%% *}" = "$2" ] &&
		{ [ -z "${3:-}" ] || [[ $stat == *"($3)"* ]]; }; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "$1 is not in state $2" >&2; exit 98; }
		sleep 0.01
	done 2>/dev/null
}

# Waits until a process called NAME is a child of PARENT; its pid is in $child.
wait_child() # PARENT NAME
{
	local tries=0 comm candidate list
	while :; do
		list=''
		read -r -d '' list <"/proc/$1/task/$1/children"
		for candidate in $list; do
			read -r comm <"/proc/$candidate/comm"
			[ "$comm" != "$2" ] || { child=$candidate; return; }
		done
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { echo "$1 has no child $2" >&2; exit 98; }
		sleep 0.01
	done 2>/dev/null
}
