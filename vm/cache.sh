# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What is in the cache, how old, and what may go. Each entry is made once and is whole;
# each use sets its time, so that an entry which no run uses any more is seen.
#
#   kernels/RELEASE   a kernel of vm/kernels, its modules, the ELF of its image
#   own/              of kernels of one's own: the ELF of an image, links to modules
#   bin/, initramfs/  vm/supervise and vm/init, and what they boot with
#   roots/            compilers and headers for kmod/build, the debug kernel
#   tmp/              what is being made, and locks
#
# Needs vm/lib.sh.

CACHE_DAYS=${IPCSCOPE_CACHE_DAYS:-30}	# without a use: then make_room takes it away

# True where ENTRY is there; it was used now.
cache_used() # ENTRY
{
	[ -e "$1" ] && { touch -c "$1" 2>/dev/null || true; }
}

# Entries, one a line: SIZE in KiB, days since the last use, path below the cache, what it is.
cache_entries()
{
	local entry now key release
	now=$(date +%s)
	for entry in "$CACHE"/{kernels,roots}/*/ "$CACHE"/{own,bin,initramfs,fresh,tmp}/*; do
		[ -e "$entry" ] || continue
		case ${entry#"$CACHE/"} in tmp/lock-*) continue ;; esac
		entry=${entry%/}
		printf '%s\t%s\t%s\t' "$(du -sk "$entry" 2>/dev/null | cut -f1)" \
			$(((now - $(stat -c %Y "$entry")) / 86400)) "${entry#"$CACHE/"}"
		case ${entry#"$CACHE/"} in
		kernels/*)
			release=${entry##*/} key=$(grep -lx -- "$release" "$CACHE"/kernels/*.release 2>/dev/null |
				sed 's,.*/,,; s,\.release$,,' | xargs)
			echo "${key:+kernel $key}"
			;;
		own/modules-*) echo "modules of $(ls "$entry/lib/modules")" ;;
		*) echo ;;
		esac
	done
}

# What no run takes any more: a release that no row of vm/kernels stands for, what was
# being made when its maker ended, and all that was not used for CACHE_DAYS.
cache_stale()
{
	cache_entries | awk -F '\t' -v days="$CACHE_DAYS" '
		$3 ~ /^(kernels|tmp)\// { if ($4 == "" && $2 >= 1) print $3; next }
		$2 >= days { print $3 }'
}

# Before something is made that takes so much: a full disk gives other errors later.
need_space() # MB
{
	local free
	free=$(df -Pm "$CACHE" 2>/dev/null | awk 'NR == 2 { print $4 }')
	[ "${free:-$1}" -ge "$1" ] ||
		die 125 "no space: the cache $CACHE has $free MB free, and this takes $1 (vm/run --cache list)"
}

# Before something is made: at most once a day.
make_room()
{
	local stale
	mkdir -p "$CACHE/tmp"
	[ -z "$(find "$CACHE/tmp/lock-room" -mtime -1 2>/dev/null)" ] || return 0
	: 2>/dev/null >"$CACHE/tmp/lock-room"
	stale=$(cache_stale)
	[ -z "$stale" ] || (cd "$CACHE" && xargs -d '\n' rm -rf <<<"$stale")
}

cache_list()
{
	cache_entries | sort -t "$(printf '\t')" -k 1,1nr | awk -F '\t' -v cache="$CACHE" '
		{ total += $1; printf "%8.1f MB  %3d days  %-44s %s\n", $1 / 1024, $2, $3, $4 }
		END { printf "%8.1f MB in %s\n", total / 1024, cache }'
}

# A guest reads its modules there: none may be running.
cache_clear()
{
	local lock
	mkdir -p "$CACHE/tmp"
	exec {lock}>"$CACHE/tmp/lock-use"
	flock -n "$lock" || die 125 'a guest or a build uses the cache: end it first'
	rm -rf "${CACHE:?}"/{kernels,roots,own,bin,initramfs,fresh} "$CACHE"/kvm-*
	find "$CACHE/tmp" -mindepth 1 ! -name 'lock-*' -delete
}

# Until this process, or the one that it becomes, ends.
hold_cache()
{
	mkdir -p "$CACHE/tmp" 2>/dev/null && [ -w "$CACHE/tmp" ] || return 0
	exec {cache_lock}>"$CACHE/tmp/lock-use"
	flock -s "$cache_lock"
}

cache_command() # list|clear|prune
{
	case $1 in
	list) cache_list ;;
	clear) cache_clear ;;
	prune) rm -f "$CACHE/tmp/lock-room" && make_room ;;
	*) die 2 "--cache takes list, clear or prune, not '$1'" ;;
	esac
}
