#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A parent writes all of its input to a filter before it reads the filter's output: both
# pipes fill up, and both wait to write.  An alarm ends the parent.
import os
import signal
import sys

sys.path.insert(0, os.environ["STORY_LIB"])
from story import fork_as, now, truth

parent = fork_as("feeder")
if parent == 0:
    to_filter, from_filter = os.pipe(), os.pipe()
    child = fork_as("echo-filter")
    if child == 0:
        os.close(to_filter[1])
        os.close(from_filter[0])
        while data := os.read(to_filter[0], 8192):
            os.write(from_filter[1], data)
        os._exit(0)
    os.close(to_filter[0])
    os.close(from_filter[1])
    truth(f"expect deadlock with={os.getpid()}:feeder with={child}:echo-filter at={now():.3f}~0.4 "
          "secs=1~0.4")
    truth("allow reader-gone")
    signal.alarm(1)
    os.write(to_filter[1], bytes(400000))
    os._exit(0)
os.waitpid(parent, 0)
