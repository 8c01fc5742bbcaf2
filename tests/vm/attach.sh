#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vm/shell --attach: shells and commands in a guest that runs already; two guests at once.
# Usage: attach.sh [KEY] (6.12).

# shellcheck disable=SC2016 # most of the code here is for the guest's shell
# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kernel=${1:-6.12}

# The sockets are those of a network namespace: in one of its own no other guest is seen.
if [ -z "${ATTACH_ALONE:-}" ] && unshare -n true 2>/dev/null; then
	ATTACH_ALONE=1 exec unshare -n "$0" "$@"
fi

attach() # ARGUMENTS... of vm/shell --attach
{
	timeout 120 "$VM/shell" --attach="${pid:-0}" "$@"
}

# A guest whose command goes on until /tmp/end is there, in the background: sets pid.
start_guest() # NAME
{
	rm -f "$scratch/$1.out"
	"$VM/run" --kernel "$kernel" --timeout 600 -- sh -c \
		'echo up; until [ -e /tmp/end ]; do sleep 0.2; done; seq 1 100000; exit 3' \
		>"$scratch/$1.out" 2>"$scratch/$1.err" &
	pid=$!
	for ((i = 0; i < 1200; i++)); do
		[ ! -s "$scratch/$1.out" ] || return 0
		sleep 0.1
	done
	not_ok 'a guest comes up' "$(cat "$scratch/$1.err")"
}

start_guest first
first=$pid

check 'a command' 9 attach -- sh -c 'uname -n; pwd; tty; echo err >&2; read -r x; exit 9'
equal 'in the same guest and directory, without a terminal' "$(xargs <"$scratch/out")" \
	"ipcscope-${kernel//./-} $PWD not a tty"
equal 'stderr apart' "$(cat "$scratch/err")" err
check 'no such command' 127 attach -- no-such-command
check 'ended by a signal' 143 attach -- sh -c 'kill $$'
check 'all bytes' 0 attach -- sh -c 'head -c 3000000 /dev/urandom >/tmp/x; sha256sum </tmp/x >&2; cat /tmp/x'
equal 'as they were' "$(sha256sum <"$scratch/out")" "$(cat "$scratch/err")"
check 'the commands of standard input' 4 bash -c 'echo "echo \$IPCSCOPE_VM; exit 4" | "$1/shell" --attach="$2"' bash "$VM" "$pid"
equal 'with the environment of the run' "$(cat "$scratch/out")" "$kernel"
if [ -n "${ATTACH_ALONE:-}" ]; then
	check 'by the kernel' 0 "$VM/shell" --attach "$kernel" -- true
	check 'by nothing, where one runs' 0 "$VM/shell" --attach -- true
fi
check 'no such guest' 125 "$VM/shell" --attach=1 -- true
output_matches 'those that run are listed' "^$pid	$kernel	sh -c echo up;"
check 'options of vm/run' 2 attach --smp 2 -- true

# Two terminals beside each other.
cat >"$scratch/terminals.py" <<'END'
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

def winsize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

class Terminal:
    def __init__(self, argv, rows, columns):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            winsize(0, rows, columns)
            os.execvp(argv[0], argv)
        self.expect(r"\]# $")

    def expect(self, regex):
        end = time.time() + 60
        while not re.search(regex, self.text):
            if not select.select([self.fd], [], [], max(0, end - time.time()))[0]:
                sys.exit(f"no {regex!r} in {self.text!r}")
            try:
                self.text += os.read(self.fd, 4096).decode()
            except OSError:
                sys.exit(f"ended: no {regex!r} in {self.text!r}")

    def say(self, keys, regex):
        self.text = ""
        os.write(self.fd, keys.encode())
        self.expect(regex)
        print("ok", repr(keys), flush=True)

    def status(self):
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

PROMPT = r"\r\n.*\]# $"
one = Terminal(sys.argv[1:], 31, 97)
two = Terminal(sys.argv[1:], 24, 80)
one.say("stty size; tty\r", r"31 97\r\n/dev/pts/\d" + PROMPT)
first = re.search(r"/dev/pts/\d+", one.text)[0]
two.say("stty size; tty\r", r"24 80\r\n/dev/pts/\d" + PROMPT)
assert first != re.search(r"/dev/pts/\d+", two.text)[0], "one terminal for both"
winsize(one.fd, 40, 100)
os.kill(one.pid, signal.SIGWINCH)
time.sleep(0.5)
one.say("stty size\r", r"40 100" + PROMPT)
one.say("echo st''arts; sleep 1001\r", "starts\r\n")
two.say("until pgrep -fx 'sleep 1001'; do sleep 0.1; done\r", r"[\r\n]\d+\r\n.*\]# $")
one.say("\x03", r"\^C" + PROMPT)
one.say("echo $?\r", "130" + PROMPT)
one.say("echo st''arts; sleep 1002\r", "starts\r\n")
# Before that a key would find the shell in the foreground, which ignores it.
two.say("until pgrep -fx 'sleep 1002'; do sleep 0.1; done\r", r"[\r\n]\d+\r\n.*\]# $")
one.say("\x1a", r"Stopped +sleep 1002" + PROMPT)
one.say("jobs\r", r"Stopped +sleep 1002" + PROMPT)
one.say("bg %1; jobs\r", r"Running +sleep 1002 &" + PROMPT)
two.say("pgrep -fx 'sleep 1002'\r", r"[\r\n]\d+\r\n.*\]# $")
os.kill(one.pid, signal.SIGTERM)
assert one.status() == 143, "status of a client that is ended"
two.say("until ! pgrep -fx 'sleep 1002'; do sleep 0.1; done; echo go''ne\r", "gone" + PROMPT)
# A shell that leaves its jobs in the background to themselves.
dash = Terminal(sys.argv[1:] + ["--", "sh", "-im"], 24, 80)
dash.say("sleep 1003 &\r", PROMPT)
two.say("until pgrep -fx 'sleep 1003'; do sleep 0.1; done\r", r"[\r\n]\d+\r\n.*\]# $")
os.kill(dash.pid, signal.SIGTERM)
assert dash.status() == 143, "status of a client that is ended"
two.say("until ! pgrep -fx 'sleep 1003'; do sleep 0.1; done; echo go''ne\r", "gone" + PROMPT)
os.write(two.fd, b"\x1d\x1d\x1d")
assert two.status() == 130, "Ctrl-] three times"
three = Terminal(sys.argv[1:], 24, 80)
os.write(three.fd, b"exit 7\r")
assert three.status() == 7, "status of the shell"
END
check 'two terminals: sizes, resize, Ctrl-C, job control, hangup, status' 0 \
	python3 "$scratch/terminals.py" "$VM/shell" --attach="$pid"
equal 'each step' "$(grep -c '^ok' "$scratch/out")" 17

# One that does not read stops neither the guest's command nor the others.
mkfifo "$scratch/fifo"
exec {unread}<>"$scratch/fifo"
# Not by a function: what is killed must be timeout, which passes it on.
timeout 300 "$VM/shell" --attach="$pid" -- yes >"$scratch/fifo" 2>/dev/null &
stuck=$!
check 'beside a reader that does not read' 0 attach -- sh -c 'until pgrep -x yes; do sleep 0.1; done; sleep 1; seq 1 50000 | tail -n 1'
kill $stuck
wait $stuck 2>/dev/null
exec {unread}>&-
check 'its command is hung up' 0 attach -- sh -c 'for i in $(seq 100); do pgrep -x yes || exit 0; sleep 0.1; done; exit 1'

if [ "$(id -u)" = 0 ]; then
	check 'another user is not let in' 0 python3 -c '
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.connect("\0ipcscope-vm." + sys.argv[1])
s.settimeout(20)
sys.exit(s.recv(1) != b"")' "$pid"
fi
check 'a frame that no client sends' 0 python3 -c '
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect("\0ipcscope-vm." + sys.argv[1])
s.settimeout(20)
s.sendall(struct.pack("<BBHI", ord("a"), 0, 0, 0))
sys.exit(s.recv(1) != b"")' "$pid"
check 'a job that is cut short' 0 python3 -c '
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect("\0ipcscope-vm." + sys.argv[1])
s.settimeout(20)
s.sendall(struct.pack("<BBHI3s", ord("J"), 0, 0, 3, b"arg"))
data = b""
while True:
    more = s.recv(1000)
    if not more:
        break
    data += more
sys.exit(b"it is cut short" not in data or not data.endswith(struct.pack("<BBHII", ord("x"), data[-11], 0, 4, 125)))' "$pid"

# Two guests at once.
start_guest second
second=$pid
check 'two guests: which?' 2 "$VM/shell" --attach -- true
equal 'both are listed' "$(grep -c "^\($first\|$second\)	$kernel	" "$scratch/err")" 2
check 'each by its number' 0 attach -- touch /tmp/second
pid=$first
check 'apart from each other' 1 attach -- test -e /tmp/second
kill -KILL "$second"
wait "$second" 2>/dev/null
check 'one that was killed' 125 "$VM/shell" --attach="$second" -- true

attach -- sleep 1000 >/dev/null 2>"$scratch/attached.err" &
waiting=$!
check 'the command of the guest goes on' 0 attach -- sh -c 'until pgrep -fx "sleep 1000"; do sleep 0.1; done; touch /tmp/end'
wait "$first"
equal 'its status' $? 3
equal 'its output' "$(sha256sum <"$scratch/first.out")" "$({ echo up; seq 1 100000; } | sha256sum)"
equal 'nothing on its stderr' "$(cat "$scratch/first.err")" ''
wait "$waiting"
equal 'what was attached ends with the guest' $? 125
equal 'and says so' "$(cat "$scratch/attached.err")" \
	'vm/shell: the guest has ended, or takes no more shells (16 at once)'
equal 'no socket is left' "$(grep -c "@ipcscope-vm\.\($first\|$second\)\$" /proc/net/unix)" 0
summary
