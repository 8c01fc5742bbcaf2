#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A client and its server have exchanged a request and its answer, and read: the client's other
# thread will have the next request. Both are idle.
import os
import sys
import threading
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import call_me, truth, wait_state  # noqa: E402

requests, answers = os.pipe(), os.pipe()
server = os.fork()
if server == 0:
    call_me("idle-server")
    os.close(requests[1])
    os.close(answers[0])
    while os.read(requests[0], 100):
        os.write(answers[1], b"ok")
    os._exit(0)
os.close(requests[0])
os.close(answers[1])
os.write(requests[1], b"hello")
os.read(answers[0], 100)
threading.Thread(target=lambda: (time.sleep(1000), os.write(requests[1], b"more"))).start()
wait_state(server, "S")
for pid in (server, os.getpid()):
    truth(f"expect stuck-read of={pid}")   # a note: it may just be idle
truth("ready")
os.read(answers[0], 100)
