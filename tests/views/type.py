#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# type.py SHELL SETUP TEXT [SHELL's ARGUMENTS...]: runs the shell on a terminal of its own, gives
# it the line SETUP, then TEXT, in which \t asks for completion, and prints what the terminal
# shows after TEXT.

import os
import pty
import select
import sys
import time


def read(terminal, quiet_s, until=None, most_s=30):
    got = b""
    end = time.time() + most_s
    while time.time() < end:
        ready, _, _ = select.select([terminal], [], [], quiet_s)
        if not ready:
            if until is None or until in got:
                break
            continue
        try:
            got += os.read(terminal, 65536)
        except OSError:
            break
    return got


shell, setup, text, *arguments = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="dumb", PS1="$ ", LC_ALL="C.UTF-8")
    os.execvp(shell, [shell, *arguments])
read(terminal, 1)
os.write(terminal, setup.encode() + b"; echo re''ady\n")
read(terminal, 1, b"ready")
os.write(terminal, text.replace("\\t", "\t").encode())
print(read(terminal, 1.5).decode(errors="replace"))
os.close(terminal)
os.waitpid(child, 0)
