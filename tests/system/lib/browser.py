"""Headless Chromium, spoken to over a pipe by its DevTools protocol."""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

from .patience import PATIENCE


AXE = pathlib.Path(__file__).resolve().parents[1] / "browser/node_modules/axe-core/axe.min.js"


def program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str | None:
    """Why the pages cannot be shown here, or None."""
    if not program():
        return "no Chromium here (Debian package chromium; make browser installs it)"
    return None if AXE.exists() else "no axe-core here (tools/fetch_npm.sh fetches it)"


class Browser:
    """One page. What it logs and asks for is kept: `messages`, `requests`."""

    def __init__(self, case, namespace):
        to_read, to_write = os.pipe(), os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                   "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
                   f"--user-data-dir={tempfile.mkdtemp(dir=case.folder)}", "about:blank"]
        shell = f"exec {program()} {' '.join(options)} 3<&{to_write[0]} 4>&{to_read[1]} 2>/dev/null"
        environment = {**case.env, "HOME": str(case.folder)}
        with namespace.enter():
            self._process = subprocess.Popen(["bash", "-c", shell], pass_fds=(to_write[0], to_read[1]), env=environment,
                                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(to_write[0])
        os.close(to_read[1])
        self._out, self._in = to_write[1], to_read[0]
        self._buffer, self._number, self._session = b"", 0, None
        self.messages, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def _read(self, timeout: float) -> dict | None:
        end = time.monotonic() + timeout
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(0, end - time.monotonic()))[0]:
                return None
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise AssertionError("the browser ended")
            self._buffer += piece
        one, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(one)

    def _keep(self, event: dict) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled":
                self.messages.append(" ".join(str(one.get("value", one)) for one in parameters["args"]))
            case "Runtime.exceptionThrown":
                self.messages.append(json.dumps(parameters["exceptionDetails"]))
            case "Log.entryAdded":
                self.messages.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])

    def call(self, method: str, **parameters) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 30 * PATIENCE
        while time.monotonic() < end:
            answer = self._read(end - time.monotonic())
            if answer is None:
                break
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._keep(answer)
        raise AssertionError(f"the browser does not answer {method}")

    def evaluate(self, expression: str):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """`Enter`, `ArrowUp`, or a letter."""
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=13 if key == "Enter" else 0,
                      text=text if kind == "keyDown" else "")

    def show(self, width: int, height: int, scheme: str, phone=False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def findings(self) -> list[str]:
        """What axe-core says keeps people out."""
        if not self.evaluate("typeof axe !== 'undefined'"):
            self.evaluate(AXE.read_text(encoding="utf-8"))
        return self.evaluate("""axe.run(document, {resultTypes: ["violations"]}).then((result) => result.violations.map(
            (one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(", ")))""")

    def paint_seconds(self) -> float:
        """From the navigation to the first content that is shown."""
        return self.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e6") / 1e3

    def loaded_octets(self) -> int:
        """Of the page and all that it is made of; what it asks for again and again is counted each time."""
        return self.evaluate("""[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
            .filter((one) => !/json/.test(one.name)).reduce((sum, one) => sum + one.transferSize, 0)""")

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
