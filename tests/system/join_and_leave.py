"""How long a join and a leave take, first by the messages of RFC 7450, then (`tun`) by an ordinary program.

    source ── relay ══ tunnel ══ our own gateway, or gateway and a listener on amt0
Bounds are the documented ones: Request to first data under 1 s, leave to last data under 0.5 s. The median is judged: a
machine that stands still spoils one round.
"""

import statistics
import time

from lib import amt, packets
from lib.multicast import Capture
from lib.topology import ASM, SSM, Line, tunnels

NEEDS = {"namespaces"}
ROUNDS = 5


def by_messages(case, line, relay, family, group, sources):
    joins, leaves = [], []
    for _ in range(ROUNDS):
        gateway = line.fake_gateway(family)
        start = time.monotonic()
        gateway.join_channel(group, sources)
        case.wait_until(lambda: len(gateway.data) >= 20, 5, f"data of {group}")
        joins.append(gateway.data[0][0] - start)
        left = time.monotonic()
        gateway.leave_channel(group, sources)
        time.sleep(0.7)
        gateway.drain()
        leaves.append(max(0.0, gateway.data[-1][0] - left))
        case.wait_until(lambda: gateway.endpoint not in tunnels(relay), 1, "the tunnel leaves status with its last membership")
        gateway.close()
    case.figure(f"{group} Request to first data, median", statistics.median(joins) * 1000, "ms")
    case.figure(f"{group} leave to last data, largest", max(leaves) * 1000, "ms")
    case.check(statistics.median(joins) < 1.0, f"joins took {joins}")
    case.check(statistics.median(leaves) < 0.5, f"leaves took {leaves}")


def by_program(case, line, family, group, sources):
    joins, leaves = [], []
    capture = case.closing(Capture(line.gateway, "g0", outgoing=False))

    def data_times():
        return [at for at, octets in list(capture.seen)
                if (datagram := packets.parse(octets)).protocol == packets.UDP and datagram.payload[8:9] == bytes([amt.DATA])]
    for _ in range(ROUNDS):
        listener = line.listener(family)
        capture.seen.clear()
        start = time.monotonic()
        listener.join_group(group, sources)
        case.wait_until(lambda: listener.count >= 20, 10, f"data of {group}")
        joins.append(listener.arrivals[0][0] - start)
        left = time.monotonic()
        listener.leave_group(group, sources)
        # The host's own report on amt0 may be repeated; the first one must do.
        time.sleep(1.0)
        capture.drain()
        leaves.append(max(0.0, data_times()[-1] - left))
        listener.close()
    case.figure(f"{group} join() to first packet, median", statistics.median(joins) * 1000, "ms")
    case.figure(f"{group} leave() to last packet, largest", max(leaves) * 1000, "ms")
    case.check(statistics.median(leaves) < 0.5, f"leaves took {leaves}")
    case.check(statistics.median(joins) < 2.0, f"joins took {joins}")


def run(case):
    line = Line(case)
    relay = line.start_relay()
    if case.arguments == ["tun"]:
        line.start_gateway(4)
    for family in (4, 6):
        for group, sources in ((SSM[family], [line.source_address(family)]), (ASM[family], [])):
            stream = line.stream(family, group, rate=500, sizes=(200,))
            if case.arguments == ["tun"]:
                by_program(case, line, family, group, sources)
            else:
                by_messages(case, line, relay, family, group, sources)
            stream.close()
