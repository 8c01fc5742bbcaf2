#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# A pool of two processes that share a queue of tasks.
import multiprocessing
import time


def work(number):
    time.sleep(0.02)
    return number * number


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(12), chunksize=1) == [n * n for n in range(12)]
