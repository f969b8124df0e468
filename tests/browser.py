#!/usr/bin/python3
"""Opens a page in headless Chromium, as on a desk, on a phone, in the dark and on paper, and prints what
came of it as JSON: messages of the console, requests but for the page itself, and what a function of
JavaScript tells in each view. Keeps a picture of each.

    browser.py PAGE.html PICTURES [JAVASCRIPT]      writes PICTURES-desktop.png and so on
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import websocket

SECONDS = 60
VIEWS = [  # name, width, height, of a phone, colours, medium
    ("desktop", 1280, 900, False, "light", ""),
    ("desktop-dark", 1280, 900, False, "dark", ""),
    ("phone", 390, 844, True, "light", ""),
    ("phone-dark", 390, 844, True, "dark", ""),
    ("print", 794, 1123, False, "light", "print"),
]
HIGHEST = 4000  # of a picture


class Browser:
    def __init__(self, folder):
        self.profile = tempfile.mkdtemp(dir=folder)
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--remote-debugging-port=0", "--user-data-dir=" + self.profile, "about:blank"],
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.count, self.events, self.socket, self.session = 0, [], None, None

    def connect(self):
        path = os.path.join(self.profile, "DevToolsActivePort")
        until = time.monotonic() + SECONDS
        while True:  # written once the port is open
            text = open(path).read().split("\n") if os.path.exists(path) else []
            if len(text) > 1:
                break
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("chromium did not start")
            time.sleep(0.05)
        self.socket = websocket.create_connection(f"ws://127.0.0.1:{text[0]}{text[1]}", timeout=SECONDS,
                                                  suppress_origin=True)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(json.loads(self.socket.recv()))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # what it has started and left
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


def look(browser, view, pictures, code):
    name, width, height, phone, colours, medium = view
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                 deviceScaleFactor=1)
    browser.call("Emulation.setEmulatedMedia", media=medium,
                 features=[{"name": "prefers-color-scheme", "value": colours}])
    told = None
    if code:
        answer = browser.call("Runtime.evaluate", expression=f"({code})()", returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "the code failed"))
        told = answer["result"].get("value")
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": width, "height": min(size["height"], HIGHEST), "scale": 1}
    picture = browser.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    with open(f"{pictures}-{name}.png", "wb") as file:
        file.write(base64.b64decode(picture["data"]))
    return told


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    page, pictures = os.path.abspath(sys.argv[1]), sys.argv[2]
    code = sys.argv[3] if len(sys.argv) > 3 else None
    os.makedirs("build/tmp", exist_ok=True)
    os.makedirs(os.path.dirname(pictures) or ".", exist_ok=True)
    browser = Browser("build/tmp")
    try:
        browser.connect()
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser.call(domain + ".enable")
        browser.call("Page.navigate", url="file://" + page)
        browser.wait_for("Page.loadEventFired")
        views = {view[0]: look(browser, view, pictures, code) for view in VIEWS}
        console, requests = [], []
        for event in browser.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.consoleAPICalled":
                console.append(json.dumps(params["args"]))
            elif event.get("method") == "Runtime.exceptionThrown":
                console.append(params["exceptionDetails"]["text"])
            elif event.get("method") == "Log.entryAdded":
                console.append(params["entry"]["text"])
            elif event.get("method") == "Network.requestWillBeSent":
                requests.append(params["request"]["url"])
        if "file://" + page in requests:
            requests.remove("file://" + page)
        print(json.dumps({"console": console, "requests": requests, "views": views}))
    finally:
        browser.close()


main()
