"""What a test file's `run(case)` is given: namespaces, programs, checks, figures, and the cleaning up of all of it."""

import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

from . import netns, process
from .patience import PATIENCE


# Of a time that has a limit.
ATTEMPTS = 5


class Skipped(Exception):
    """This machine cannot show it; the text says why."""


def tun_problem() -> str | None:
    """Why no TUN interface can be made here, or None."""
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR)
    except OSError as error:
        return f"/dev/net/tun: {error.strerror}"
    try:
        # TUNSETIFF with IFF_TUN | IFF_NO_PI; gone again with the descriptor.
        fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"probe0", 0x1001))
    except OSError as error:
        return f"TUNSETIFF: {error.strerror}"
    finally:
        os.close(fd)
    return None


class Case:
    def __init__(self, amt: str, arguments: list[str]):
        self.amt = amt
        self.arguments = arguments
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="amt-test-"))
        # The environment of the machine does not reach the programs under test.
        self.env = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")
                    if key in os.environ}
        self._closing = []
        self._processes = []

    # What a test says
    def check(self, condition, what: str) -> None:
        if not condition:
            raise AssertionError(what)

    def need_tun(self) -> None:
        if problem := tun_problem():
            raise Skipped(f"no TUN interface for this user: {problem}")

    def figure(self, name: str, value, unit="") -> None:
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        print(f"figure: {name}: {shown} {unit}".rstrip(), flush=True)

    def note(self, text: str) -> None:
        print(text, flush=True)

    def wait_until(self, condition, timeout: float, what: str, poll=0.02):
        """The first true value of `condition()`; fails after `timeout` seconds of an idle machine (lib/patience.py)."""
        end = time.monotonic() + timeout * PATIENCE
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"not within {timeout * PATIENCE} s: {what}")
            time.sleep(poll)

    def within(self, limit: float, what: str, attempt) -> None:
        """`attempt()` gives seconds. The least of several is what the program needs: a busy machine only adds to it."""
        best = float("inf")
        for _ in range(ATTEMPTS):
            best = min(best, attempt())
            if best < limit:
                break
        self.figure(what, round(best, 2), "s")
        self.check(best < limit, f"{what}: {best:.2f} s, at most {limit}")

    # What a test uses
    def closing(self, thing):
        """`thing.close()` is called at the end."""
        self._closing.append(thing)
        return thing

    def host(self, name: str) -> netns.Namespace:
        return self.closing(netns.Namespace(name))

    def start(self, arguments, name: str, namespace=None) -> process.Process:
        """`amt` with these arguments."""
        return self.program([self.amt, *map(str, arguments)], name, namespace)

    def program(self, command, name: str, namespace=None, env=None, descriptors=()) -> process.Process:
        """Any other program, ended with the test. `descriptors`: of this process, which it has, too."""
        started = process.Process(command, self.folder, name, namespace, env or self.env, descriptors)
        self._processes.append(started)
        return started

    def daemon(self, arguments, name: str, namespace, ready=True, control=None) -> process.Daemon:
        """`control`: where it has its control socket, if not at a path of its own."""
        started = process.Daemon(self.amt, [str(one) for one in arguments], self.folder, name, namespace, control)
        self._processes.append(started)
        if ready:
            started.wait_ready()
        return started

    def amt_once(self, arguments, namespace=None, timeout=20, prefix=()) -> subprocess.CompletedProcess:
        """Runs `amt` to its end, `prefix` in front of it."""
        command = [*prefix, self.amt, *map(str, arguments)]

        def go():
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=timeout * PATIENCE, check=False, env=self.env)
        if namespace is None:
            return go()
        with namespace.enter():
            return go()

    def finish(self, failed: bool) -> None:
        for one in reversed(self._processes):
            one.kill()
        for thing in reversed(self._closing):
            thing.close()
        if failed:
            for one in self._processes:
                print(f"--- {one.name}: {' '.join(one.command)}: status {one.status}\n{one.err[-6000:]}", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
