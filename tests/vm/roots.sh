#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What kmod/build does where no build root can be entered, by an unshare(1) that
# refuses all: one line, before anything is downloaded; KDIR still works.

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mkdir "$scratch/bin" "$scratch/cache" "$scratch/tree"
printf '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n' >"$scratch/bin/unshare"
chmod +x "$scratch/bin/unshare"
refused() # COMMAND...
{
	env PATH="$scratch/bin:$PATH" IPCSCOPE_CACHE="$scratch/cache" \
		IPCSCOPE_HEADERS="$scratch/src" "$@"
}
one_line() # NAME
{
	equal "$1: in one line" "$(wc -l <"$scratch/err")" 1
	equal "$1: nothing was downloaded" "$(find "$scratch/cache" -type f ! -path '*/tmp/lock-*')" ''
}

for key in 5.10 6.1 6.12 7.3 debug; do
	check "no way into a root, $key" 125 refused "$TOP/kmod/build" --out "$scratch/out-$key" $key
	output_matches "$key: what is missing, what helps, what was said" \
		'^kmod/build: cannot enter a build root: .*; fix: .*\(unshare: .*not permitted'
	one_line "$key"
done
output_matches 'what tests/limits/allowed waits for' \
	"$(sed -n 's/ # .*//; /build root/p' "$TOP/tests/limits/allowed")"
check 'no way into a root: vm/debug-kernel' 125 refused "$VM/debug-kernel"
output_matches 'what is missing' '^vm/debug-kernel: cannot enter a build root: .*; fix: '
one_line 'vm/debug-kernel'

# Headers or a tree of one's own are used as they are.
# shellcheck disable=SC2016 # make's
printf 'test.o:\n\t@:\nmodules:\n\t@echo built >$(M)/ipcscope.ko\n' >"$scratch/tree/Makefile"
check 'no way into a root: KDIR' 0 refused "$TOP/kmod/build" --out "$scratch/own" "$scratch/tree"
equal 'KDIR: has built it' "$(cat "$scratch/own/ipcscope.ko")" built

# So are headers that are installed here for the very release that vm/run boots.
mkdir -p "$scratch/src" "$scratch/cache/kernels/6.1.0-1-amd64"
cp -r "$scratch/tree" "$scratch/src/linux-headers-6.1.0-1-amd64"
echo 6.1.0-1-amd64 >"$scratch/cache/kernels/6.1.release"
: >"$scratch/cache/kernels/6.1.0-1-amd64/complete"
check 'no way into a root: installed headers' 0 refused "$TOP/kmod/build" --out "$scratch/installed" 6.1
output_matches 'installed headers: it says so' "using the installed $scratch/src/linux-headers-6.1.0-1-amd64"
equal 'installed headers: have built it' "$(cat "$scratch/installed/ipcscope.ko")" built
check 'no way into a root: headers of another row' 125 \
	refused "$TOP/kmod/build" --out "$scratch/out-6.12" 6.12
summary
