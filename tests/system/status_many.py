"""A relay with very many tunnels is asked for its status, again and again, in every form: a stream through it loses nothing,
the answer begins at once and costs little memory, what is asked for is bounded, and the relay ends quickly afterwards.

    source ── relay ══ amt bench (20 000 gateways), a gateway that watches
"""

import http.client
import json
import socket
import threading
import time

from lib.multicast import sequence_report
from lib.topology import SSM, Line

NEEDS = {"namespaces"}
TUNNELS = 20_000
# Each gateway has a socket, and a process 20 000 descriptors on many machines.
BENCHES = 4
QUIET = "232.9.9.9"
QUESTIONS = ("/status", "/status?list=tunnels&sort=bytes&top=10", "/status?limit=1000", "/status?list=channels&top=5",
             "/status?list=counters", "/status?group=232.1.0.0/16")


def connect(daemon) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(60)
    connection.sock.connect(str(daemon.control))
    return connection


def ask(daemon, target: str) -> tuple[float, bytes]:
    """Seconds to the first octets, and all of them."""
    connection = connect(daemon)
    start = time.monotonic()
    connection.request("GET", target)
    answer = connection.getresponse()
    first = answer.read(100)
    begun = time.monotonic() - start
    return begun, first + answer.read()


def tunnel_count(daemon) -> int:
    return json.loads(ask(daemon, "/status?list=counters")[1])["tunnel_count"]


class Storm(threading.Thread):
    """Asks until it is stopped."""

    def __init__(self, daemon, targets):
        super().__init__(daemon=True)
        self._daemon, self._targets = daemon, targets
        self.stopped = threading.Event()
        self.answers, self.first = 0, []

    def run(self) -> None:
        while not self.stopped.is_set():
            for target in self._targets:
                begun, answer = ask(self._daemon, target)
                json.loads(answer)
                self.first.append(begun)
                self.answers += 1


def run(case):
    line = Line(case)
    relay = line.start_relay("--max-tunnels", 2 * TUNNELS, "--max-tunnels-per-address", 2 * TUNNELS,
                             "--max-channels-per-address", 2 * TUNNELS,
                             "--max-requests-per-address", 0, "--max-updates-per-address", 0)
    gateway = line.fake_gateway(4)
    gateway.join_channel(SSM[4], [line.source_address(4)])
    for number in range(BENCHES):
        case.start(["bench", "--relay", line.relay_address(4), "--gateways", TUNNELS // BENCHES, "--group",
                    f"{line.source_address(4)}@{QUIET}", "--duration", 600], f"bench{number}", line.gateway)
    case.wait_until(lambda: tunnel_count(relay) == TUNNELS + 1, 60, "all tunnels", poll=0.2)
    line.stream(4, SSM[4], rate=500, sizes=(400,))
    case.wait_until(lambda: len(gateway.data) > 100, 10, "data")
    resident = relay.resident_octets()

    storms = [Storm(relay, QUESTIONS), Storm(relay, QUESTIONS[:1])]
    for storm in storms:
        storm.start()
    most = resident
    end = time.monotonic() + 8
    while time.monotonic() < end:
        most = max(most, relay.resident_octets())
        time.sleep(0.05)
    for storm in storms:
        storm.stopped.set()
        storm.join(60)
    first = sorted(begun for storm in storms for begun in storm.first)
    case.check(all(storm.answers > 5 for storm in storms), f"answers {[storm.answers for storm in storms]}")
    case.figure("answers in 8 s", [storm.answers for storm in storms], f"first octet: median {first[len(first) // 2] * 1e3:.1f} ms")
    case.figure("memory on top", f"{(most - resident) / 2**20:.1f} MB")
    # The whole answer is 5 MB: it is nowhere at once.
    case.check(most - resident < 4 << 20, f"{(most - resident) / 2**20:.1f} MB for the answers")
    report = sequence_report([int.from_bytes(one.payload[16:20], "big") for one in gateway.inner()])
    case.check(report["lost"] == 0 and report["duplicated"] == 0, f"the stream: {report}")

    whole = json.loads(ask(relay, "/status")[1])
    endpoints = {one["endpoint"] for one in whole["tunnels"]}
    case.check(len(endpoints) == len(whole["tunnels"]) == TUNNELS + 1, f"each tunnel once: {len(endpoints)}")
    summary = case.amt_once(["status", "--control", relay.control])
    case.check(summary.returncode == 0 and len(summary.stdout.splitlines()) < 45, f"a screen: {summary.stdout}")

    # Clients that ask and do not read hold nobody up, nor the relay at its end.
    sleepers = [connect(relay) for _ in range(8)]
    for sleeper in sleepers:
        sleeper.request("GET", "/status")
    case.check(tunnel_count(relay) == TUNNELS + 1, "others are answered")
    case.figure("SIGTERM to the end", f"{relay.terminate() * 1e3:.0f} ms")
