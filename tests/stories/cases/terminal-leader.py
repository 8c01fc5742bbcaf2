#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The leader of a terminal's session exits: SIGHUP ends the job in the foreground."""
import os
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import truth, wait_state  # noqa: E402

terminal, line = os.openpty()
name = os.ttyname(line)
leader = os.fork()
if leader == 0:
    os.setsid()
    mine = os.open(name, os.O_RDWR)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.execv("/bin/sleep", ["sleep", "30"])
    os.setpgid(job, job)
    os.tcsetpgrp(mine, job)
    wait_state(job, "S")
    with open("job.new", "w") as file:
        file.write(str(job))
    os.rename("job.new", "job")
    time.sleep(0.5)
    os._exit(0)
while not os.path.exists("job"):
    time.sleep(0.01)
with open("job") as file:
    job = int(file.read())
os.waitpid(leader, 0)
at = time.monotonic()
truth(f"expect ended-by-kernel of={job}:sleep at={at:.3f} says=SIGHUP says=\"terminal {name}\"")
