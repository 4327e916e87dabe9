"""`amt receive` among other programs: hang-up, pipes, terminals, files that hold something, JSON that a program reads.

    our relay ══ amt receive │ pipe, file, terminal
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

from lib import amt, loopback

NEEDS = {"program"}


def stream(player, packets=20):
    for number in range(packets):
        player.send(loopback.ts_packets(number), pause=0.002)


class OnTerminal:
    """A program whose standard error is a terminal."""

    def __init__(self, case, words, stdout):
        self.main, side = pty.openpty()
        self.popen = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=side, env=case.env)
        os.close(side)
        self.shown = ""
        case.closing(self)

    def read(self, seconds: float) -> str:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.main], [], [], left)[0]:
                try:
                    self.shown += os.read(self.main, 4096).decode()
                except OSError:  # the other side is closed
                    break
        return self.shown

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        os.close(self.main)


def takes_hang_up(process) -> bool:
    """It has said what SIGHUP, the first signal, is to do."""
    masks = re.findall(r"^Sig(?:Blk|Cgt):\s+(\w+)$", pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii"), re.M)
    return any(int(mask, 16) & 1 for mask in masks)


def hang_up_others(case, player):
    """Whoever is no daemon ends well when its terminal is closed, and tells whom it asked."""
    source = ["--interface", "lo", "--source", "127.0.0.1"]
    for words, ready in ((["send", f"{loopback.GROUP}:5000", *source], takes_hang_up),
                         (["discover", "--discovery", loopback.address(77)], lambda one: one.out),
                         (["bench", "--relay", player.address, "--gateways", 1, "--group", f"{loopback.SOURCE}@{loopback.GROUP}",
                           "--duration", 60], lambda _: player.relay.tunnels)):
        one = case.start(words, words[0])
        case.wait_until(lambda: ready(one), 10, f"{words[0]} runs")
        one.signal(signal.SIGHUP)
        case.check(one.wait(5) in (0, 1), f"{words[0]} after SIGHUP: {one.status} {one.err}")
        case.wait_until(lambda: not player.relay.tunnels, 2, f"{words[0]}: the relay heard of it")


def run(case):
    player = loopback.Player(case)
    url, relay = loopback.URL, player.relay
    hang_up_others(case, player)

    # A terminal that is closed: Teardown or leave, status 0. Under nohup it goes on.
    receiver = player.receive("-o", case.folder / "hangup", name="hangup")
    player.wait_joined()
    receiver.signal(signal.SIGHUP)
    case.check(receiver.wait(3) == 0, f"SIGHUP is a clean end: {receiver.status} {receiver.err}")
    case.wait_until(lambda: not relay.tunnels, 2, "the relay heard of it")
    receiver = case.program(["nohup", case.amt, "receive", url, "--relay", player.address, "-o", str(case.folder / "nohup.ts")], "nohup")
    player.wait_joined()
    receiver.signal(signal.SIGHUP)
    stream(player)
    case.wait_until(lambda: (case.folder / "nohup.ts").stat().st_size == 20 * 1316, 5, "it receives under nohup")
    case.check(receiver.status is None, "and lives on after SIGHUP")
    receiver.terminate()

    # Schemes know no case, and a port may be empty (RFC 3986).
    receiver = player.receive("--count", 3, "-o", case.folder / "odd", name="odd", channel=f"AMT://{loopback.SOURCE}@{loopback.GROUP}:")
    player.wait_joined()
    stream(player)
    case.check(receiver.wait(5) == 0, receiver.err)

    # A recording is not overwritten, an empty file is no recording.
    out = case.folder / "recording.ts"
    out.write_bytes(b"precious")
    refused = case.amt_once(["receive", url, "--relay", player.address, "-o", out, "--duration", 1])
    case.check(refused.returncode == 2 and str(out) in refused.stderr and "--overwrite" in refused.stderr, f"a recording is kept: {refused}")
    case.check(out.read_bytes() == b"precious", "what was there is there")
    done = case.amt_once(["receive", url, "--relay", player.address, "-o", out, "--overwrite", "--duration", "0.2"])
    case.check(done.returncode == 0 and out.read_bytes() == b"", f"--overwrite: {done}")
    done = case.amt_once(["receive", url, "--relay", player.address, "-o", out, "--duration", "0.2"])
    case.check(done.returncode == 0, f"an empty file may be written: {done}")

    # --verify writes no payload, and the JSON is alone on standard output; foreign packets are no damage.
    receiver = player.receive("--verify", "--stats", "json", "--count", 20, name="verify")
    player.wait_joined()
    stream(player)
    case.check(receiver.wait(5) == 0, f"nothing lost or damaged: {receiver.status} {receiver.err}")
    lines = receiver.out.splitlines()
    case.check(len(lines) == 1 and lines[0].startswith(b"{"), f"one line on standard output: {len(receiver.out)} octets")
    told = json.loads(lines[0])
    case.check(told["foreign"] == 20 and told["damaged"] == 0 and told["received"] == 0, f"{told}")

    # -q is silent about success, and not about losses.
    for name, numbers, silent in (("whole", (0, 1, 2), True), ("lossy", (0, 1, 3), False)):
        receiver = player.receive("-q", "--count", 3, "-o", case.folder / f"quiet_{name}", "--log-level", "warn", name=name)
        player.wait_joined()
        for number in numbers:
            player.send(loopback.ts_packets(number))
        case.check(receiver.wait(5) == 0, receiver.err)
        case.check((receiver.err == "") == silent, f"-q {name}: {receiver.err!r}")
        case.check(silent or "MPEG-TS: at least 7 lost" in receiver.err, receiver.err)

    # All lines are JSON; lines of text have a date.
    receiver = player.receive("--log-json", "--count", 3, "-o", case.folder / "json", name="log_json")
    player.wait_joined()
    stream(player, 3)
    case.check(receiver.wait(5) == 0, receiver.err)
    lines = receiver.err.splitlines()
    case.check(all(line.startswith("{") for line in lines), f"each line is JSON: {lines}")
    messages = [json.loads(line)["message"] for line in lines]
    case.check(any("received 3 packets" in one for one in messages), f"the summary too: {messages}")
    receiver = player.receive("--count", 3, "-o", case.folder / "text", name="log_text")
    player.wait_joined()
    stream(player, 3)
    case.check(receiver.wait(5) == 0, receiver.err)
    dated = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d [a-z]+: ")
    case.check(all(dated.match(line) for line in receiver.err.splitlines()[:-1]), f"RFC 3339: {receiver.err}")

    # A live line on a terminal; none where a player behind the pipe draws on the same line.
    reading, writing = os.pipe()
    words = [case.amt, "receive", url, "--relay", player.address]
    with open(os.devnull, "wb") as nothing:
        alone = OnTerminal(case, [*words, "-o", str(case.folder / "alone.ts")], nothing)
    case.wait_until(lambda: len(relay.tunnels) == 1, 5, "joined")
    piped = OnTerminal(case, words, writing)
    os.close(writing)
    case.wait_until(lambda: len(relay.tunnels) == 2, 5, "joined")
    stream(player)
    shown = {one: one.read(2.5) for one in (alone, piped)}
    case.check("Mbit/s" in shown[alone] and "\x1b[K" in shown[alone], f"a live line: {shown[alone]!r}")
    case.check("Mbit/s" not in shown[piped] and "\x1b" not in shown[piped], f"no live line: {shown[piped]!r}")
    os.close(reading)
    for one in (alone, piped):
        one.popen.send_signal(signal.SIGINT)
        case.check(one.popen.wait(5) == 0, one.read(0.1))

    # What a relay answers to SIGHUP: it serves on.
    relay_port = str(amt.PORT)
    daemon = case.daemon(["relay", "--local", loopback.address(9), "--relay-port", relay_port, "--upstream", "lo"], "relay", None)
    daemon.signal(signal.SIGHUP)
    case.wait_until(lambda: "reload: no option has changed" in daemon.err, 5, "it says so")
    case.check(daemon.snapshot()["role"] == "relay" and daemon.status is None, "a relay lives on")
    daemon.terminate()
