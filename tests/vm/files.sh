#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm/run where the guest gets the host's files by virtiofs: shares, what it cannot write,
# and what is left of a run. Usage: files.sh [KEY]: 6.12, as if it had no 9p, or a kernel
# that has none, as 6.12-cloud.

# shellcheck disable=SC2016 # most of the code here is for the guest's shell
# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kernel=${1:-6.12}
export IPCSCOPE_9P=no
"$VM/run" --kernel "$kernel" --fetch-only || exit

# shellcheck disable=SC2317 # check calls it
guest() # ARGUMENTS... of vm/run
{
	"$VM/run" --kernel "$kernel" --timeout 300 "$@"
}

# virtiofsd and QEMU processes that this vm/run started.
children_of() # PID
{
	pgrep -P "$1" -f 'virtiofsd|isa-debug-exit' | xargs
}

# Where it cannot work, with the reason; and what vm/run says of KVM in its first run.
guest -- true || exit
mkdir "$scratch/share" "$scratch/second"
echo from-host >"$scratch/share/in"
check 'the files by virtiofs' 7 guest --share "$scratch/share" --share "$scratch/second" -- sh -c '
	cd "$1/share" && cat in && head -c 3000000 /dev/urandom >big && sha256sum <big &&
	mkdir d && echo deep >d/f && mv d/f d/g && ln -s g d/l && echo 2 >"$1/second/f" &&
	mkdir /tmp/root && mount -t virtiofs root /tmp/root && [ -e /tmp/root/etc/passwd ] || exit
	touch "/tmp/root$1/share/x" 2>&1 | sed "s/.*: //"
	touch "/tmp/root$1/x" && exit 1
	modprobe loop && [ -b /dev/loop0 ] || [ -e /dev/loop-control ] && exit 7' sh "$scratch"
equal 'said in one line' "$(grep -v '^touch: ' "$scratch/err" | sed 's/: [^:]*$//')" \
	"vm/run: the host's files by virtiofs"
equal 'shares are written' "$(printf 'from-host\n'; sha256sum <"$scratch/share/big"; echo 'Read-only file system')" \
	"$(cat "$scratch/out")"
equal 'their directories too' "$(cat "$scratch/share/d/l" "$scratch/second/f")" "deep
2"
equal 'and nothing else' "$(cd "$scratch" && echo *)" 'err out second share'

check 'a panic' 126 guest -- sh -c 'echo c >/proc/sysrq-trigger'
output_matches 'shows the line' 'splat: panic: .*sysrq triggered crash'

"$VM/run" --kernel "$kernel" --share "$scratch/share" -- sh -c 'echo up; sleep 1000' \
	>"$scratch/up" 2>"$scratch/up.err" &
pid=$!
for ((i = 0; i < 1200; i++)); do
	[ ! -s "$scratch/up" ] || break
	sleep 0.1
done
children=$(children_of $pid)
equal 'a virtiofsd for the root, one for the share, QEMU' "$(wc -w <<<"$children")" 3
kill -KILL $pid
wait $pid 2>/dev/null
sleep 0.5
# shellcheck disable=SC2086 # a list
equal 'SIGKILL of vm/run ends all of them' "$(ps -o stat=,args= -p ${children// /,} | grep -v '^Z')" ''

check 'an absent virtiofsd' 125 env PATH="$scratch/bin:$PATH" bash -c '
	. "$1/lib.sh"; . "$1/kernel.sh"
	kernel_has() { [ "$1" != 9p ]; }
	command() { [ "$2" != virtiofsd ] && builtin command "$@"; }
	known_release=6.12.1 module_root= tree= release=
	IPCSCOPE_9P=; choose_files' bash "$VM"
output_matches 'names the package' "^vm/run: this kernel has no 9p, and virtiofsd is not found: install the Debian package virtiofsd"
summary
