"""Routing daemons of others, each in a namespace and a folder of its own: smcroute, FRR and BIRD."""

import json
import os
import pathlib
import shutil
import subprocess
import time

from . import process
from .patience import PATIENCE
from .scenario import Skipped

FRR = pathlib.Path("/usr/lib/frr")


def need(*programs) -> None:
    for program in programs:
        if not shutil.which(str(program), path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Skipped(f"{program} is not installed")


class Smcroute:
    """`lines` as in smcroute.conf: what is forwarded whatever anybody reports."""

    def __init__(self, case, namespace, lines, name="smcroute"):
        need("smcrouted", "smcroutectl")
        self.namespace, self.socket = namespace, case.folder / f"{name}.sock"
        config = case.folder / f"{name}.conf"
        config.write_text("\n".join(lines) + "\n", encoding="ascii")
        self.process = case.program(
            ["smcrouted", "-n", "-N", "-f", str(config), "-u", str(self.socket), "-P", str(case.folder / f"{name}.pid")],
            name, namespace)
        case.wait_until(self.socket.exists, 10, "smcrouted answers")

    def reload(self) -> None:
        self.namespace.run("smcroutectl", "-u", str(self.socket), "reload")


def prepare_frr(case, daemon="pimd") -> None:
    """FRR's daemons want a member of the group frrvty, and leave notes in /var/tmp: both are ours here, so that they run
    as the only user there is in an ordinary user's namespace."""
    need(FRR / "zebra", FRR / daemon, "vtysh")
    group = case.folder / "group"
    group.write_text("root:x:0:\nfrrvty:x:0:root\n", encoding="ascii")
    subprocess.run(["mount", "--bind", str(group), "/etc/group"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/var/tmp"], check=True)


class Bird:
    """BIRD with this bird.conf."""

    def __init__(self, case, namespace, text: str, name: str):
        need("bird")
        config, socket = case.folder / f"{name}.conf", case.folder / f"{name}.ctl"
        config.write_text(text, encoding="ascii")
        self.process = case.program(["bird", "-f", "-c", str(config), "-s", str(socket), "-P", f"{config}.pid"], name, namespace)
        case.wait_until(socket.exists, 10, f"{name} runs")


class Frr:
    """One router: zebra, and another daemon with these lines of configuration."""

    def __init__(self, case, namespace, lines, name, daemon="pimd"):
        self.case, self.namespace = case, namespace
        self.folder = case.folder / name
        self.folder.mkdir()
        self.daemons: dict[str, process.Process] = {}
        self._start("zebra", [])
        case.wait_until((self.folder / "zserv.api").exists, 10, f"zebra of {name}")
        self._start(daemon, lines)
        case.wait_until((self.folder / f"{daemon}.vty").exists, 10, f"{daemon} of {name}")

    def _start(self, daemon: str, lines) -> None:
        config = self.folder / f"{daemon}.conf"
        config.write_text("\n".join(lines) + "\n", encoding="ascii")
        here = str(self.folder)
        self.daemons[daemon] = self.case.program(
            [str(FRR / daemon), "-u", "root", "-g", "root", "-P", "0", "-f", str(config), "--vty_socket", here,
             "-z", f"{here}/zserv.api", "-i", f"{here}/{daemon}.pid", "--log", "stdout"],
            f"{self.folder.name}-{daemon}", self.namespace)

    def show(self, command: str):
        """What `show ... json` says; {} while there is nothing to say."""
        end = time.monotonic() + 10 * PATIENCE
        while True:
            text = self.namespace.run("vtysh", "--vty_socket", str(self.folder), "-c", f"{command} json", check=False)
            try:
                return json.loads(text or "{}")
            except json.JSONDecodeError:
                if time.monotonic() > end:
                    raise AssertionError(f"{command}: {text!r}") from None
                time.sleep(0.2)

    def load(self, text: str) -> None:
        """A whole frr.conf, as the service gives it to its daemons at their start."""
        (self.folder / "frr.conf").write_text(text, encoding="ascii")
        self.namespace.run("vtysh", "--vty_socket", str(self.folder), "--config_dir", str(self.folder), "-b")

    def configure(self, *lines: str) -> None:
        words = [word for line in ("configure terminal", *lines) for word in ("-c", line)]
        self.namespace.run("vtysh", "--vty_socket", str(self.folder), *words)
