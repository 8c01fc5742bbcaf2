#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The leader of a terminal's session exits: SIGHUP ends the job in the foreground."""
import os
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import foreground_job, truth  # noqa: E402

terminal, line = os.openpty()
name = os.ttyname(line)
leader = os.fork()
if leader == 0:
    job = foreground_job(name)
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
