"""One channel that is more than the relay can send does not starve another: that one arrives whole, and what the first loses
is counted. A socket buffer that was too small is counted, too.

    amt send, too much for many gateways ── relay ══ amt bench: many gateways
    amt send, 100 packets a second                   amt bench: a few
"""

import json
import os
import signal
import time

from lib import amt
from lib.machine import queue_drops
from lib.topology import Line, moved

NEEDS = {"namespaces"}
MANY, FEW = 400, 5
# Packets a second.
SMALL_RATE, LARGE_RATE = 100, 28_500
LIMITS = ["--max-requests-per-address", 0, "--max-updates-per-address", 0, "--max-tunnels-per-address", 1000]


def bench(case, line, gateways: int, group: str, seconds: float, name: str):
    return case.start(["bench", "--relay", line.relay_address(4), "--json", "--gateways", gateways, "--group",
                       f"{line.source_address(4)}@{group}", "--duration", seconds], name, line.gateway)


def send(case, line, group: str, rate: int, size: int, name: str):
    return case.start(["send", f"{group}:5000", "--interface", "s0", "--source", line.source_address(4), "--rate", rate,
                       "--size", size], name, line.source)


def overload(case, line, relay) -> None:
    before, dropped = relay.snapshot(), queue_drops()
    small = bench(case, line, FEW, "232.1.1.1", 8, "few")
    send(case, line, "232.1.1.1", SMALL_RATE * 200 * 8, 200, "small")
    time.sleep(1)
    bench(case, line, MANY, "232.1.1.2", 9, "many")
    # Ten times what can be sent to so many, and not so much that the capture buffer is full before the relay has its turn.
    large = send(case, line, "232.1.1.2", LARGE_RATE * 1316 * 8, 1316, "large")
    case.check(small.wait(30) == 0, f"amt bench: {small.err}")
    large.kill()
    got, counted = json.loads(small.out), moved(before, relay.snapshot())
    dropped = queue_drops() - dropped
    shed = counted.get("data_overload", 0)
    case.figure("datagrams of the large channel taken and not sent", f"{shed} of {counted['data_packets_in'] + shed}")
    case.figure("packets of the small one", f"{got['packets']}, {got['lost']} lost, delay p50 "
                f"{got['data_milliseconds']['p50']:.1f} ms, p99 {got['data_milliseconds']['p99']:.1f} ms")
    case.figure("dropped by the capture buffer, and between interfaces", f"{counted.get('upstream_drops', 0)}, {dropped}")
    case.check(shed > 0, f"there was overload, and it is counted: {counted}")
    case.check(got["packets"] > 500 * FEW, f"{got}")
    # What is lost before the relay can do anything is the machine's, or the capture buffer's, when the machine stood still; that
    # does not tell channels apart, and twice the small one's part is chance.
    captured = 2 * counted.get("upstream_drops", 0) * SMALL_RATE / LARGE_RATE
    case.check(got["lost"] <= FEW * (dropped + captured + 2), f"{got['lost']} lost of {got['packets']}")
    case.wait_until(lambda: not relay.snapshot()["tunnels"], 10, "all tunnels gone")


def socket_drops(case, line, relay) -> None:
    gateway = line.fake_gateway(4)
    os.kill(relay.pid, signal.SIGSTOP)
    try:
        for number in range(60_000):
            gateway.send(amt.request(0x5000000 + number, False))
    finally:
        os.kill(relay.pid, signal.SIGCONT)

    def drops() -> int:
        # The kernel tells with the next datagram that finds room.
        gateway.send(amt.request(0x6000000, False))
        return relay.snapshot()["counters"]["socket_receive_drops"]
    case.figure("Requests that found the socket full", case.wait_until(drops, 5, "drops are counted"))
    shown = case.amt_once(["status", "--control", relay.control], namespace=line.relay)
    case.check("socket_receive_drops" in shown.stdout, f"and shown: {shown}")


def run(case):
    line = Line(case)
    relay = line.start_relay(*LIMITS)
    socket_drops(case, line, relay)
    overload(case, line, relay)
