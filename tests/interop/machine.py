"""One QEMU guest from its start to its end, and what it says on its console. Used by tests/packages, too."""

import pathlib
import re
import signal
import subprocess
import threading
import time

QEMU = "qemu-system-x86_64"
# Without one feature that some machines do not pass on to their guests' guests, where QEMU would end at its start.
CPU = "max,-arch-capabilities"
# The guest's lines that are for us; all else is for the log.
MARK = "interop: "


class Guest:
    """Boots the kernel with the archive; `on_line` gets each marked line without its mark. `parameters`: more for the kernel;
    `devices`: more for QEMU."""

    def __init__(self, kernel: pathlib.Path, initramfs: pathlib.Path, log: pathlib.Path, parameters: str,
                 accelerator: str, on_line, devices: tuple[str, ...] = ()):
        command_line = f"console=ttyS0 panic=-1 loglevel=4 {parameters}"
        # -no-reboot: a panic or a reboot ends it. No network to the outside: everything happens inside.
        self._command = [QEMU, "-accel", accelerator, "-cpu", CPU, "-smp", "2", "-m", "640", "-nodefaults", "-no-reboot",
                         "-display", "none", "-serial", "stdio", "-monitor", "none", "-kernel", str(kernel),
                         "-initrd", str(initramfs), "-append", command_line, *devices]
        self._log = log
        self._on_line = on_line

    def run(self, seconds_max: float) -> str | None:
        """Until it switches itself off; the problem, if there was one."""
        with open(self._log, "wb") as log:
            qemu = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
            reader = threading.Thread(target=self._read, args=(qemu.stdout, log))
            reader.start()
            problem = None
            try:
                status = qemu.wait(seconds_max)
                if status != 0:
                    problem = f"{QEMU} ended with status {status}"
            except subprocess.TimeoutExpired:
                problem = f"the guest was not done after {seconds_max:.0f} s"
            finally:
                self._end(qemu)
                reader.join()
        return problem

    @staticmethod
    def _end(qemu: subprocess.Popen) -> None:
        if qemu.poll() is None:
            qemu.send_signal(signal.SIGTERM)
            try:
                qemu.wait(5)
            except subprocess.TimeoutExpired:
                qemu.kill()
                qemu.wait()

    def _read(self, pipe, log) -> None:
        start = time.monotonic()
        for line in pipe:
            text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|[\r\n]|\x1bc", b"", line)
            log.write(b"%7.1f %s\n" % (time.monotonic() - start, text))
            log.flush()
            shown = text.decode("utf-8", errors="replace")
            if shown.startswith(MARK):
                self._on_line(shown.removeprefix(MARK))
