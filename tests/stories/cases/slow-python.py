#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A service ends on SIGTERM by an exception, and writes its state out for 0.7 s first.
import os
import signal
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import fork_as, now, truth, wait_state


def serve():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            signal.pause()
    finally:
        time.sleep(0.7)


service = fork_as("py-service")
if service == 0:
    serve()
time.sleep(0.1)
wait_state(service, "S")
time.sleep(0.1)
sent = now()
os.kill(service, signal.SIGTERM)
os.waitpid(service, 0)
truth(f"expect slow-exit of={service}:py-service with={os.getpid()}:slow-python.py at={sent:.3f} "
      f"secs={now() - sent:.3f} says=SIGTERM says=handler")
