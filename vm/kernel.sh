# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What vm/run boots: a kernel of vm/kernels, a lone image, or a built tree with its
# modules. Needs vm/lib.sh.

# Sets release, module_root, tree (a kernel of one's own: its built tree) and images:
# what to boot, best first; known_release, empty for an image that does not name it.
find_kernel()
{
	local dir
	unbootable_mark='' tree=''
	# shellcheck disable=SC2154 # vm/run's option
	if [ -n "$(kernel_row "$kernel")" ]; then
		[ -z "$modules" ] || die 2 "--modules: kernel $kernel has its own"
		# In a subshell, which ends its traps and locks.
		release=$(cached_kernel "$kernel") || {
			(fetch_kernel "$kernel") || exit
			release=$(cached_kernel "$kernel") || die 125 "kernel $kernel: not in the cache"
		}
		dir=$CACHE/kernels/$release
		module_root=$dir known_release=$release
		find_images "$dir/vmlinuz" "$dir/vmlinux.elf" "$dir/unbootable"
	elif [ -e "$kernel" ]; then
		own_kernel
	elif [[ $kernel == */* ]]; then
		die 125 "$kernel: no such kernel: build it first"   # git bisect takes 2 for bad
	else
		die 2 "unknown kernel '$kernel' (known: $(kernel_keys all | xargs), or a path)"
	fi
}

find_images() # BZIMAGE ELF UNBOOTABLE_MARK
{
	images=()
	unbootable_mark=$3
	[ -e "$2" ] && [ ! -e "$unbootable_mark" ] && images+=("$2")
	images+=("$1")
}

# A kernel file, or a built tree: its bzImage or its vmlinux.
own_kernel()
{
	local image dir key
	image=$(readlink -f "$kernel")
	module_root='' release='' tree='' known_release=''
	if [ -d "$image" ]; then
		tree=$image
		for image in "$tree/arch/x86/boot/bzImage" "$tree/vmlinux"; do
			[ -f "$image" ] && break
		done
		[ -f "$image" ] || die 125 "$kernel has no arch/x86/boot/bzImage and no vmlinux: build it first"
		! is_truncated "$image" || die 125 "$image: truncated image"
		check_config "$tree"
		# shellcheck disable=SC2154 # vm/run's option
		known_release=$(cat "$tree/include/config/kernel.release" 2>/dev/null) ||
			die 125 "$tree has no include/config/kernel.release: build it first"
		[ -n "$modules" ] || own_modules "$tree"
	else
		release=own
		! is_truncated "$image" || die 125 "$kernel: truncated image"
		! is_bzimage "$image" || known_release=$(image_release "$image")
	fi
	[ -z "$modules" ] || given_modules
	if is_elf "$image"; then
		images=("$image")
	elif is_bzimage "$image"; then
		key=$(stat -c '%n %s %Y' "$image" | hash_of)
		dir=$CACHE/own/$key
		cache_used "$dir" || { make_room; mkdir -p "$dir"; }
		if [ ! -e "$dir/vmlinux.elf" ] && [ ! -e "$dir/none" ]; then
			if extract_elf "$image" "$dir/elf.$$"; then
				mv "$dir/elf.$$" "$dir/vmlinux.elf"
			else
				: >"$dir/none"
			fi
		fi
		find_images "$image" "$dir/vmlinux.elf" "$dir/unbootable"
	else
		die 125 "$kernel is neither a bzImage nor an ELF vmlinux"
	fi
}

# A kernel that lacks one of these may come up all the same: it is only said.
check_config() # TREE
{
	local missing
	[ -r "$1/.config" ] || return 0
	missing=$("$VM_DIR/kconfig" --feature boot "$1") ||
		note "$1 lacks what a guest needs: $(xargs <<<"${missing//boot: /}"); merge vm/kconfig.fragment"
}

# The modules of a built tree, in a directory as `make modules_install` would make it, of
# links: what the guest does not load is not copied.
own_modules() # TREE
{
	local tree=$1 key file
	release=$known_release
	[ -s "$tree/modules.order" ] || return 0
	need depmod kmod
	key=$(stat -c '%n %Y' "$tree/modules.order" "$tree/vmlinux" 2>/dev/null | hash_of)
	module_root=$CACHE/own/modules-$key
	cache_used "$module_root" && return
	make_room
	work=$(mktemp -d "$CACHE/tmp/modules.XXXXXX")
	mkdir -p "$CACHE/own" "$work/lib/modules/$release"
	while read -r file; do
		file=${file%.o}
		file=${file%.ko}.ko
		[ -f "$tree/$file" ] || continue
		mkdir -p "$work/lib/modules/$release/kernel/${file%/*}"
		ln -s "$tree/$file" "$work/lib/modules/$release/kernel/$file"
	done <"$tree/modules.order"
	cp "$tree"/modules.builtin* "$tree/modules.order" "$work/lib/modules/$release/" 2>/dev/null
	depmod -b "$work" "$release"
	mv -T "$work" "$module_root" 2>/dev/null || rm -rf "$work"
}

# Modules apart from the image or tree: a directory RELEASE with a modules.dep, wherever it
# is, or one above it that has lib/modules/RELEASE or RELEASE. Sets module_root, and release.
given_modules()
{
	local dir key
	dir=$(readlink -f "$modules")
	[ -d "$dir" ] || die 2 "--modules $modules: no such directory"
	[ ! -d "$dir/lib/modules" ] || dir=$(readlink -f "$dir/lib/modules")
	[ -z "$known_release" ] || [ ! -d "$dir/$known_release" ] || dir=$dir/$known_release
	[ -e "$dir/modules.dep" ] ||
		die 2 "--modules $modules: it is no lib/modules/${known_release:-RELEASE} with a modules.dep (depmod makes that)"
	release=${dir##*/}
	[ "${known_release:-$release}" = "$release" ] ||
		die 2 "--modules $modules: they are of $release, and $kernel is $known_release"
	known_release=$release
	if [[ $dir == */lib/modules/* ]]; then
		module_root=${dir%/lib/modules/*}
		module_root=${module_root:-/}
		return
	fi
	# modprobe takes no other place: a link to it.
	key=$(hash_of <<<"$dir")
	module_root=$CACHE/own/modules-$key
	cache_used "$module_root" && return
	make_room
	mkdir -p "$module_root/lib/modules"
	ln -sfn "$dir" "$module_root/lib/modules/$release"
}

# The release that a bzImage names in its setup header (kernel_version, 0x20e).
image_release() # BZIMAGE
{
	local offset
	offset=$(read_u16 "$1" $((0x20e)))
	[ "${offset:-0}" = 0 ] || dd if="$1" bs=1 skip=$((offset + 0x200)) count=64 2>/dev/null |
		tr '\0' '\n' | head -n 1 | cut -d' ' -f1
}

# 9p reads wrong data in Linux 6.9 to 6.11, and until 6.12-rc5, where be2ca3825372 removed
# the cause.
has_broken_9p() # RELEASE
{
	[[ $1 =~ ^6\.(9|10|11)([.-].*)?$|^6\.12(\.0)?-rc[1-4]([^0-9].*)?$ ]] &&
		[ "${IPCSCOPE_9P:-}" != works ]
}

# Whether the kernel has MODULE, built in or beside it; true where that cannot be known.
kernel_has() # MODULE OPTION
{
	local list=$module_root/lib/modules/$release
	if [ -n "$module_root" ]; then
		grep -qsE "(^|/)$1\.ko" "$list"/modules.{dep,builtin}
	elif [ -n "$tree" ] && [ -r "$tree/.config" ]; then
		grep -q "^CONFIG_$2=y" "$tree/.config"
	fi
}

# How the guest gets the host's files: 9p, which QEMU serves by itself, or virtiofs, which
# takes virtiofsd. Sets files, and virtiofsd where it is needed.
choose_files()
{
	local why='' place
	if has_broken_9p "$known_release"; then
		why="9p is broken in Linux 6.9 to 6.11 (until 6.12-rc5), and this is $known_release"
	elif ! kernel_has 9p 9P_FS; then
		why='this kernel has no 9p'
	elif [ "${IPCSCOPE_9P:-}" = no ]; then
		why='IPCSCOPE_9P=no'
	else
		return 0
	fi
	kernel_has virtiofs VIRTIO_FS ||
		die 125 "$why, and it has no virtiofs: build one of the two (9P_FS and NET_9P_VIRTIO, or VIRTIO_FS)"
	for place in /usr/libexec /usr/lib/qemu; do
		# shellcheck disable=SC2034 # vm/run's
		virtiofsd=$(PATH=$place:$PATH command -v virtiofsd) && break
	done || die 125 "$why, and virtiofsd is not found: install the Debian package virtiofsd (on Debian 12: qemu-system-common)"
	# shellcheck disable=SC2034
	files=virtiofs
	note "the host's files by virtiofs: $why"
}
