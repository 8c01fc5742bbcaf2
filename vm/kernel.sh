# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What vm/run boots: a kernel of vm/kernels, a lone image, or a built tree with its
# modules. Needs vm/lib.sh.

# Sets release, module_root, tree (a kernel of one's own: its built tree) and images:
# what to boot, best first.
find_kernel()
{
	local dir
	unbootable_mark='' tree=''
	# shellcheck disable=SC2154 # vm/run's option
	if [ -n "$(kernel_row "$kernel")" ]; then
		# In a subshell, which ends its traps and locks.
		release=$(cached_kernel "$kernel") || {
			(fetch_kernel "$kernel") || exit
			release=$(cached_kernel "$kernel") || die 125 "kernel $kernel: not in the cache"
		}
		dir=$CACHE/kernels/$release
		module_root=$dir
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
	module_root='' release='' tree=''
	if [ -d "$image" ]; then
		tree=$image
		for image in "$tree/arch/x86/boot/bzImage" "$tree/vmlinux"; do
			[ -f "$image" ] && break
		done
		[ -f "$image" ] || die 125 "$kernel has no arch/x86/boot/bzImage and no vmlinux: build it first"
		check_config "$tree"
		own_modules "$tree"
		refuse_broken_9p "$release"
	else
		release=own
		! is_bzimage "$image" || refuse_broken_9p "$(image_release "$image")"
	fi
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
	[ -r "$tree/include/config/kernel.release" ] ||
		die 125 "$tree has no include/config/kernel.release: build it first"
	read -r release <"$tree/include/config/kernel.release"
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

# The release that a bzImage names in its setup header (kernel_version, 0x20e).
image_release() # BZIMAGE
{
	local offset
	offset=$(read_u16 "$1" $((0x20e)))
	[ "${offset:-0}" = 0 ] || dd if="$1" bs=1 skip=$((offset + 0x200)) count=64 2>/dev/null |
		tr '\0' '\n' | head -n 1 | cut -d' ' -f1
}

# Through 9p come all the files of a guest. It reads wrong data in Linux 6.9 to 6.11, and
# until 6.12-rc5, where be2ca3825372 removed the cause.
refuse_broken_9p() # RELEASE
{
	[[ $1 =~ ^6\.(9|10|11)([.-].*)?$|^6\.12(\.0)?-rc[1-4]([^0-9].*)?$ ]] || return 0
	[ "${IPCSCOPE_9P:-}" != works ] || return 0
	die 125 "9p is broken in Linux 6.9 to 6.11 (until 6.12-rc5), and this is $1: apply be2ca3825372 and set IPCSCOPE_9P=works"
}
