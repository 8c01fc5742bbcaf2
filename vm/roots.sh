# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Build roots: another suite's compiler and what it needs, unpacked into the
# cache, entered by chroot in namespaces of its own. Nothing is installed and no
# right of root is needed. Needs vm/lib.sh.

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
	[ ! -e "$root/complete" ] || { printf '%s\n' "$root"; return; }
	need apt-get apt
	need dpkg-deb dpkg
	mkdir -p "$CACHE/roots" "$CACHE/tmp"
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

# Run COMMAND in ROOT, with DIRECTORY as its /mnt.
enter_root() # ROOT DIRECTORY COMMAND...
{
	local root=$1 directory=$2
	shift 2
	mkdir -p "$root/mnt"
	# Words go through positional parameters: no path is quoted twice.
	# shellcheck disable=SC2016
	unshare -Urmpf -- sh -c '
		mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
		mount --bind "$2" "$1/mnt" && root=$1 && shift 2 &&
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/ \
			LC_ALL=C "$@"' sh "$root" "$directory" "$@"
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
