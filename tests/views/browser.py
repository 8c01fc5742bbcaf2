#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# browser.py CHROMIUM FILE.html PICTURES: opens the page in headless Chromium, over the pipe of
# its DevTools protocol, and prints as JSON what it found: the messages of the console and of the
# log, what was asked of the network, dialogs, and the answers to the questions below. Writes
# PICTURES/light.png and dark.png.

import base64
import json
import os
import subprocess
import sys
import tempfile

QUESTIONS = {
    "scripts": "document.scripts.length",
    "images": "document.images.length",
    "bold": "document.querySelectorAll('b, i, a, img').length",
    "findings": "document.querySelectorAll('.finding').length",
    "bars": "document.querySelectorAll('svg rect.in, svg rect.deep').length",
    "edges": "document.querySelectorAll('path.edge').length",
    "text": "document.body.innerText",
    "width": "document.documentElement.scrollWidth <= innerWidth",
    "back": "getComputedStyle(document.body).backgroundColor",
    # A click on a heading of the first table, and one more: down, then up.
    "sorted": """(() => {
        const table = document.querySelector("table.sort");
        const column = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent == "Longest");
        const values = () => [...table.tBodies[0].rows].map(row => Number(row.cells[column].dataset.v));
        const button = table.tHead.rows[0].cells[column].querySelector("button");
        button.click();
        const down = values();
        button.click();
        return [down, values(), table.tHead.rows[0].cells[column].getAttribute("aria-sort")];
    })()""",
}


class Browser:
    def __init__(self, chromium, profile):
        to_read, to = os.pipe()
        back, back_write = os.pipe()

        def pipes():
            # The browser reads from 3 and writes to 4.
            os.dup2(to_read, 63)
            os.dup2(back_write, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        self.process = subprocess.Popen(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-pipe", "--user-data-dir=" + profile, "--window-size=1280,1800"],
            preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(back_write)
        self.to = os.fdopen(to, "wb", buffering=0)
        self.back = os.fdopen(back, "rb")
        self.rest = b""
        self.number = 0
        self.events = []
        self.session = None

    def receive(self):
        while b"\0" not in self.rest:
            got = os.read(self.back.fileno(), 1 << 20)
            if not got:
                sys.exit("browser.py: the browser has gone")
            self.rest += got
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.to.write(json.dumps(message).encode() + b"\0")
        while True:
            got = self.receive()
            if got.get("id") == self.number:
                if "error" in got:
                    sys.exit(f"browser.py: {method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.receive())


def look(chromium, page, pictures):
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(chromium, profile)
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target,
                                       flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser.call(domain + ".enable")
        browser.call("Page.navigate", url="file://" + os.path.realpath(page))
        browser.wait_for("Page.loadEventFired")
        answers = {}
        for name, question in QUESTIONS.items():
            result = browser.call("Runtime.evaluate", expression=question, returnByValue=True)
            answers[name] = result["result"].get("value", result.get("exceptionDetails"))
        for scheme in ("light", "dark"):
            browser.call("Emulation.setEmulatedMedia",
                         features=[{"name": "prefers-color-scheme", "value": scheme}])
            answers["back-" + scheme] = browser.call(
                "Runtime.evaluate", expression=QUESTIONS["back"])["result"]["value"]
            picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            with open(os.path.join(pictures, scheme + ".png"), "wb") as out:
                out.write(base64.b64decode(picture))
        seen = {"console": [], "network": [], "dialogs": 0}
        for event in browser.events:
            method, what = event.get("method"), event.get("params", {})
            if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                seen["console"].append(what)
            elif method == "Network.requestWillBeSent" and not what["request"]["url"].startswith("file:"):
                seen["network"].append(what["request"]["url"])
            elif method == "Page.javascriptDialogOpening":
                seen["dialogs"] += 1
        browser.session = None
        browser.call("Browser.close")
        browser.process.wait(timeout=30)
        return seen | answers


if len(sys.argv) != 4:
    sys.exit("browser.py CHROMIUM FILE.html PICTURES")
print(json.dumps(look(*sys.argv[1:])))
