#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A server hands its listening socket over to its successor.
import os
import socket
import sys

sys.path.insert(0, os.environ["STORY_LIB"])
from story import call_me, fork_as, truth

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(5)
port = listener.getsockname()[1]
ours, theirs = socket.socketpair()
new = fork_as("new")
if new == 0:
    listener.close()
    ours.close()
    _, fds, _, _ = socket.recv_fds(theirs, 8, 1)
    assert socket.socket(fileno=fds[0]).getsockname()[1] == port
    os._exit(0)
call_me("old")
socket.send_fds(ours, [b"take it"], [listener.fileno()])
os.waitpid(new, 0)
truth(f'passed from={os.getpid()}:old to={new}:new file="a listening TCP socket, port {port}"')
