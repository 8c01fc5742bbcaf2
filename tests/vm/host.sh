#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What vm/run does before any guest runs: usage, the table, unpacking, and
# failures to start (QEMU missing, files that are no kernels).

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
run=$VM/run

usage() # NAME ARGUMENTS...
{
	check "usage: $1" 2 "$run" "${@:2}"
	equal "  in one line" "$(wc -l <"$scratch/err")" 1
}

usage 'no command'
usage 'no command after --' --
usage 'unknown option' --wat -- true
usage 'unknown kernel' --kernel 2.4 -- true
usage 'command without --' true
usage 'value missing' --kernel
usage 'smp 0' --smp 0 -- true
usage 'smp not a number' --smp two -- true
usage 'memory too small' --memory 3 -- true
usage 'memory too large' --memory 4000000 -- true
output_matches '  the limits are named' 'takes a number from 128 to 999999'
usage 'timeout not a number' --timeout 1.5x -- true
usage 'share is no directory' --share /dev/null -- true
usage 'share of everything' --share / -- true
usage 'allow-file missing' --allow-file "$scratch/none" -- true
usage 'no regular expression' --allow-splat '(' -- true
output_matches '  is named' "^vm/run: '\(' is no regular expression"
echo '^INFO: x' >"$scratch/allow"
usage 'a line of allow-file without a reason' --allow-file "$scratch/allow" -- true
usage 'log in no directory' --log "$scratch/none/log" -- true
usage 'dump in no directory' --dump "$scratch/none/dump" -- true
cp /bin/true "$scratch/program"
usage 'a program that the guest does not see' -- "$scratch/program"
output_matches 'the message says how to share it' "the guest has its own /tmp; use --share $scratch"
check 'a kernel that was not built' 125 "$run" --kernel "$scratch/none/bzImage" -- true
check '--help' 0 "$run" --help
output_matches 'shows the options' '--allow-splat REGEX' out
while read -r key; do
	output_matches "and the key $key" "^Keys.*: (.*, )?${key//./\\.}(,|\$)" out
done < <(awk '!/^#/ && NF { print $1 }' "$VM/kernels")
check 'fetch: unknown kernel' 2 "$VM/fetch" 2.4
check 'boots: no number' 2 "$VM/boots" many

check 'no QEMU' 125 env IPCSCOPE_QEMU=no-such-qemu "$run" -- true
output_matches 'names the package' 'qemu-system-x86'
echo 'not a kernel' >"$scratch/text"
check 'a file that is no kernel' 125 "$run" --kernel "$scratch/text" -- true
output_matches 'is reported' 'neither a bzImage nor an ELF'
mkdir "$scratch/tree"
check 'a tree that is not built' 125 "$run" --kernel "$scratch/tree" -- true
output_matches 'is reported' 'build it first'
echo 'Dir::Etc "/nonexistent";' >"$scratch/apt.conf"
check 'an empty apt configuration' 125 env IPCSCOPE_CACHE="$scratch/cache" \
	APT_CONFIG="$scratch/apt.conf" "$VM/fetch" 6.12
output_matches 'is reported' 'apt knows no Debian archive'
equal 'leaves no files' "$(find "$scratch/cache" -type f ! -name 'lock-*' 2>/dev/null; find "$scratch/cache/tmp" -mindepth 1 ! -name 'lock-*')" ''

# The table: four fields a row, keys unique, release expressions anchored by use.
equal 'every row has four fields' "$(awk '!/^#/ && NF && NF != 4' "$VM/kernels")" ''
equal 'keys are unique' "$(awk '!/^#/ && NF { print $1 }' "$VM/kernels" | sort | uniq -d)" ''
for key in 5.10 6.1 6.12 7.3; do
	equal "a row for $key" "$(awk -v k=$key '$1 == k' "$VM/kernels" | wc -l)" 1
done
equal 'all of vm/kernels: without the flavours' "$(bash -c '. "$1/lib.sh"; kernel_keys' - "$VM" | xargs)" '5.10 6.1 6.12 7.3'
equal 'with them' "$(bash -c '. "$1/lib.sh"; kernel_keys all' - "$VM" | xargs)" "$(awk '!/^#/ { print $1 }' "$VM/kernels" | xargs)"

# What a kernel of one's own lacks.
printf 'CONFIG_%s=y\n' 64BIT OVERLAY_FS >"$scratch/config"
check 'kconfig: a kernel that lacks much' 1 "$VM/kconfig" "$scratch/config"
output_matches 'by feature, with the line to add' '^boot: CONFIG_9P_FS=y$' out
check 'kconfig: what is there is not named' 1 grep -q 'OVERLAY_FS\|64BIT' "$scratch/out"
check 'kconfig: one feature' 1 "$VM/kconfig" --feature dump "$scratch/config"
equal 'of it alone' "$(cut -d: -f1 "$scratch/out" | sort -u)" dump
check 'kconfig: no such feature' 2 "$VM/kconfig" --feature x "$scratch/config"
for none in "$scratch/none" /bin/true; do
	check "kconfig: $none is no .config" 2 "$VM/kconfig" "$none"
	output_matches 'what it takes' 'it takes a \.config, the directory of a built tree, or a key of vm/kernels$'
done
equal 'kconfig: a line for each option' "$("$VM/kconfig" "$scratch/config" | sed 's/.*: //' | sort | uniq -d)" ''
check 'kconfig: two features that need one' 1 "$VM/kconfig" "$scratch/config"
output_matches 'are both named' '^bpf,kmod: CONFIG_FUNCTION_TRACER=y$' out
check 'kconfig: a kernel that is not in the cache' 2 env IPCSCOPE_CACHE="$scratch/none" "$VM/kconfig" 6.1
output_matches 'how to get it' 'run vm/fetch 6\.1'
mkdir -p "$scratch/configs/kernels/6.1.0"
echo 6.1.0 >"$scratch/configs/kernels/6.1.release"
cp "$scratch/config" "$scratch/configs/kernels/6.1.0/config"
check 'kconfig: a kernel of the table' 1 env IPCSCOPE_CACHE="$scratch/configs" "$VM/kconfig" 6.1
equal 'no option stands twice in a feature' "$(awk '/^## /{f=$2} /^CONFIG_/{print f, $0}' "$VM/kconfig.fragment" | sort | uniq -d)" ''
for config in "${IPCSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipcscope}"/kernels/*/config; do
	case $config in *-cloud-*) continue ;; esac	# without 9p
	[ ! -r "$config" ] || check "kconfig: ${config%/config} has all" 0 "$VM/kconfig" "$config"
done

# A bzImage made by hand: PAYLOAD as it is compressed, the unpacked size behind it where
# the compression has none of its own; it names its release.
u32() { printf "%b" "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)))"; }
make_image() # PAYLOAD OUT SIZE [RELEASE]
{
	local body=$1 out=$2 extra=0
	[ -z "${3:-}" ] || extra=4
	head -c 1024 /dev/zero >"$out"
	{ head -c 64 /dev/zero; cat "$body"; [ -z "${3:-}" ] || u32 "$3"; head -c 99 /dev/zero; } >>"$out"
	poke() { dd of="$out" bs=1 seek="$1" conv=notrunc 2>/dev/null; }
	printf '\001' | poke $((0x1f1))
	printf 'HdrS' | poke 514
	u32 $((0x180)) | head -c 2 | poke $((0x20e))
	printf '%s (x@y)\0' "${4:-6.1.0}" | poke $((0x380))
	u32 64 | poke $((0x248))
	u32 $(($(stat -c %s "$body") + extra)) | poke $((0x24c))
}

# extract_elf, one image for each compression.
(
	# shellcheck source=vm/lib.sh
	. "$VM/lib.sh"
	payload=$scratch/payload
	{ printf '\177ELF'; head -c 300000 /dev/urandom; } >"$payload"
	size=$(stat -c %s "$payload")
	for tool in gzip xz zstd lz4; do
		case $tool in
		gzip) gzip -nc "$payload" >"$scratch/body"; trailer='' ;;
		xz) xz -c --check=crc32 "$payload" >"$scratch/body"; trailer=$size ;;
		zstd) zstd -qc "$payload" >"$scratch/body"; trailer=$size ;;
		lz4) lz4 -qlc "$payload" >"$scratch/body"; trailer=$size ;;
		esac
		make_image "$scratch/body" "$scratch/image" "$trailer"
		rm -f "$scratch/elf"
		if extract_elf "$scratch/image" "$scratch/elf" && cmp -s "$payload" "$scratch/elf"; then
			echo "ok $tool"
		fi
		truncate -s $(($(stat -c %s "$scratch/image") / 2)) "$scratch/image"
		rm -f "$scratch/elf"
		if ! extract_elf "$scratch/image" "$scratch/elf" && [ ! -e "$scratch/elf" ]; then
			echo "ok $tool cut"
		fi
	done
) >"$scratch/out" 2>"$scratch/err"
for tool in gzip xz zstd lz4; do
	output_matches "extract_elf: $tool" "^ok $tool\$" out
	output_matches "extract_elf: $tool, cut short, is refused" "^ok $tool cut\$" out
done

# ---- the cache ---------------------------------------------------------------------

own() # ARGUMENTS... of vm/run
{
	env IPCSCOPE_CACHE="$scratch/own" IPCSCOPE_ACCEL=tcg IPCSCOPE_QEMU="$scratch/qemu" "$run" "$@"
}

mkdir -p "$scratch/old"/{kernels/{1.0,2.0},own/{used,unused},roots/r,tmp/left}
echo 2.0 >"$scratch/old/kernels/5.10.release"
head -c 3000000 /dev/zero >"$scratch/old/roots/r/big"
touch -d '90 days ago' "$scratch/old"/{kernels/{1.0,2.0},own/unused,tmp/left}
check 'cache: list' 0 env IPCSCOPE_CACHE="$scratch/old" "$run" --cache list
output_matches 'the size, the age, the use' '^ +2\.9 MB +0 days +roots/r' out
output_matches 'which kernel' '90 days +kernels/2\.0 +kernel 5\.10' out
check 'cache: prune' 0 env IPCSCOPE_CACHE="$scratch/old" "$run" --cache prune
equal 'what is used or has a row stays' "$(cd "$scratch/old" && echo kernels/*/ own/* roots/* tmp/*)" \
	'kernels/2.0/ own/used roots/r tmp/lock-room'
mkdir "$scratch/old/own/later" && touch -d '90 days ago' "$scratch/old/own/later"
IPCSCOPE_CACHE=$scratch/old bash -c '. "$1/lib.sh"; make_room' bash "$VM"
equal 'by itself at most once a day' "$(ls "$scratch/old/own")" "later
used"
touch -d '2 days ago' "$scratch/old/tmp/lock-room"
IPCSCOPE_CACHE=$scratch/old bash -c '. "$1/lib.sh"; make_room' bash "$VM"
equal 'and after a day' "$(ls "$scratch/old/own")" used
exec {held}>"$scratch/old/tmp/lock-use"
flock -s "$held"
check 'cache: clear while a guest runs' 125 env IPCSCOPE_CACHE="$scratch/old" "$run" --cache clear
output_matches 'is refused' 'uses the cache: end it first'
exec {held}>&-
check 'cache: clear' 0 env IPCSCOPE_CACHE="$scratch/old" "$run" --cache clear
equal 'nothing is left' "$(find "$scratch/old" -mindepth 2 ! -name 'lock-*')" ''
check 'cache: no such command' 2 "$run" --cache burn

# A tree of one's own: what is in the cache is links.
mkdir -p "$scratch/built"/{include/config,drivers}
printf '\177ELF' >"$scratch/built/vmlinux"
head -c 1000000 /dev/zero >"$scratch/built/drivers/a.ko"
echo 6.6.1 >"$scratch/built/include/config/kernel.release"
echo drivers/a.o >"$scratch/built/modules.order"
check 'modules of a built tree' 0 own --kernel "$scratch/built" --fetch-only
equal 'are links' "$(find "$scratch/own" -type l -name a.ko -exec readlink {} +)" "$scratch/built/drivers/a.ko"

# An image's modules, apart from it.
mkdir -p "$scratch/root/lib/modules"/{6.6.1,6.6.2}
touch "$scratch/root/lib/modules/6.6.1/modules.dep"
check 'modules of an image' 0 own --kernel "$scratch/built/vmlinux" \
	--modules "$scratch/root/lib/modules/6.6.1" --fetch-only
mkdir -p "$scratch/elsewhere/6.6.1"
touch "$scratch/elsewhere/6.6.1/modules.dep"
check 'modules in a directory of another name' 0 own --kernel "$scratch/built/vmlinux" \
	--modules "$scratch/elsewhere/6.6.1" --fetch-only
check 'modules of a tree, above its release' 0 own --kernel "$scratch/built" \
	--modules "$scratch/elsewhere" --fetch-only
check 'modules in no directory' 2 own --kernel "$scratch/built/vmlinux" --modules "$scratch/none" --fetch-only
output_matches 'that is said' '^vm/run: --modules .*/none: no such directory$'
for wrong in root root/lib/modules root/lib/modules/6.6.2 built; do
	check "modules in $wrong" 2 own --kernel "$scratch/built/vmlinux" --modules "$scratch/$wrong" --fetch-only
	output_matches 'what is missing' '^vm/run: --modules .*it is no lib/modules/RELEASE with a modules\.dep'
done
touch "$scratch/root/lib/modules/6.6.2/modules.dep"
check 'modules of another release' 2 own --kernel "$scratch/built" \
	--modules "$scratch/root/lib/modules/6.6.2" --fetch-only
output_matches 'which' 'they are of 6\.6\.2, and .*/built is 6\.6\.1'
usage 'modules of a kernel of the table' --kernel 6.12 --modules "$scratch/root" -- true

# 9p or virtiofs: Linux 6.9 to 6.11 by the tree's release or by the image's own.
printf '#!/bin/sh\nexit 1\n' | tee "$scratch/virtiofsd" >"$scratch/qemu"
chmod +x "$scratch/qemu" "$scratch/virtiofsd"
by() # how the last run of `own` gave the files
{
	if grep -q "^vm/run: the host's files by virtiofs: " "$scratch/err"; then
		echo virtiofs
	else
		echo 9p
	fi
}
try() # KERNEL: its boot fails
{
	checking=1
	# shellcheck disable=SC2031
	PATH=$scratch:$PATH own --kernel "$1" -- true >"$scratch/out" 2>"$scratch/err"
	checking=
}
while read -r release files; do
	make_image "$scratch/built/vmlinux" "$scratch/image" '' "$release"
	try "$scratch/image"
	equal "the files of an image of $release" "$(by)" "$files"
done <<'END'
6.8.12-amd64 9p
6.9 virtiofs
6.9.7-amd64 virtiofs
6.10.0-rc3+ virtiofs
6.11.10 virtiofs
6.12.0-rc4 virtiofs
6.12.0-rc5 9p
6.12.0-rc10 9p
6.12.9 9p
6.1.110 9p
END
make_image "$scratch/built/vmlinux" "$scratch/image" '' 6.10.1
try "$scratch/image"
output_matches 'why, in one line' "^vm/run: the host's files by virtiofs: 9p is broken in Linux 6.9 to 6.11 .* this is 6.10.1"
IPCSCOPE_9P=works try "$scratch/image"
equal '9p in one with the fix' "$(by)" 9p

# A tree: what it has built in or as modules.
files_of() # RELEASE MODULES.DEP [.config]
{
	mkdir -p "$scratch/modules/lib/modules/$1"
	printf '%s\n' "$2" >"$scratch/modules/lib/modules/$1/modules.dep"
	rm -f "$scratch/built/.config"
	[ -z "${3:-}" ] || printf '%s\n' "$3" >"$scratch/built/.config"
	# shellcheck disable=SC2016,SC2031
	PATH=$scratch:$PATH bash -c '
		. "$1/lib.sh" && . "$1/kernel.sh"
		release=$2 known_release=$2 tree="" module_root=$3/modules
		[ ! -e "$3/built/.config" ] || tree=$3/built module_root=""
		choose_files && echo "$files"' bash "$VM" "$1" "$scratch" 2>"$scratch/err"
}
equal 'modules: both' "$(files_of 6.6.1 'kernel/fs/9p/9p.ko: kernel/fs/fuse/virtiofs.ko:')" 9p
equal 'modules: both, compressed' "$(files_of 6.6.1 'kernel/fs/9p/9p.ko.xz: kernel/fs/fuse/virtiofs.ko.xz:')" 9p
equal 'modules: no 9p' "$(files_of 6.6.1 'kernel/fs/fuse/virtiofs.ko:')" virtiofs
output_matches 'is said' 'this kernel has no 9p$'
equal 'modules: a broken 9p' "$(files_of 6.9.1 'kernel/fs/9p/9p.ko: kernel/fs/fuse/virtiofs.ko:')" virtiofs
equal 'modules: none of the two' "$(files_of 6.6.1 'kernel/fs/xfs/xfs.ko:')" ''
output_matches 'the options are named' 'this kernel has no 9p, and it has no virtiofs: build one of the two \(9P_FS'
equal 'built in: both' "$(files_of 6.6.1 '' $'CONFIG_9P_FS=y\nCONFIG_VIRTIO_FS=y')" 9p
equal 'built in: no 9p' "$(files_of 6.6.1 '' $'# CONFIG_9P_FS is not set\nCONFIG_VIRTIO_FS=y')" virtiofs
rm -f "$scratch/built/.config"

# A disk and a memory that are too small.
mkdir "$scratch/bin"
printf '#!/bin/sh\nprintf "Filesystem 1M-blocks Used Available\\nx 9 5 4\\n"\n' >"$scratch/bin/df"
chmod +x "$scratch/bin/df"
# shellcheck disable=SC2031
check 'no space for a kernel' 125 env PATH="$scratch/bin:$PATH" IPCSCOPE_CACHE="$scratch/none" "$run" --kernel 6.1 -- true
equal 'one line' "$(cat "$scratch/err")" \
	"vm/run: no space: the cache $scratch/none has 4 MB free, and this takes 800 (vm/run --cache list)"
printf '#!/bin/sh\necho "qemu: cannot set up guest memory: Cannot allocate memory" >&2; exit 1\n' >"$scratch/qemu"
check 'not enough memory' 125 own --kernel "$scratch/built/vmlinux" -- true
equal 'one line' "$(cat "$scratch/err")" 'vm/run: this host has not enough memory for the guest: give it less (--memory MIB)'

# A QEMU that ends without a word: the image cannot be booted so, unless it was killed.
printf '\177ELF%1000s' x | gzip -nc >"$scratch/body"
make_image "$scratch/body" "$scratch/image"
printf '#!/bin/sh\nkill -9 $$\n' >"$scratch/qemu"
chmod +x "$scratch/qemu"
check 'a QEMU that is killed' 125 own --kernel "$scratch/image" -- true
output_matches 'is reported' 'QEMU was ended by signal 9'
equal 'its kernel is not marked' "$(find "$scratch/own" -name unbootable)" ''
printf '#!/bin/sh\nexit 0\n' >"$scratch/qemu"
check 'a QEMU that gives up' 125 own --kernel "$scratch/image" -- true
equal 'the ELF is not tried again' "$(find "$scratch/own" -name unbootable | wc -l)" 1
find "$scratch/own/own" -name vmlinux.elf -delete
check 'an ELF that was not unpacked to its end' 0 own --kernel "$scratch/image" --fetch-only
equal 'is unpacked again' "$(find "$scratch/own/own" -name vmlinux.elf | wc -l)" 1

# An image that was not copied to its end, of each kind.
truncate -s 1100 "$scratch/image"
cp "$(readlink -f /bin/true)" "$scratch/elf" && truncate -s 10000 "$scratch/elf"
for image in image elf; do
	check "a truncated $image" 125 own --kernel "$scratch/$image" -- true
	equal '  one line' "$(cat "$scratch/err")" "vm/run: $scratch/$image: truncated image"
done
make_image "$scratch/body" "$scratch/image"

# gdb: QEMU listens on a socket, the line names it, and it goes with the guest.
cat >"$scratch/qemu" <<'END'
#!/bin/bash
while [ $# -gt 0 ]; do
	[ "$1" != -gdb ] || { socket=${2#unix:}; socket=${socket%%,*}; : >"$socket"; echo "listens at $socket"; }
	[ "$1" != -append ] || echo "boots with $2"
	shift
done
END
check 'gdb: a QEMU that ends' 125 own --gdb --kernel "$scratch/image" -- true
output_matches 'the line for gdb' "^vm/run: gdb '.*' -ex 'target remote $scratch/own/tmp/gdb\..*/socket'"
output_matches 'QEMU has its socket' '^listens at '
output_matches 'the kernel lies where its vmlinux says' '^boots with .* nokaslr'
equal 'the socket is removed' "$(find "$scratch/own/tmp" -name 'gdb.*')" ''
summary
