"""The systemd units: systemd knows every line of them, and finds each service well confined. ufw, firewalld and nft can read what
is meant for them, as far as they are installed."""

import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

from lib.scenario import Skipped

NEEDS = {"program"}
EXPOSURE_MAX = 2.0
PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"


def go(*command) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(case):
    xml.etree.ElementTree.parse(PACKAGING / "firewall/amt-relay.xml")
    if shutil.which("nft"):
        done = go("nft", "--check", "--file", PACKAGING / "firewall/amt.nft")
        case.check(done.returncode == 0 or "ermitted" in done.stderr, f"nft: {done.stderr}")
    if shutil.which("systemd-analyze") is None:
        raise Skipped("systemd-analyze is not installed")
    for unit in sorted((PACKAGING / "systemd").glob("*.service.in")):
        # An instance has a name.
        path = case.folder / unit.name.removesuffix(".in").replace("@.", "@lan.")
        path.write_text(unit.read_text(encoding="utf-8").replace("@bindir@/amt", case.amt), encoding="utf-8")
        done = go("systemd-analyze", "verify", "--man=no", path)
        # Whatever else is installed on this machine may be complained of, too.
        complaints = [line for line in (done.stdout + done.stderr).splitlines() if path.name in line]
        case.check(not complaints, f"{unit.name}: {complaints}")
        done = go("systemd-analyze", "security", "--offline=true", "--no-pager", path)
        level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        case.check(level is not None, f"{unit.name}: {done}")
        case.figure(f"exposure of {path.name} (0 best, 10 worst)", level.group(1))
        case.check(float(level.group(1)) <= EXPOSURE_MAX, f"{unit.name}:\n{done.stdout}")
