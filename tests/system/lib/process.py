"""Programs under test: started in a namespace, their output kept, ended whatever happens."""

import json
import pathlib
import re
import signal
import subprocess
import time

from .patience import PATIENCE


class Process:
    def __init__(self, command: list[str], folder: pathlib.Path, name: str, namespace=None, env=None, descriptors=()):
        self.name = name
        self.command = command
        self.out_path, self.err_path = folder / f"{name}.out", folder / f"{name}.err"
        # setpriv: the kernel ends it should this process die before it.
        full = ["setpriv", "--pdeathsig", "KILL", *command]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            def start():
                return subprocess.Popen(full, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                                        pass_fds=descriptors)
            if namespace is None:
                self._popen = start()
            else:
                with namespace.enter():
                    self._popen = start()
        self.pid = self._popen.pid

    @property
    def err(self) -> str:
        return self.err_path.read_text(encoding="utf-8", errors="replace")

    @property
    def out(self) -> bytes:
        return self.out_path.read_bytes()

    @property
    def status(self) -> int | None:
        return self._popen.poll()

    def wait_ready(self, timeout=10.0) -> float:
        """Until one line of the log has `ready` as a word of its own."""
        start = time.monotonic()
        while time.monotonic() - start < timeout * PATIENCE:
            if re.search(r"\bready\b", self.err):
                return time.monotonic() - start
            if self.status is not None:
                raise AssertionError(f"{self.name} ended with {self.status} before it was ready:\n{self.err}")
            time.sleep(0.02)
        raise AssertionError(f"{self.name}: no line with `ready` within {timeout * PATIENCE} s:\n{self.err}")

    def wait(self, timeout: float) -> int:
        try:
            return self._popen.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout * PATIENCE} s:\n{self.err[-2000:]}") from None

    def terminate(self, timeout=5.0) -> float:
        """SIGTERM; checks that it ends with status 0; how long that took."""
        start = time.monotonic()
        self._popen.send_signal(signal.SIGTERM)
        status = self.wait(timeout)
        if status != 0:
            raise AssertionError(f"{self.name} ended with {status} after SIGTERM:\n{self.err[-2000:]}")
        return time.monotonic() - start

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def kill(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()

    def resident_octets(self) -> int:
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")


class Daemon(Process):
    """`amt relay` or `amt gateway`, with a control socket that `amt status` can ask."""

    def __init__(self, amt: str, arguments: list[str], folder: pathlib.Path, name: str, namespace, control=None):
        self.amt = amt
        self.control = control or folder / f"{name}.sock"
        super().__init__([amt, *arguments, "--control", str(self.control)], folder, name, namespace)

    def snapshot(self) -> dict:
        done = subprocess.run([self.amt, "status", "--json", "--control", str(self.control)],
                              capture_output=True, text=True, timeout=10 * PATIENCE, check=False)
        if done.returncode != 0:
            raise AssertionError(f"amt status: {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)
