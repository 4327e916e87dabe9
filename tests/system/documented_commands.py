"""Every `amt` command in the README, the guides and the helps, as it stands: it starts, does what it says (receivers receive),
and ends well. The addresses of the documentation ranges are here. Commands of other programs: documented_tools.py,
documented_shell.py, documented_players.py.

    source ──── up0  world: relay  net0 ──── eth0  user  eth1, br0            site  eth0: the relays that are shown
    198.51.100.10, 2001:db8::10, 10.1.0.1      192.0.2.1, 2001:db8::1, 10.0.0.1, 192.52.193.1
"""

import os
import re
import shlex
import signal
import subprocess
import time

from lib import multicast, netns
from lib.documented import ROOT, blocks
from lib.own_etc import own_etc

NEEDS = {"namespaces"}
COMMANDS = ("relay", "gateway", "receive", "serve", "send", "announce", "discover", "status", "top", "reload", "drain", "bench", "demo")
UNLIMITED = ("--max-tunnels-per-address", "100000", "--max-requests-per-address", "0", "--max-updates-per-address", "0")
# Commands that do not do what they should, and must be found out.
BROKEN = ("amt relay --upstreem eth0", "amt relay --upstream eth7", "amt gateway --relay 192.0.2.1 --downstream nosuch1",
          "amt receive --relay 192.0.2.1 --duration 2 amt://198.51.100.77@232.1.1.1:5001", "amt status --control /run/amt/nobody.sock",
          "amt discover --dns-sd-domain example..net", "amt send 10.0.0.1:5001 --interface eth0")
# These print something, and end.
OTHERS = ("man", "example-config", "completion", "--version")
# demo.py runs it: it builds networks for half a minute.
LEFT_OUT = {"demo"}
# Ends by itself, or is told to after so long.
PATIENCE = {"discover": 40, "status": 10, "reload": 10, "drain": 10, "receive": 40, "serve": 3, "send": 3, "announce": 3, "relay": 2, "gateway": 3, "bench": 6, "top": 2}


def documented(case) -> list[str]:
    lines = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for line in page.read_text(encoding="utf-8").splitlines():
            if re.match(r" {4}(\$ )?(sudo )?amt [a-z-]", line):
                lines.append(line.strip().removeprefix("$ "))
    listed = case.amt_once(["--help"]).stdout
    named = re.findall(r"^  ([a-z]+) {2,}", listed.split("Subcommands:")[1].split("\n\n")[0], re.MULTILINE)
    case.check(sorted(named) == sorted(COMMANDS), f"subcommands that this test does not know: {set(named) ^ set(COMMANDS)}")
    lines += [line.strip() for line in listed.split("Examples:")[1].splitlines() if line.startswith("  amt ")]
    lines += [re.split(r"\s{2,}| \[", line.strip())[0] for line in listed.splitlines() if re.match(r"  amt (?!SUBCOMMAND)\S+.*\s{2,}", line)]
    for command in COMMANDS:
        shown = case.amt_once([command, "--help"]).stdout
        lines += [line.strip() for line in shown.splitlines() if re.match(r" {6}amt ", line)]
    # What stands before a pipe, an ampersand or a comment; `sudo` is what this test is already.
    found = []
    for line in lines:
        word = re.split(r"\s+[|&#]", line.removeprefix("sudo "))[0].strip()
        if word not in found:
            found.append(word)
    return found


def network(case):
    source, world, user = case.host("source"), case.host("world"), case.host("user")
    netns.link(source, "s0", world, "up0", ["198.51.100.10/24", "10.1.0.1/24", "2001:db8:5::10/64"],
               ["198.51.100.254/24", "10.1.0.254/24", "2001:db8:5::1/64"])
    netns.link(world, "net0", user, "eth0", ["192.0.2.1/24", "10.0.0.1/24", "2001:db8::1/64"],
               ["192.0.2.2/24", "10.0.0.2/24", "2001:db8::2/64"])
    world.ip("addr add 192.52.193.1/32 dev lo")
    source.ip("addr add 2001:db8::10/128 dev s0", "route add default via 198.51.100.254", "route add default via 2001:db8:5::1")
    # The source of the IPv6 examples is in the user's own prefix by its address, and elsewhere by its route.
    world.ip("route add 2001:db8::10/128 dev up0")
    user.ip("route add default via 192.0.2.1", "route add 2001:db8::10/128 via 2001:db8::1",
            "link add eth1 type veth peer name eth1x", "link set eth1x up", "link set eth1 up", "addr add 203.0.113.1/24 dev eth1",
            "link add br0 type bridge", "link set br0 up")
    case.daemon(["relay", "--local", "192.0.2.1", "--local", "10.0.0.1", "--local", "2001:db8::1", "--discovery", "192.52.193.1",
                 "--upstream", "up0", *UNLIMITED], "world_relay", world)
    for family, address, groups in ((4, "198.51.100.10", ("232.1.1.1", "232.1.2.3", "232.1.2.1")), (6, "2001:db8::10", ("ff3e::1",))):
        for number, group in enumerate(groups):
            sender = case.closing(multicast.Source(source, "s0", family, address=address))
            case.closing(multicast.Stream(sender, group, 5001, rate=100, stream=number + 1))
    # A host for the relays that are shown: they have the addresses of the one that serves here.
    site = case.host("site")
    site.ip("link add eth0 type veth peer name eth0x", "link set eth0x up", "link set eth0 up", "addr add 192.0.2.1/24 dev eth0",
            "addr add 10.0.0.1/24 dev eth0", "addr add 10.20.0.2/24 dev eth0", "link add eth1 type veth peer name eth1x",
            "link set eth1x up", "link set eth1 up", "route replace local 192.52.193.1/32 dev lo", "addr add 2001:db8::1/64 dev eth0 nodad", "route add default via 192.0.2.254")
    return user, site


def files(case) -> None:
    """What the commands name: a host, a video, a list of channels, a configuration."""
    etc = own_etc(case, hosts="192.0.2.1 relay.example.net", resolver="192.0.2.53")
    with open(etc / "amt/relay.toml", "a", encoding="ascii") as config:
        config.write('upstream = ["eth0"]\n')
    for block in blocks(ROOT / "docs/operating.md"):
        name = {"#!/bin/sh": "announce", "# amt keys": "keys"}.get(block[0])
        if name:
            (etc / "amt" / name).write_text("\n".join(block) + "\n", encoding="ascii")
            (etc / "amt" / name).chmod(0o700)
    (case.folder / "channels.m3u").write_text("#EXTM3U\n#EXTINF:-1,One\namt://198.51.100.10@232.1.1.1:5001\n", encoding="ascii")
    (case.folder / "session.sdp").write_text("v=0\no=- 1 1 IN IP4 192.0.2.2\ns=One\nc=IN IP4 239.1.1.1/16\nt=0 0\n"
                                             "m=video 5004 RTP/AVP 33\n", encoding="ascii")
    (case.folder / "video.ts").write_bytes(b"".join(bytes([0x47, 1, 0, 0x10 | n & 15]) + bytes(184) for n in range(4000)))


class Run:
    def __init__(self, case, host, words: list[str]):
        self.words = words
        self.out, self.err = case.folder / "stdout", case.folder / "stderr"
        self.out.unlink(missing_ok=True)
        self.err.unlink(missing_ok=True)
        command = [case.amt, *words[1:]]
        if words[1:] == ["top"]:  # the one that needs a terminal
            command = ["script", "--quiet", "--return", "--command", shlex.join(command), "/dev/null"]
        with host.enter(), open(self.err, "wb") as err:
            self.popen = subprocess.Popen(command, cwd=case.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err,
                                          env={**case.env, "TERM": "xterm"})

    def end(self, seconds: float) -> tuple[int, bytes]:
        """Waits; then SIGTERM. A receiver's output is read: the first datagrams are enough."""
        got, until = b"", time.monotonic() + seconds
        os.set_blocking(self.popen.stdout.fileno(), False)
        while self.popen.poll() is None and time.monotonic() < until:
            got += self.popen.stdout.read() or b""
            if self.words[1] == "receive" and len(got) > 5000:
                break
            time.sleep(0.02)
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise
        return self.popen.returncode, got + (self.popen.stdout.read() or b"")


def execute(case, user, site, line: str) -> None:
    words = shlex.split(line)
    command = words[1]
    beside = None
    host = site if command == "relay" else user
    if command in ("status", "top", "reload", "drain") or "127.0.0.1" in line:
        beside = Run(case, user, ["amt", "relay", "--local", "127.0.0.1", "--upstream", "eth0", *UNLIMITED])
    if "--take-over" in words:
        beside = Run(case, host, [word for word in words if word != "--take-over"])
    if beside:
        case.wait_until(lambda: "ready" in beside.err.read_text(encoding="utf-8"), 10, "somebody to ask")
    one = Run(case, host, words)
    status, out = one.end(PATIENCE.get(command, 10))
    err = one.err.read_text(encoding="utf-8", errors="replace")
    if beside:
        case.check("--take-over" not in words or beside.popen.wait(20) == 0, f"{line}: the one before has not ended")
        beside.popen.terminate()
        beside.popen.wait(10)
    # Nobody here answers the DNS, so there may be no relay to discover; the load's groups need not be sent to.
    good = {0, 1} if command in ("discover", "bench") else {0}
    case.check(status in good, f"{line}: status {status}\n{err}")
    if command == "receive":
        case.check("first packet after" in err, f"{line}: nothing came\n{err}")
    if command in ("relay", "gateway", "serve", "announce"):
        case.check(re.search(r"\bready\b", err), f"{line}: not ready\n{err}")
    case.check(command not in ("status", "top") or b"relay" in out, f"{line}: {out!r}")
    case.check(command not in OTHERS or len(out) > 10, f"{line}: {out!r}")


def run(case):
    user, site = network(case)
    files(case)
    case.need_tun()
    found = documented(case)
    unknown = [line for line in found if line.split()[1] not in (*COMMANDS, *OTHERS)]
    case.check(not unknown, f"no subcommands: {unknown}")
    lines = [line for line in found if line.split()[1] not in LEFT_OUT]
    for line in lines:
        execute(case, user, site, line)
    case.check(len(lines) > 25, f"only {len(lines)} commands were found")
    case.figure("documented commands executed", len(lines))
    for line in BROKEN:
        try:
            execute(case, user, site, line)
        except AssertionError:
            continue
        case.check(False, f"nothing is found wrong with: {line}")
    case.figure("broken commands found out", len(BROKEN))
