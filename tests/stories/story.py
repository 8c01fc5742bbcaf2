# SPDX-License-Identifier: GPL-2.0-only
"""What the stories in Python share; docs/stories.md has the lines of a truth."""
import os
import time

now = time.monotonic


def truth(line):
    os.write(1, (line + "\n").encode())


def call_me(name):
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)


def fork_as(name):
    pid = os.fork()
    if pid == 0:
        call_me(name)
    return pid


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_state(pid, state):
    for _ in range(1000):
        if state_of(pid) == state:
            return
        time.sleep(0.003)
    raise SystemExit(f"{pid} is not in state {state}")


def foreground_job(name):
    """The caller becomes the leader of a session on that terminal; a sleep in its foreground."""
    os.setsid()
    mine = os.open(name, os.O_RDWR)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.execv("/bin/sleep", ["sleep", "30"])
    try:
        os.setpgid(job, job)
    except PermissionError:
        pass   # it has executed sleep, and so had done that itself
    os.tcsetpgrp(mine, job)
    wait_state(job, "S")
    return job
