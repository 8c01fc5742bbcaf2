#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A parent asks a worker (few bytes, late answers), then logs to a child that reads slowly: it
# waits for a full pipe to the logger, and never for one to the worker.
import os
import sys
import time

sys.path.insert(0, os.environ["STORY_LIB"])
from story import fork_as, truth


def child(name, work):
    to, back = os.pipe(), os.pipe()
    pid = fork_as(name)
    if pid == 0:
        os.close(to[1])
        os.close(back[0])
        for end in others:
            os.close(end)
        work(to[0], back[1])
        os._exit(0)
    os.close(to[0])
    os.close(back[1])
    others.extend([to[1], back[0]])
    return pid, to[1], back[0]


def answer(questions, answers):
    while os.read(questions, 1):
        time.sleep(0.03)
        os.write(answers, b"y")


def log(lines, answers):
    os.close(answers)
    while os.read(lines, 4096):
        time.sleep(0.02)


others = []
logger, to_logger, _ = child("py-logger", log)
worker, to_worker, from_worker = child("py-worker", answer)
for _ in range(5):
    os.write(to_worker, b"x")
    os.read(from_worker, 1)
os.close(to_worker)
for _ in range(90):
    os.write(to_logger, bytes(4096))
os.close(to_logger)
os.waitpid(logger, 0)
os.waitpid(worker, 0)
truth(f"expect slow-stage of={logger}:py-logger")
