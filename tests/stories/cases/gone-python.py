#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A program that ignores SIGPIPE, as Python does, gets EPIPE once its reader has exited.
import os
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import fork_as, truth

reading, writing = os.pipe()
reader = fork_as("quitter")
if reader == 0:
    os.close(writing)
    os.read(reading, 100)
    os._exit(0)
os.close(reading)
os.write(writing, b"first")
os.waitpid(reader, 0)
time.sleep(0.2)
try:
    os.write(writing, b"second")
except BrokenPipeError:
    truth(f"expect reader-gone of={os.getpid()}:gone-python.py says=quitter")
