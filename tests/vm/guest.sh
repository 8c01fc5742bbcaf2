#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm/run with real guests. Usage: guest.sh [KEY...] (default: 6.12; the first
# key gets every case, the others the basic ones).

# shellcheck disable=SC2016 # most of the code here is for the guest's shell
# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -gt 0 ] || set -- 6.12
run=$VM/run
kernel=$1
# Its message about KVM appears in the first run only: do that run here.
"$run" --kernel "$kernel" -- true >/dev/null 2>&1

guest() # ARGUMENTS... of vm/run
{
	"$run" --kernel "$kernel" --timeout 120 "$@"
}

# QEMU processes that this vm/run started.
qemu_pids_of() # PID
{
	pgrep -P "$1" -f isa-debug-exit
}

# A guest that sleeps, in the background. Returns, with `pid`, when its command runs:
# before that, what is sent to vm/run finds a shell script that prepares the guest.
start_guest() # OPTIONS...
{
	rm -f "$scratch/up"   # what the last one wrote is no sign of this one
	"$run" --kernel "$kernel" "$@" -- sh -c 'echo up; sleep 1000' >"$scratch/up" 2>"$scratch/up.err" &
	pid=$!
	for _ in $(seq 1200); do
		[ ! -s "$scratch/up" ] || return 0
		sleep 0.1
	done
	not_ok 'a guest comes up' 'not in 120 s'
}

basic()
{
	check "$kernel: status 0, output, the right kernel" 0 guest -- uname -r
	output_matches "$kernel: is $kernel" "^${kernel//./\\.}\\." out
	equal "$kernel: nothing else on stderr" "$(cat "$scratch/err")" ''
	check "$kernel: the environment that a tracer needs" 7 guest --env 'IPCSCOPE_T=a b' -- bash -c '
		[ "$IPCSCOPE_T" = "a b" ] && [ "$PWD" = "'"$PWD"'" ] && [ "$(id -u)" = 0 ] &&
		[ -e /sys/kernel/btf/vmlinux ] && [ -d /sys/kernel/tracing/events/signal ] &&
		[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ] && [ -e /sys/fs/cgroup/cgroup.procs ] &&
		[ -d /sys/kernel/debug/block ] && [ -d /dev/mqueue ] && [ "$(ulimit -l)" = unlimited ] &&
		grep -q " T do_exit" /proc/kallsyms && ! grep -q "^0000000000000000 T do_exit" /proc/kallsyms &&
		[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -lt 1 ] && ping -c1 -W5 127.0.0.1 >/dev/null 2>&1 ||
			! command -v ping >/dev/null && touch /usr/bin/x /tmp/x /run/x && [ -c /dev/pts/ptmx ] &&
		modprobe loop && [ -e /dev/loop0 ] && ! read -r _ && exit 7'
	[ ! -e /usr/bin/x ] || not_ok "$kernel: the host's root is read-only" 'the guest wrote /usr/bin/x'
}

full()
{
	local status pid qemu socket i
	for status in 1 77 124 255; do
		check "status $status" $status guest -- sh -c "exit $status"
	done
	check 'SIGTERM is 143' 143 guest -- sh -c 'kill -TERM $$'
	check 'SIGKILL is 137' 137 guest -- sh -c 'kill -KILL $$'
	check 'no such command' 127 guest -- no-such-command
	check 'not executable' 126 guest -- /etc/passwd
	check 'one processor' 0 guest --smp 1 -- sh -c 'test "$(nproc)" = 1'
	check 'three processors, 512 MiB' 0 guest --smp 3 --memory 512 -- sh -c 'test "$(nproc)" = 3'
	check 'icount: one processor' 0 guest --icount -- sh -c 'test "$(nproc)" = 1'
	check 'icount: two processors' 0 guest --icount --smp 2 -- sh -c 'test "$(nproc)" = 2'

	check 'stdout and stderr apart' 0 guest -- sh -c 'echo out; echo err >&2'
	equal 'stdout' "$(cat "$scratch/out")" out
	equal 'stderr' "$(cat "$scratch/err")" err
	check '10 MB, binary' 0 guest -- sh -c 'head -c 10000000 /dev/urandom >/tmp/x; sha256sum </tmp/x >&2; cat /tmp/x'
	equal '10 MB arrive as they were' "$(sha256sum <"$scratch/out")" "$(cat "$scratch/err")"
	check 'line ends and control bytes' 0 guest -- printf 'a\r\nb\nc\0d\033\004\021\023e'
	equal 'arrive as they are' "$(od -An -tx1 "$scratch/out" | tr -d ' \n')" \
		"$(printf 'a\r\nb\nc\0d\033\004\021\023e' | od -An -tx1 | tr -d ' \n')"
	guest -- sh -c 'seq 1 400000' 2>"$scratch/err" | { sleep 4; cat; } | tail -n 1 >"$scratch/out"
	equal 'a slow reader gets all' "$(cat "$scratch/out")" 400000
	check 'a background process' 3 guest -- sh -c 'sleep 1000 & echo x; exit 3'
	equal 'does not hold its output up' "$(cat "$scratch/out")" x
	check 'arguments as they are' 0 guest -- printf '%s|' 'a b' '' '$x' '*' "it's" 'new
line'
	equal 'quoted' "$(cat "$scratch/out")" "a b||\$x|*|it's|new
line|"

	mkdir "$scratch/share" "$scratch/second"
	echo from-host >"$scratch/share/in"
	check 'share: written' 0 guest --share "$scratch/share" --share "$scratch/second" -- sh -c \
		"cd $scratch/share && cat in && head -c 3000000 /dev/urandom >big && sha256sum <big && mkdir d && echo deep >d/f && echo 2 >$scratch/second/f"
	equal 'share: complete' "$(printf 'from-host\n'; sha256sum <"$scratch/share/big")" "$(cat "$scratch/out")"
	equal 'share: directories' "$(cat "$scratch/share/d/f" "$scratch/second/f")" "deep
2"
	echo 'kept?' >"$scratch/host-file"
	check 'without a share nothing comes back' 0 guest -- sh -c "mkdir -p $scratch; echo no >$scratch/host-file"
	equal 'the host keeps its file' "$(cat "$scratch/host-file")" 'kept?'

	check 'timeout' 124 "$run" --kernel "$kernel" --timeout 3 -- sh -c 'echo first; sleep 1000'
	equal 'what came before it is shown' "$(cat "$scratch/out")" first
	check 'power off without a verdict' 125 guest -- sh -c 'echo o >/proc/sysrq-trigger; sleep 100'
	output_matches 'is reported' 'without a verdict'
	check 'no /init: panic before the command' 125 guest --verdict "$scratch/verdict" \
		--append rdinit=/nonexistent -- true
	equal 'the verdict names it' "$(cut -d' ' -f2 "$scratch/verdict")" reason=boot-panic
	output_matches 'the console is shown from the panic on' '^\[ *[0-9.]+\] Kernel panic - not syncing'
	check 'a kernel that stands still after it' 125 guest --verdict "$scratch/verdict" --boot-timeout 600 \
		--append 'rdinit=/nonexistent panic=0' -- true
	equal 'the verdict names the panic, too' "$(cut -d' ' -f2 "$scratch/verdict")" reason=boot-panic
	check 'too little time to boot' 125 "$run" --kernel "$kernel" --verdict "$scratch/verdict" \
		--boot-timeout 1 -- true
	equal 'the verdict names it' "$(cut -d' ' -f2 "$scratch/verdict")" reason=boot-timeout
	output_matches 'is reported' 'did not start within 1 s'
	{ printf '\177ELF'; head -c 100000 /dev/zero; } >"$scratch/cut"
	check 'a broken kernel' 125 "$run" --kernel "$scratch/cut" --boot-timeout 20 -- true
	local cached=${IPCSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ipcscope}/kernels release
	release=$(cat "$cached/$kernel.release")
	# Its code is gone, its headers are there.
	cp "$cached/$release/vmlinux.elf" "$scratch/damaged"
	dd if=/dev/zero of="$scratch/damaged" bs=1M seek=2 count=12 conv=notrunc 2>/dev/null
	check 'a damaged kernel' 125 "$run" --kernel "$scratch/damaged" --boot-timeout 5 --dump "$scratch/dump" -- true
	output_matches 'is reported' 'did not start within 5 s and printed nothing'
	[ ! -e "$scratch/dump" ] || not_ok 'no dump of it' "$(ls -l "$scratch/dump")"

	check 'panic' 126 guest -- sh -c 'echo before; echo c >/proc/sysrq-trigger'
	output_matches 'shows the line' 'splat: panic: .*sysrq triggered crash'
	output_matches 'and the call trace' 'write_sysrq_trigger\+'
	check 'panic: the dump, the log, the verdict' 126 guest --memory 256 --dump "$scratch/dump" \
		--log "$scratch/log" --verdict "$scratch/verdict" -- sh -c 'echo c >/proc/sysrq-trigger'
	equal 'the verdict names it' "$(sed 's/ boot_ms=[0-9]* command_ms=[0-9]*$//' "$scratch/verdict")" \
		'code=126 reason=panic'
	equal 'the log begins with the kernel' "$(grep -c 'Linux version' "$scratch/log")" 1
	equal 'crash and drgn find the kernel in the dump' \
		"$(readelf -n "$scratch/dump" | grep -Ec '^  (VMCOREINFO|CORE) ')" 3
	# The console, while vm/run is not scheduled.
	: >"$scratch/up"
	"$run" --kernel "$kernel" --append printk.devkmsg=on --log "$scratch/log" -- sh -c 'echo up; sleep 1
		for i in $(seq 200); do echo "<4>mark $i of a console that is not read" >/dev/kmsg; done; sleep 1' \
		>"$scratch/up" 2>&1 &
	pid=$!
	for ((i = 0; i < 1200; i++)); do
		[ ! -s "$scratch/up" ] || break
		sleep 0.1
	done
	kill -STOP "$pid"
	sleep 5
	kill -CONT "$pid"
	wait "$pid"
	equal 'a console that is read late is complete' \
		"$(grep -c '\] mark [0-9]* of a console that is not read.$' "$scratch/log")" 200
	check 'a log on a full disk' 0 guest --log /dev/full -- true
	output_matches 'is reported' 'the file of --log is not complete'
	check 'a command that hangs: the same' 124 "$run" --kernel "$kernel" --memory 256 --timeout 2 \
		--dump "$scratch/dump" --log "$scratch/log" --verdict "$scratch/verdict" -- sleep 1000
	equal 'the verdict names it' "$(cut -d' ' -f2 "$scratch/verdict")" reason=timeout
	output_matches 'where the stacks are is said' 'within 2 s \(the stacks of all tasks are in the file of --log\)'
	equal 'the log has its stack' "$(grep -A9 'task:sleep ' "$scratch/log" | grep -c 'do_nanosleep+')" 1
	equal 'its memory is there' "$(readelf -n "$scratch/dump" | grep -c '^  VMCOREINFO ')" 1
	check 'no dump of a guest that ends well' 3 guest --dump "$scratch/dump" -- sh -c 'exit 3'
	[ ! -e "$scratch/dump" ] || not_ok 'none is left' "$(ls -l "$scratch/dump")"
	local mode
	for mode in integrity confidentiality; do
		check "lockdown=$mode: the status arrives" 5 guest --append "lockdown=$mode" -- sh -c 'exit 5'
	done
	local warning='WARNING: CPU: 0 PID: 1 at fs/x.c:1 x+0x1/0x2'
	check 'a warning, though the command passed' 126 guest -- sh -c "echo '$warning' >/dev/kmsg; echo fine"
	equal 'its output is there' "$(cat "$scratch/out")" fine
	check 'the same, allowed' 4 guest --allow-splat 'at fs/x\.c:' -- sh -c "echo '$warning' >/dev/kmsg; exit 4"
	check 'another one allowed' 126 guest --allow-splat 'at fs/y\.c:' -- sh -c "echo '$warning' >/dev/kmsg; exit 4"
	check 'cleared from the log, still seen' 126 guest -- sh -c "echo '$warning' >/dev/kmsg; dmesg -C"
	check 'a hung task, for real' 126 guest -- bash -c '
		sysctl -qw kernel.hung_task_timeout_secs=2 kernel.hung_task_check_interval_secs=1
		truncate -s 32M /tmp/image && mkfs.ext4 -q /tmp/image && mkdir /tmp/m &&
		mount -o loop /tmp/image /tmp/m && fsfreeze -f /tmp/m || exit 1
		touch /tmp/m/x & sleep 8'
	output_matches 'is named' 'splat: hung-task: .*touch:'

	start_guest --timeout 120
	qemu=$(qemu_pids_of "$pid")
	equal 'a guest runs' "$(wc -w <<<"$qemu")" 1
	kill -TERM "$pid"
	wait "$pid"
	equal 'SIGTERM ends the run' $? 143
	equal 'and is named' "$(cat "$scratch/up.err")" 'vm/run: interrupted by SIGTERM'
	equal 'and the guest' "$(ps -o pid= -p "${qemu:-0}")" ''

	start_guest
	qemu=$(qemu_pids_of "$pid")
	kill -INT "$pid"
	wait "$pid"
	equal 'Ctrl-C is 130' $? 130
	equal 'and no QEMU stays' "$(ps -o pid= -p "${qemu:-0}")" ''

	start_guest
	qemu=$(qemu_pids_of "$pid")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	sleep 0.3
	equal 'SIGKILL of vm/run ends QEMU too' "$(ps -o pid= -p "${qemu:-0}" -o stat= | grep -v Z)" ''

	start_guest --gdb
	socket=$(sed -n "s/.*target remote \([^']*\)'.*/\1/p" "$scratch/up.err")
	check 'gdb: the guest stands still and answers' 0 python3 -c '
import socket, sys
stub = socket.socket(socket.AF_UNIX)
stub.settimeout(60)
stub.connect(sys.argv[1])
stub.sendall(b"+$?#3f")
answer = b""
while answer.count(b"#") < 1:
    answer += stub.recv(100)
sys.exit(b"$T0" not in answer)' "$socket"
	kill -TERM "$pid"
	wait "$pid"
	equal 'gdb: its socket is removed' "$(ls "${socket%/*}" 2>/dev/null)" ''

	if command -v script >/dev/null; then
		check 'a terminal' 5 script -qec "stty rows 31 cols 97; $VM/shell --kernel $kernel -- sh -c 'tty; stty size; exit 5'" /dev/null
		output_matches 'with the size of this one' '^31 97' out
	fi
	check '--tty without a terminal' 2 guest --tty -- true

	check 'an image and its modules, as a distribution has them' 0 "$run" --timeout 60 \
		--kernel "$cached/$release/vmlinuz" --modules "$cached/$release/lib/modules/$release" -- \
		sh -c 'modprobe dummy && uname -r'
	equal 'its release' "$(cat "$scratch/out")" "$release"
	mkdir "$scratch/elsewhere" && cp -r "$cached/$release/lib/modules/$release" "$scratch/elsewhere/"
	check 'its modules in a directory that is not lib/modules' 0 "$run" --timeout 60 \
		--kernel "$cached/$release/vmlinuz" --modules "$scratch/elsewhere/$release" -- \
		sh -c 'modprobe dummy && uname -r'

	check 'build roots are entered in every way' 0 guest --timeout 500 -- "$HERE/entry"
	equal 'all of them' "$(grep -c '^ok' "$scratch/out")" 6

	mkdir "$scratch/clone" && cp -r "$VM" "$scratch/clone/"
	(cd "$scratch/clone" && failed=0 && check 'from a clone under /tmp' 0 vm/run --kernel "$kernel" -- ls vm/run
		[ $failed = 0 ])
	equal 'from a clone under /tmp' $? 0
}

basic
full "$0"
shift
for kernel; do
	basic
done
summary
