#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The window of a terminal is closed: the hangup ends the leader of its session."""
import os
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import truth, wait_state  # noqa: E402

terminal, line = os.openpty()
name = os.ttyname(line)
pid = os.fork()
if pid == 0:
    os.setsid()
    os.close(terminal)
    os.dup2(os.open(name, os.O_RDWR), 0)   # its session's terminal from now on
    os.closerange(3, 20)
    os.execv("/bin/sleep", ["sleep", "30"])
os.close(line)
wait_state(pid, "S")
time.sleep(0.3)
at = time.monotonic()
os.close(terminal)
_, status = os.waitpid(pid, 0)
assert os.WTERMSIG(status) == 1, status
truth(f"expect ended-by-kernel of={pid}:sleep at={at:.3f} says=SIGHUP says=\"terminal {name}\"")
