"""A headless Chromium, driven by its own protocol over a pipe."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--remote-debugging-pipe"),
    "--allow-file-access-from-files",  # for tests that read pixels
)
PATIENCE = 600.0
"""Seconds that a page may take: a limit for hangs."""


class Browser:
    """A page of Chromium: clicks, keys, values, pictures, and what went wrong."""

    def __init__(self, folder: Path, width: int = 1200, height: int = 900) -> None:
        """Start it with an empty profile below a folder."""
        # Away from 3 and 4, which the pipe needs.
        pairs = [
            tuple(fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in os.pipe()) for _ in "ab"
        ]
        (read, self._to), (self._from, write) = pairs
        size = f"--window-size={width},{height}"
        command = [str(CHROMIUM), *FLAGS, size, f"--user-data-dir={folder / 'profile'}"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: (os.dup2(read, 3), os.dup2(write, 4)),
            pass_fds=(3, 4),
        )
        os.close(read)
        os.close(write)
        self._waiting, self._number, self._session = b"", 0, None
        self.events: list[dict] = []
        page = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def send(self, method: str, **params):
        """Send a command; its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _message(self) -> dict:
        while b"\0" not in self._waiting:
            part = os.read(self._from, 1 << 16)
            assert part, "Chromium ended"
            self._waiting += part
        text, _, self._waiting = self._waiting.partition(b"\0")
        return json.loads(text)

    def js(self, expression: str):
        """The value of an expression in the page."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, (expression, found["exceptionDetails"])
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + PATIENCE
        while not self.js(expression):
            assert time.monotonic() < until, f"never true: {expression}"
            time.sleep(0.02)

    def open(self, url: str) -> None:
        """Open a page, and wait until it has shown something."""
        self.send("Page.navigate", url=url)
        self.wait("document.querySelector('#main')?.children.length > 0")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, with a mouse."""
        self.js(
            f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})"
        )
        x, y = self.js(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._mouse(kind, x, y)

    def drag(self, selector: str, across: float, down: float) -> None:
        """Press the mouse in the middle of an element, and move it to a fraction."""
        x, y, width, height = self.js(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        self._mouse("mousePressed", x + width / 2, y + height / 2)
        self._mouse("mouseMoved", x + across * width, y + down * height)
        self._mouse("mouseReleased", x + across * width, y + down * height)

    def _mouse(self, kind: str, x: float, y: float) -> None:
        held = {"button": "left", "buttons": 1, "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def key(self, name: str, code: int) -> None:
        """Press a key, such as Enter (13), Tab (9) or ArrowRight (39)."""
        text = {"text": "\r"} if name == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=name,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def picture(self, path: Path) -> None:
        """Save what is seen as PNG."""
        data = self.send("Page.captureScreenshot")["data"]
        path.write_bytes(base64.b64decode(data))

    def requests(self) -> list[str]:
        """The addresses that were asked for since the events were cleared."""
        self.js("0")
        sent = [
            e for e in self.events if e.get("method") == "Network.requestWillBeSent"
        ]
        return [event["params"]["request"]["url"] for event in sent]

    def faults(self) -> list[str]:
        """Exceptions, errors of the console, and requests for anything but files."""
        found = []
        for url in self.requests():
            if not url.startswith(("file:", "data:", "about:")):
                found.append(url)
        for event in self.events:
            kind, params = event.get("method"), event.get("params", {})
            if kind == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"]))
            elif kind == "Log.entryAdded" and params["entry"]["level"] == "error":
                found.append(params["entry"]["text"])
        return found
