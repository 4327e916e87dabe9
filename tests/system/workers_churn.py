"""Gateways that come, leave, tear down, and vanish in the middle of bursts, served by several workers: those that stay
miss nothing, a vanished one's tunnel is ended by ICMP errors, which the kernel gives to any worker (R-5.3.3.6.4-b), and in
the end nothing is left.

    source ── relay (--workers N) ══ our own gateways
"""

import random
import time

from lib.machine import queue_drops
from lib.multicast import sequence_report
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
STEADY, SECONDS = 8, 8


def run(case):
    workers = int(case.arguments[0])
    line = Line(case)
    # Many vanish from one host, whose kernel would send one error a second to the relay.
    line.gateway.sysctl("net.ipv4.icmp_ratelimit", 0)
    line.gateway.sysctl("net.ipv6.icmp.ratelimit", 0)
    relay = line.start_relay("--workers", workers, "--query-interval", 5)
    groups = {4: (SSM[4], [line.source_address(4)]), 6: (ASM[6], [])}
    for family, (group, _) in groups.items():
        line.stream(family, group, rate=800, sizes=(300,))
    steady = [line.fake_gateway(4 if n % 2 else 6) for n in range(STEADY)]
    for gateway in steady:
        for group, sources in groups.values():
            gateway.join_channel(group, sources)
    case.wait_until(lambda: all(len(one.data) > 64 for one in steady), 10, "data for those that stay")

    chance = random.Random(7)
    before, dropped = relay.snapshot(), queue_drops()
    ends = {"leave": 0, "teardown": 0, "vanish": 0}
    transient, vanished = [], []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        gateway = line.fake_gateway(chance.choice((4, 6)))
        family = chance.choice((4, 6))
        gateway.join_channel(*groups[family])
        transient.append((gateway, family))
        if len(transient) < 10:
            continue
        gateway, family = transient.pop(chance.randrange(len(transient)))
        way = chance.choice(list(ends))
        ends[way] += 1
        if way == "leave":
            gateway.leave_channel(*groups[family])
        elif way == "teardown":
            gateway.teardown(family)
        else:
            vanished.append(gateway.endpoint)
        gateway.close()
    case.figure("gateways that came and went", sum(ends.values()), str(ends))
    case.wait_until(lambda: not set(tunnels(relay)) & set(vanished), 12, "the vanished have no tunnels", poll=0.2)
    changes = moved(before, relay.snapshot())
    case.check(changes.get("tunnels_unreachable", 0) > 0, f"some ended by ICMP errors: {changes}")
    case.figure("ended by ICMP errors", changes["tunnels_unreachable"], f"of {len(vanished)} vanished")
    if workers > 1:
        case.check(changes.get("handed_over", 0) > 0, f"errors are handed over: {changes}")
    for gateway, family in transient:
        gateway.leave_channel(*groups[family])
    case.wait_until(lambda: set(tunnels(relay)) == {one.endpoint for one in steady}, 5, "only the steady are left")
    # What is lost before the relay can do anything is the machine's.
    counted, dropped = moved(before, relay.snapshot()), queue_drops() - dropped
    excused = dropped + counted.get("upstream_drops", 0)
    for gateway in steady:
        gateway.drain()
        # Two streams number their packets apart.
        for group, _ in groups.values():
            mine = [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner() if one.destination == group]
            report = sequence_report(mine)
            case.check(report["lost"] <= excused and not report["duplicated"] and not report["reordered"],
                       f"{gateway.endpoint}: {report} of {len(mine)}, {dropped} dropped by the machine: {counted}")
    for gateway in steady:
        gateway.teardown(4)
    case.wait_until(lambda: not tunnels(relay), 5, "nothing is left")
    shown = relay.snapshot()
    case.check(shown["channels"] == [] and all(one["tunnels"] == 0 for one in shown["workers"]), f"empty: {shown['workers']}")
