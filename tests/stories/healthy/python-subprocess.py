#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# subprocess.run() with captured output, and a poll loop over two pipes.
import subprocess

done = subprocess.run(["sh", "-c", "echo out; echo err >&2; sleep 0.1"], capture_output=True)
assert done.stdout == b"out\n" and done.stderr == b"err\n"
