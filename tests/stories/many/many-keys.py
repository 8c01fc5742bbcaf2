#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Ctrl-C on each of 100 terminals ends the command in its foreground."""
import os
import sys

sys.path.insert(0, os.environ["STORY_LIB"])
from story import truth, wait_state  # noqa: E402

for _ in range(100):
    terminal, line = os.openpty()
    name = os.ttyname(line)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(os.open(name, os.O_RDWR), 0)   # its session's terminal from now on
        os.execv("/bin/sleep", ["sleep", "30"])
    while open(f"/proc/{pid}/comm").read() != "sleep\n":
        pass
    wait_state(pid, "S")
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == 2, status
    os.close(terminal)
    os.close(line)
    truth(f"each ended-by-kernel with={pid}:sleep says=SIGINT says=terminal")
