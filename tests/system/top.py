"""`amt top` in a pseudo-terminal: 80x24, 200x60, resized while it runs, keys; `--once` without a terminal.

    source ── relay ══ our own gateways
"""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

from lib.scenario import Skipped
from lib.topology import SSM, Line

NEEDS = {"namespaces"}


class Screen:
    """`amt top` in a tmux of its own, which is a terminal whose screen can be read."""

    def __init__(self, case, relay, width: int, height: int):
        self._socket = str(case.folder / "tmux.sock")
        self._tmux("new-session", "-d", "-x", str(width), "-y", str(height), f"exec {case.amt} top --control {relay.control}")

    def _tmux(self, *arguments) -> str:
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        return subprocess.run(["tmux", "-S", self._socket, "-f", "/dev/null", *arguments], capture_output=True, text=True, check=False,
                              env=environment).stdout

    def lines(self) -> list[str]:
        return self._tmux("capture-pane", "-p").rstrip("\n").split("\n")

    def text(self) -> str:
        return "\n".join(self.lines())

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def is_over(self) -> bool:
        return not self._tmux("list-sessions")

    def close(self) -> None:
        self._tmux("kill-server")


def once(case, relay) -> None:
    done = case.amt_once(["top", "--once", "--control", relay.control])
    rows = done.stdout.splitlines()
    case.check(done.returncode == 0 and len(rows) <= 24 and all(len(row) <= 80 for row in rows), f"one screen: {done}")
    case.check("3 gateways, 2 channels" in rows[0] and re.search(r"out [\d.]+ [kM]bit/s", rows[0]), f"title: {rows[0]}")
    case.check(SSM[4] in done.stdout and "\x1b" not in done.stdout, "channels, in plain text")
    done = case.amt_once(["top", "--control", relay.control])
    case.check(done.returncode == 2 and "--once" in done.stderr, f"no terminal: {done}")
    done = case.amt_once(["top", "--once", "--control", "/nothing/there.sock"])
    case.check(done.returncode == 1 and "/nothing/there.sock" in done.stderr, f"nobody there: {done}")


def screens(case, line, relay, gateway) -> None:
    screen = case.closing(Screen(case, relay, 80, 24))
    case.wait_until(lambda: re.search(r"out [\d.]+ [kM]bit/s", screen.text()), 10, "rates")
    shown = screen.lines()
    case.check(shown[0].startswith("amt relay") and "q end" in shown[23] and "upstream: r0 up" in shown[1], f"{shown}")
    case.check(any(row.startswith(f"{line.source_address(4)}@{SSM[4]}") and re.search(r" 2 +[\d.]+ [kM]bit/s", row) for row in shown), f"{shown}")
    screen.press("t")
    case.wait_until(lambda: gateway.endpoint in screen.text(), 5, "gateways")
    screen.press("s")
    case.wait_until(lambda: "order: packets" in screen.text(), 5, "another order")
    screen.press("/", "203.0.113.1", "Enter")
    case.wait_until(lambda: "only 203.0.113.1: 0" in screen.text() and gateway.endpoint not in screen.text(), 5, "a filter")
    screen.press("/", "Enter")
    case.wait_until(lambda: gateway.endpoint in screen.text(), 5, "no filter")
    screen.resize(200, 60)
    case.wait_until(lambda: len(screen.lines()) == 60 and "q end" in screen.lines()[59] and len(screen.lines()[4]) > 150, 5, "200x60")
    screen.resize(40, 8)
    case.wait_until(lambda: len(screen.lines()) == 8 and "q end" in screen.lines()[7], 5, "40x8")
    screen.resize(80, 24)
    screen.press("c")
    case.wait_until(lambda: SSM[4] in screen.text() and "q end" in screen.lines()[23], 5, "as before")
    relay.kill()
    case.wait_until(lambda: "no answer" in screen.text(), 10, "the relay is gone")
    screen.press("q")
    case.wait_until(screen.is_over, 5, "the end")


def terminal_is_left_as_it_was(case, relay) -> None:
    """Also when a signal ends it."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(case.amt, [case.amt, "top", "--control", str(relay.control)])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = b""

    def read() -> bytes:
        nonlocal seen
        while select.select([fd], [], [], 0.05)[0]:
            try:
                seen += os.read(fd, 65536)
            except OSError:
                break
        return seen
    case.wait_until(lambda: b"gateways" in read(), 10, "a screen")
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 10
    status = None
    while status is None and time.monotonic() < end:
        read()
        done, code = os.waitpid(pid, os.WNOHANG)
        status = code if done else None
    case.check(status == 0, f"status {status} after SIGTERM")
    case.check(b"\x1b[?1049l" in seen, "the screen that was there before is back")
    os.close(fd)


def run(case):
    if not shutil.which("tmux"):
        raise Skipped("tmux is not installed")
    line = Line(case)
    relay = line.start_relay()
    gateways = [line.fake_gateway(4) for _ in range(3)]
    for gateway in gateways[1:]:
        gateway.join_channel(SSM[4], [line.source_address(4)])
    gateways[0].join_channel("232.4.5.6", [line.source_address(4)])
    case.wait_until(lambda: len(relay.snapshot()["tunnels"]) == 3, 5, "tunnels")
    line.stream(4, SSM[4], rate=500, sizes=(400,))
    once(case, relay)
    terminal_is_left_as_it_was(case, relay)
    screens(case, line, relay, gateways[1])
