#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Ctrl-C on a terminal ends the command in its foreground."""
import os
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import truth  # noqa: E402

terminal, line = os.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    mine = os.open(os.ttyname(line), os.O_RDWR)   # its session's terminal from now on
    os.dup2(mine, 0)
    os.execv("/bin/sleep", ["sleep", "30"])
time.sleep(0.5)
at = time.monotonic()
os.write(terminal, b"\x03")
_, status = os.waitpid(pid, 0)
assert os.WTERMSIG(status) == 2, status
truth(f"expect ended-by-kernel of={pid}:sleep at={at:.3f} says=SIGINT "
      f"says=\"terminal {os.ttyname(line)}\"")
