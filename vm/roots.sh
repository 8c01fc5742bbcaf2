# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Build roots: another suite's compiler and what it needs, unpacked into the
# cache, entered by chroot in namespaces of its own. Nothing is installed. It takes
# root with CAP_SYS_ADMIN, or any user where the kernel allows user namespaces.
# Needs vm/lib.sh.

# What every build needs beside what its packages ask for themselves: an
# unpacked root has no essential packages. perl is for kernel-doc (W=1).
ROOT_PACKAGES=base-files,bash,binutils,coreutils,dash,diffutils,findutils,gawk
ROOT_PACKAGES+=,grep,gzip,kmod,libc6-dev,make,perl,sed,sparse,xz-utils

# shellcheck disable=SC2034 # all three are read by those that include this
DEBUG_SUITES=trixie,trixie-security
# shellcheck disable=SC2034
DEBUG_PACKAGES=${ROOT_PACKAGES/sparse,},bc,bison,flex,gcc,libelf-dev,libssl-dev,m4,python3,tar
DEBUG_TREE=/usr/src/linux-debug		# inside of its root

# The suites that a row's headers and their compiler come from: a backport's
# compiler is in the suite it was made for.
header_suites() # SUITES
{
	local suite all=
	for suite in ${1//,/ }; do
		case $suite in *-backports) all+=,${suite%-backports} ;; esac
		all+=,$suite
	done
	printf '%s\n' "${all#,}"
}

# Unpack as if /usr were merged, which base-files says only since trixie.
unpack_root() # ROOT DEB...
{
	local root=$1 directory deb
	shift
	for directory in bin sbin lib lib32 lib64 libx32; do
		mkdir -p "$root/usr/$directory"
		ln -s "usr/$directory" "$root/$directory"
	done
	mkdir -p "$root"/{dev,proc,tmp}
	for deb in "$@"; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x --keep-directory-symlink --no-same-owner -C "$root" ||
			die 125 "cannot unpack ${deb##*/}"
	done
	[ -e "$root/usr/bin/awk" ] || ln -s gawk "$root/usr/bin/awk"
}

# Make the root NAME of PACKAGES (comma-separated) and what they depend on, if
# it is not there; prints its directory. Another list needs another name.
make_root() # NAME SUITES PACKAGES
{
	local name=$1 suites=$2 packages=$3 root=$CACHE/roots/$1 work lock
	[ ! -e "$root/complete" ] || { cache_used "$root" && printf '%s\n' "$root"; return; }
	need apt-get apt
	need dpkg-deb dpkg
	make_room
	mkdir -p "$CACHE/roots"
	exec {lock}>"$CACHE/tmp/lock-root-$name"
	flock "$lock"
	[ ! -e "$root/complete" ] || { printf '%s\n' "$root"; return; }
	note "unpacking a compiler and what $name needs (once)"
	work=$(mktemp -d "$CACHE/tmp/root.XXXXXX")
	# shellcheck disable=SC2064 # this directory, now
	trap "rm -rf '$work'" EXIT
	mkdir -p "$work"/{state/lists/partial,cache/archives/partial,root}
	: >"$work/status"
	# shellcheck disable=SC2086 # a list
	set -- ${packages//,/ }
	archive_sources "$suites" "$work/sources.list"
	private_apt "$work" apt-get update >"$work/log" 2>&1 &&
		private_apt "$work" apt-get install -y --no-install-recommends \
			--download-only "$@" >>"$work/log" 2>&1 || {
		tail -n 3 "$work/log" >&2
		die 125 "cannot fetch what $name needs from $suites"
	}
	unpack_root "$work/root" "$work"/cache/archives/*.deb
	: >"$work/root/complete"
	rm -rf "$root"
	mv "$work/root" "$root"
	rm -rf "$work"
	trap - EXIT
	exec {lock}>&-
	printf '%s\n' "$root"
}

# For sh in the new mount namespace: $1 is the root, $2 "private" or "chroot".
# In a chroot "/" is no mount point that could be made private; /proc is one, and
# what is mounted on top of it stays here once it is private, too: a bind mount of
# the root is a peer of what it was taken from. No path is quoted twice.
# shellcheck disable=SC2016 # for sh
ENTRY_ROOT='
	root=$1
	if [ "$2" = chroot ]; then
		mount --make-private /proc && mount --rbind "$root" /proc &&
			mount --make-rprivate /proc && root=/proc
	fi || exit'

# The same with what a build needs: devices, /proc, DIRECTORY ($3) as /mnt. In a
# container /proc is masked, and the kernel refuses one that shows more than that:
# then it is the container's own.
# shellcheck disable=SC2016
ENTRY_BUILD=$ENTRY_ROOT'
	mount --rbind /dev "$root/dev" && {
		mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
	} && mount --bind "$3" "$root/mnt" && shift 3 || exit
	'

# Find how a root can be entered here, by trying: sets entry_options, for
# unshare(1), and entry_kind ("private" or "chroot"); "root" is without a user
# namespace. 1 and the kernel's words in entry_error where no way is open.
find_entry() # any|root
{
	local try ways=() way
	entry_error=''
	need unshare util-linux
	need mount mount
	[ "$(id -u)" != 0 ] || ways+=('private -mpf' 'chroot -mpf --propagation unchanged')
	[ "$1" = root ] || ways+=('private -Urmpf')
	mkdir -p "$CACHE/tmp" && try=$(mktemp -d "$CACHE/tmp/entry.XXXXXX") ||
		die 125 "cannot write to $CACHE"
	mkdir "$try"/{dev,proc,mnt}
	for way in "${ways[@]}"; do
		read -r entry_kind entry_options <<<"$way"
		# shellcheck disable=SC2086 # options
		entry_error=$(unshare $entry_options -- sh -c "$ENTRY_BUILD"'exec chroot / true' \
			sh "$try" "$entry_kind" "$try" 2>&1) && break
		entry_kind=''
	done
	# Nothing is mounted there but in namespaces that have ended.
	rm -rf --one-file-system "$try"
	[ -n "$entry_kind" ]
}

# Why find_entry found nothing, and what helps: "CAUSE; fix: FIX".
entry_refusal()
{
	local sys=/proc/sys root='run it as root' chroot='run it as root'
	[ "$(id -u)" != 0 ] || root='give it CAP_SYS_ADMIN' chroot='mount /proc in it'
	if [ "$(cat $sys/user/max_user_namespaces 2>/dev/null)" = 0 ]; then
		echo "user namespaces are off (user.max_user_namespaces is 0); fix: sysctl user.max_user_namespaces=10000, or $root"
	elif [ "$(cat $sys/kernel/unprivileged_userns_clone 2>/dev/null)" = 0 ]; then
		echo "unprivileged user namespaces are off; fix: sysctl kernel.unprivileged_userns_clone=1, or $root"
	elif [ "$(cat $sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" = 1 ]; then
		echo "AppArmor restricts user namespaces; fix: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or $root"
	elif ! awk '$5 == "/" { found = 1 } END { exit !found }' /proc/self/mountinfo 2>/dev/null; then
		echo "the kernel allows no user namespace in a chroot; fix: $chroot, or enter it by pivot_root"
	elif grep -q '^Seccomp:[[:space:]]*2' /proc/self/status; then
		echo "this container or sandbox allows neither a mount nor a user namespace; fix: start it with --security-opt seccomp=unconfined, or --privileged"
	else
		echo "the kernel allows neither a mount nor a user namespace here; fix: $root, or allow user namespaces"
	fi
}

# End with one line where no root can be entered. tests/limits knows its first
# words; ENTRY_INSTEAD is what the caller can do without.
need_entry()
{
	[ -n "${entry_kind:-}" ] || find_entry any || die 125 "cannot enter a build root: $(entry_refusal)${ENTRY_INSTEAD:-} (${entry_error//$'\n'/; })"
}

# Run COMMAND in ROOT, with DIRECTORY as its /mnt. After need_entry, or by itself.
enter_root() # ROOT DIRECTORY COMMAND...
{
	local root=$1 directory=$2
	shift 2
	need_entry
	mkdir -p "$root/mnt"
	# shellcheck disable=SC2016,SC2086
	unshare $entry_options -- sh -c "$ENTRY_BUILD"'
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/ \
			LC_ALL=C "$@"' sh "$root" "$entry_kind" "$directory" "$@"
}

# The root that holds the debug kernel; vm/debug-kernel makes it.
debug_root_directory()
{
	printf '%s/roots/debug-%s\n' "$CACHE" \
		"$({ echo "$DEBUG_PACKAGES"; grep -v '^# [^C]' "$VM_DIR/debug.config"; } | hash_of)"
}

debug_root()
{
	local root
	root=$(debug_root_directory)
	[ -e "$root$DEBUG_TREE/complete" ] ||
		die 125 'the debug kernel is not built: run vm/debug-kernel (make debug-kernel)'
	printf '%s\n' "$root"
}
