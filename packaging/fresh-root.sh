# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2153,SC2154 # CACHE, entry_*: of vm/
#
# A bare Debian of another suite, made by mmdebstrap and entered as root: what fresh-test
# and test-deb share. Needs vm/lib.sh and vm/roots.sh.

# End with one line where no such root can be entered.
need_fresh_root() # OTHER_WAY
{
	[ "$(id -u)" = 0 ] || die 125 "needs root, to mount and to make users$1"
	find_entry root || die 125 "this root may not mount: fix: give it CAP_SYS_ADMIN (${entry_error//$'\n'/; })"
}

# Sets environment: for a command in it, nothing of the caller's but the terminal.
fresh_environment() # HOME
{
	# shellcheck disable=SC2034 # for the caller
	environment=(env -i "HOME=$1" "TERM=${TERM:-dumb}" LANG=C.UTF-8
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
}

# A bare SUITE as a tar archive: in the cache, made once.
bare_suite() # SUITE FILE
{
	local suite=$1 work
	[ ! -e "$2" ] || return 0
	need mmdebstrap mmdebstrap
	note "making a bare $suite (once)"
	mkdir -p "${2%/*}" "$CACHE/tmp" && work=$(mktemp -d "$CACHE/tmp/bare.XXXXXX") ||
		die 125 "cannot write to $CACHE"
	# shellcheck disable=SC2064 # this directory, now
	trap "rm -rf '$work'" EXIT
	archive_sources "$suite,$suite-security" "$work/sources.list"
	mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
		--include=git,make,ca-certificates "$suite" "$work/root.tar" \
		"$work/sources.list" || die 125 "cannot make a bare $suite"
	mv "$work/root.tar" "$2"
	rm -rf "$work"
	trap - EXIT
}

# The root becomes "/" by pivot_root, for in a chroot the kernel allows no user
# namespace. If this machine is itself a chroot there is no other way than that.
# shellcheck disable=SC2016 # for sh
PIVOT=$ENTRY_ROOT'
	set -e
	kernels=$3 cache=$4
	[ "$2" = chroot ] || mount --bind "$root" "$root"
	shift 4
	mount --rbind /dev "$root/dev"
	mount --rbind /sys "$root/sys"
	mount -t proc proc "$root/proc"
	if [ -n "$kernels" ]; then
		mkdir -p "$root$cache"
		mount --bind "$kernels" "$root$cache"
		mount -o remount,bind,ro "$root$cache"
	fi
	cd "$root"
	if [ "$root" = /proc ]; then
		exec chroot . "$@"
	fi
	pivot_root . mnt
	cd /
	umount -l /mnt
	exec "$@"'

# Unpack the archive of a bare suite into ROOT.
unpack_bare() # ARCHIVE ROOT
{
	mkdir -p "$2"
	# Devices are bound: in a user namespace none can be made.
	tar -xpf "$1" --exclude='./dev/*' -C "$2" || die 125 'cannot unpack the root'
	cp /etc/resolv.conf /etc/hosts "$2/etc/"
	[ "$entry_kind" = private ] ||
		note 'this machine is a chroot: no user namespaces in the root either'
}

# Run COMMAND as root in ROOT, with KERNELS, if any is named, read-only at CACHE.
in_fresh_root() # ROOT KERNELS CACHE COMMAND...
{
	local root=$1 kernels=$2 cache=$3
	shift 3
	# shellcheck disable=SC2086 # options
	unshare $entry_options --kill-child -- sh -c "$PIVOT" sh "$root" "$entry_kind" \
		"$kernels" "$cache" "$@"
}
