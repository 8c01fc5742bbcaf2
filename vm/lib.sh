# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What vm/run and its siblings share: messages, options, fetching a kernel,
# taking the ELF out of a bzImage, and building the initramfs. Everything in
# the cache is made beside its place and renamed into it, under a lock, so two
# runs at once are safe and what is there is whole (vm/cache.sh).

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
CACHE=${IPCSCOPE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ipcscope}
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac
PATH=$PATH:/usr/sbin:/sbin
VERBOSE=${VERBOSE:-0}
PROGRAM=${PROGRAM:-vm/run}
# shellcheck source=vm/cache.sh
. "$VM_DIR/cache.sh"

# Modules that init needs, before those that they depend on are added; and one of these.
WANTED_MODULES='virtio_pci virtio_console overlay'
declare -A FILES_MODULES=([9p]='9p 9pnet_virtio' [virtiofs]=virtiofs)
files=9p	# how the guest gets the host's files (vm/kernel.sh: choose_files)

die() # STATUS MESSAGE...
{
	local status=$1
	shift
	printf '%s: %s\n' "$PROGRAM" "$*" >&2
	exit "$status"
}

note()
{
	printf '%s: %s\n' "$PROGRAM" "$*" >&2
}

need() # COMMAND PACKAGE
{
	command -v "$1" >/dev/null 2>&1 ||
		die 125 "$1 not found: install the Debian package $2 (all that vm/ needs: vm/packages)"
}

# ---- options that others pass on to vm/run ----------------------------------------

# For --help of those that take them.
# shellcheck disable=SC2034 # used by what sources this
PASSED_ON_HELP='  of vm/run:        --modules DIR, --smp N, --memory MIB, --timeout S, --boot-timeout S, --append ARGS,
                    --share DIR, --env NAME, --allow-splat REGEX, --allow-file FILE, --icount'
run_options=()

# Puts the first option into run_options if it is one of these, and sets `taken` to the
# number of its words; 1 if it is none, or has no value.
pass_on() # OPTION [VALUE] ...
{
	taken=0
	case $1 in
	--icount) taken=1 ;;
	--modules | --smp | --memory | --timeout | --boot-timeout | --append | --share | --env | --allow-splat | \
		--allow-file)
		[ $# -ge 2 ] && taken=2
		;;
	esac
	[ $taken != 0 ] && run_options+=("${@:1:taken}")
}

# ---- the table ------------------------------------------------------------

# The kernels of which all tests run; with `all` the other flavours, too.
kernel_keys() # [all]
{
	awk -v all="${1:-}" '!/^#/ && NF && (all || $1 !~ /-/) { print $1 }' "$VM_DIR/kernels"
}

kernel_row() # KEY -> SUITES PACKAGES RELEASE
{
	awk -v key="$1" '!/^#/ && $1 == key { print $2, $3, $4 }' "$VM_DIR/kernels"
}

# ---- the archive ----------------------------------------------------------

# Where this machine's own apt gets Debian from: LABEL URI per line.
archive_uris()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && !seen[$2]++ { print $2, $3 }'
}

archive_keyring()
{
	local file
	for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ -r "$file" ] && printf '%s\n' "$file" && return
	done
	return 1
}

# Write the sources for SUITES into FILE.
archive_sources() # SUITES FILE
{
	local keyring suite label uri uris
	keyring=$(archive_keyring) ||
		die 125 'no Debian archive keyring: install debian-archive-keyring'
	uris=$(archive_uris)
	[ -n "$uris" ] ||
		die 125 'apt knows no Debian archive here (run apt-get update, or give --kernel a file)'
	for suite in ${1//,/ }; do
		label=Debian
		case $suite in *-backports) label='Debian Backports|Debian' ;; esac
		case $suite in *-security) label=Debian-Security ;; esac
		uri=$(printf '%s\n' "$uris" | awk -v want="$label" '
			{ label = $0; sub(/ [^ ]*$/, "", label) }
			index("|" want "|", "|" label "|") { print $NF; exit }')
		[ -n "$uri" ] || continue
		printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
	done >"$2"
}

# apt-get or apt-cache with a state of its own in DIR.
private_apt() # DIR TOOL ARGS...
{
	local dir=$1 tool=$2
	shift 2
	"$tool" -q -o "Dir::State=$dir/state" -o "Dir::State::status=$dir/status" \
		-o "Dir::Cache=$dir/cache" -o "Dir::Etc::sourcelist=$dir/sources.list" \
		-o Dir::Etc::sourceparts=- -o Acquire::Languages=none \
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64 \
		-o Acquire::Check-Valid-Until=false \
		-o Acquire::Retries=3 -o APT::Sandbox::User= "$@"
}

newest_release() # DIR PACKAGES RELEASE_REGEX
{
	local first=${2%%,*}
	local prefix=${first%@}
	private_apt "$1" apt-cache pkgnames "$prefix" |
		sed -n "s/^$prefix//p" | grep -Ex -- "$3" | sort -V | tail -n 1
}

# Fetch KEY: the newest release of its row, into the cache.
fetch_kernel() # KEY
{
	local key=$1 row suites packages regex work release package
	row=$(kernel_row "$key")
	[ -n "$row" ] || die 2 "unknown kernel '$key' (known: $(kernel_keys all | xargs))"
	read -r suites packages regex <<<"$row"
	need apt-get apt
	need dpkg-deb dpkg
	need depmod kmod
	mkdir -p "$CACHE/kernels" "$CACHE/tmp"
	exec {fetch_lock}>"$CACHE/tmp/lock-$key"
	flock "$fetch_lock"
	# Another run may have fetched it while this one waited.
	if [ "${FETCH_NEWEST:-0}" = 0 ] && cached_kernel "$key" >/dev/null; then
		exec {fetch_lock}>&-
		return
	fi
	need_space 800
	note "fetching kernel $key from $suites (once)"
	work=$(mktemp -d "$CACHE/tmp/fetch.XXXXXX")
	# shellcheck disable=SC2064 # this directory, now
	trap "rm -rf '$work'" EXIT
	mkdir -p "$work"/{state/lists/partial,cache/archives/partial,debs,root}
	: >"$work/status"
	archive_sources "$suites" "$work/sources.list"
	private_apt "$work" apt-get update >"$work/log" 2>&1 || {
		tail -n 3 "$work/log" >&2
		die 125 "cannot read the index of $suites"
	}
	release=$(newest_release "$work" "$packages" "$regex")
	[ -n "$release" ] || die 125 "kernel $key: no package ${packages//@/$regex} in $suites any more: vm/kernels needs a new row"
	if [ ! -e "$CACHE/kernels/$release/complete" ]; then
		for package in ${packages//,/ }; do
			(cd "$work/debs" && private_apt "$work" apt-get download "${package//@/$release}") \
				>"$work/log" 2>&1 || {
				tail -n 3 "$work/log" >&2
				die 125 "kernel $key: cannot download ${package//@/$release}"
			}
		done
		unpack_kernel "$work" "$release"
	fi
	printf '%s\n' "$release" >"$work/key"
	mv -f "$work/key" "$CACHE/kernels/$key.release"
	rm -rf "$work"
	trap - EXIT
	exec {fetch_lock}>&-
	note "kernel $key is $release"
}

unpack_kernel() # WORK RELEASE
{
	local work=$1 release=$2 deb out=$1/out modules image
	mkdir -p "$out/lib/modules"
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$work/root" || die 125 "cannot unpack ${deb##*/}"
	done
	image=$work/root/boot/vmlinuz-$release
	[ -s "$image" ] || image=$work/root/usr/lib/modules/$release/vmlinuz
	[ -s "$image" ] || die 125 "no vmlinuz of $release in its packages"
	mv "$image" "$out/vmlinuz"
	[ ! -e "$work/root/boot/config-$release" ] ||
		mv "$work/root/boot/config-$release" "$out/config"
	modules=$work/root/lib/modules/$release
	[ -d "$modules" ] || modules=$work/root/usr/lib/modules/$release
	[ -d "$modules" ] || die 125 "no modules of $release in its packages"
	mv "$modules" "$out/lib/modules/"
	depmod -b "$out" "$release" || die 125 "depmod failed for $release"
	extract_elf "$out/vmlinuz" "$out/vmlinux.elf" || rm -f "$out/vmlinux.elf"
	: >"$out/complete"
	rm -rf "$CACHE/kernels/$release"
	mv "$out" "$CACHE/kernels/$release"
}

# Print the release that KEY stands for, if it is in the cache.
cached_kernel() # KEY
{
	local release
	[ -r "$CACHE/kernels/$1.release" ] || return 1
	read -r release <"$CACHE/kernels/$1.release" || return 1
	[ -e "$CACHE/kernels/$release/complete" ] || return 1
	printf '%s\n' "$release"
}

# ---- bzImage to ELF -------------------------------------------------------

read_u32() # FILE OFFSET
{
	local value
	value=$(od -An -tu4 -j "$2" -N 4 "$1" 2>/dev/null) && [ -n "$value" ] && echo $((value))
}

read_u16()
{
	local value
	value=$(od -An -tu2 -j "$2" -N 2 "$1" 2>/dev/null) && [ -n "$value" ] && echo $((value))
}

is_elf()
{
	[ "$(head -c 4 "$1" | od -An -tx1 | tr -d ' ')" = 7f454c46 ]
}

is_bzimage()
{
	[ "$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null | tr -d '\0')" = HdrS ]
}

# Whether an image ends before its payload (of a bzImage), or its section headers (of an ELF).
is_truncated() # IMAGE
{
	local end=0 sectors
	if is_bzimage "$1"; then
		sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$1")
		end=$(($(read_u32 "$1" $((0x248)) || echo 0) + $(read_u32 "$1" $((0x24c)) || echo 0) +
			((sectors > 0 ? sectors : 4) + 1) * 512))
	elif is_elf "$1"; then
		end=$(($(read_u32 "$1" $((0x28)) || echo 0) +
			$(read_u16 "$1" $((0x3a)) || echo 0) * $(read_u16 "$1" $((0x3c)) || echo 0)))
	fi
	[ "$(stat -c %s "$1")" -lt "$end" ]
}

# The payload's place is in the setup header (Documentation/arch/x86/boot.rst:
# setup_sects 0x1f1, payload_offset 0x248, payload_length 0x24c). Its last four
# bytes are the unpacked size, which is how we know that it came out whole.
extract_elf() # BZIMAGE OUT
{
	local image=$1 out=$2 sectors offset length magic size tool part=$2.part
	is_bzimage "$image" && ! is_truncated "$image" || return 1
	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$image")
	[ $((sectors)) -gt 0 ] || sectors=4
	offset=$(($(read_u32 "$image" $((0x248))) + (sectors + 1) * 512))
	length=$(read_u32 "$image" $((0x24c)))
	magic=$(od -An -tx1 -j "$offset" -N 6 "$image" | tr -d ' ')
	size=$(read_u32 "$image" $((offset + length - 4)))
	case $magic in
	1f8b*) tool='gzip -dc' ;;
	fd377a585a00) tool='xz -dc --single-stream' ;;
	28b52ffd*) tool='zstd -dcq' ;;
	# lz4 1.10 gives nothing at all where the size follows its data.
	02214c18*) tool='lz4 -dc' length=$((length - 4)) ;;
	425a68*) tool='bzip2 -dc' ;;
	*) return 1 ;;
	esac
	# The trailing size makes some of them print warnings: the size decides.
	tail -c +$((offset + 1)) "$image" | head -c "$length" |
		$tool >"$part" 2>/dev/null
	if is_elf "$part" && [ "$(stat -c %s "$part")" = "$size" ]; then
		mv "$part" "$out"
	else
		rm -f "$part"
		return 1
	fi
}

# ---- programs and initramfs -----------------------------------------------

hash_of() # reads stdin
{
	sha256sum | cut -c 1-20
}

# Build vm/supervise, vm/attach and vm/init; prints the directory that holds them.
build_programs()
{
	local dir work
	dir=$CACHE/bin/$(cat "$VM_DIR"/{supervise,init,attach}*.[ch] "$VM_DIR/protocol.h" | hash_of)
	if ! cache_used "$dir"; then
		need cc gcc
		make_room
		need_space 5
		mkdir -p "$CACHE/bin"
		work=$(mktemp -d "$CACHE/tmp/bin.XXXXXX")
		cc -O2 -Wall -o "$work/supervise" "$VM_DIR"/supervise*.c &&
			cc -O2 -Wall -o "$work/attach" "$VM_DIR"/{attach,supervise_util}.c &&
			cc -static -Os -Wall -o "$work/init" "$VM_DIR"/init*.c || {
			rm -rf "$work"
			die 125 'cannot build vm/supervise, vm/attach and vm/init (gcc and libc6-dev are needed)'
		}
		strip "$work/init" 2>/dev/null
		mv -T "$work" "$dir" 2>/dev/null || rm -rf "$work"
	fi
	printf '%s\n' "$dir"
}

unpack_module() # FROM TO
{
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*.zst) zstd -dcq "$1" >"$2" ;;
	*.gz) gzip -dc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

# The files that init must load for a tree with modules.dep, in order.
module_files() # ROOT RELEASE
{
	local name
	for name in $WANTED_MODULES ${FILES_MODULES[$files]}; do
		modprobe -d "$1" -S "$2" --show-depends "$name" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Build the initramfs; prints its path. The cache key holds all that is in it.
build_initramfs() # INIT_DIR ROOT RELEASE
{
	local init=$1/init root=$2 release=$3 file work number=100 path
	file=$CACHE/initramfs/$release-$({ sha256sum "$init"; stat -c '%n %Y' "$root/lib/modules/$release/modules.dep"; echo "$WANTED_MODULES $files"; } 2>/dev/null | hash_of).cpio
	if ! cache_used "$file"; then
		need cpio cpio
		make_room
		need_space 50
		mkdir -p "$CACHE/initramfs"
		work=$(mktemp -d "$CACHE/tmp/initramfs.XXXXXX")
		mkdir "$work/root" "$work/root/m" "$work/root/dev"
		cp "$init" "$work/root/init"
		if [ -n "$root" ]; then
			need modprobe kmod
			while read -r path; do
				number=$((number + 1))
				unpack_module "$path" "$work/root/m/$number-$(basename "$path" | sed 's/\.ko.*/.ko/')" ||
					die 125 "cannot unpack ${path##*/}"
			done < <(module_files "$root" "$release")
		fi
		(cd "$work/root" && find . | LC_ALL=C sort |
			cpio -o -H newc --quiet -R 0:0) >"$work/cpio" ||
			die 125 'cannot build the initramfs'
		mv "$work/cpio" "$file"
		rm -rf "$work"
	fi
	printf '%s\n' "$file"
}
