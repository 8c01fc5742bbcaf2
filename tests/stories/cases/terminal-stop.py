#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Ctrl-Z on a terminal stops a job; SIGTERM has effect only with SIGCONT, 0.8 s later."""
import os
import signal
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import foreground_job, truth, wait_state  # noqa: E402

terminal, line = os.openpty()
name = os.ttyname(line)
leader = os.fork()
if leader == 0:
    job = foreground_job(name)
    os.write(terminal, b"\x1a")
    wait_state(job, "T")
    time.sleep(0.2)
    at = time.monotonic()
    os.kill(job, signal.SIGTERM)
    time.sleep(0.8)
    os.kill(job, signal.SIGCONT)
    os.waitpid(job, 0)
    secs = time.monotonic() - at
    truth(f"expect target-stopped of={job}:sleep with={os.getpid()}:terminal-stop.p at={at:.3f} "
          f"secs={secs:.3f} says=SIGTERM says=SIGTSTP says=\"terminal {name}\" says=SIGCONT")
    os._exit(0)
_, status = os.waitpid(leader, 0)
assert status == 0, status
