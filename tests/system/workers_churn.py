"""Gateways that come, leave, tear down, and vanish in the middle of bursts, served by several workers: those that stay
miss nothing, a vanished one's tunnel is ended by ICMP errors, which the kernel gives to any worker (R-5.3.3.6.4-b), and in
the end nothing is left.

    source ── relay (--workers N) ══ our own gateways
"""

import random
import time

from lib import packets
from lib.machine import queue_drops
from lib.multicast import sequence_report
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
STEADY, SECONDS = 8, 8


# A window in which this machine's queues between interfaces dropped something, of whatever program, judges nobody.
WINDOWS_MAX = 5


class Churn:
    def __init__(self, case, line, relay, groups):
        self.case, self.line, self.relay, self.groups = case, line, relay, groups
        self.chance = random.Random(7)
        self.ends = {"leave": 0, "teardown": 0, "vanish": 0}
        self.transient, self.vanished = [], []

    def go_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            gateway = self.line.fake_gateway(self.chance.choice((4, 6)))
            family = self.chance.choice((4, 6))
            gateway.join_channel(*self.groups[family])
            self.transient.append((gateway, family))
            if len(self.transient) < 10:
                continue
            gateway, family = self.transient.pop(self.chance.randrange(len(self.transient)))
            way = self.chance.choice(list(self.ends))
            self.ends[way] += 1
            if way == "leave":
                gateway.leave_channel(*self.groups[family])
            elif way == "teardown":
                gateway.teardown(family)
            else:
                self.vanished.append(gateway.endpoint)
            gateway.close()
        self.case.wait_until(lambda: not set(tunnels(self.relay)) & set(self.vanished), 12, "the vanished have no tunnels", poll=0.2)


def take_numbers(gateway) -> dict[str, list[int]]:
    """What came since the last time, by group."""
    gateway.drain()
    octets = [inner for _, _, inner in gateway.data]
    del gateway.data[:len(octets)]
    found: dict[str, list[int]] = {}
    for one in map(packets.parse, octets):
        found.setdefault(one.destination, []).append(int.from_bytes(one.payload[16:20], "big"))
    return found


def rejoin(steady, groups) -> None:
    """A tunnel lives for 20 s after its last report."""
    for gateway in steady:
        for group, sources in groups.values():
            gateway.join_channel(group, sources)


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

    churn, before = Churn(case, line, relay, groups), relay.snapshot()
    for window in range(1, WINDOWS_MAX + 1):
        rejoin(steady, groups)
        for gateway in steady:
            take_numbers(gateway)
        dropped, counted = queue_drops(), relay.snapshot()
        churn.go_on(SECONDS if window == 1 else SECONDS / 2)
        mine = {(gateway.endpoint, group): numbers for gateway in steady for group, numbers in take_numbers(gateway).items()}
        rejoin(steady, groups)
        counted, dropped = moved(counted, relay.snapshot()), queue_drops() - dropped
        # Two streams number their packets apart.
        reports = {key: sequence_report(value) for key, value in mine.items()}
        case.check(len(mine) == 2 * STEADY and all(len(value) > 64 for value in mine.values()), f"data goes on: {reports}")
        for key, report in reports.items():
            case.check(not report["duplicated"] and not report["reordered"], f"{key}: {report}: {counted}")
        lost = {key: report["lost"] for key, report in reports.items() if report["lost"]}
        if not lost or not dropped:
            break
        case.note(f"window {window}: this machine dropped {dropped} packets between its interfaces, {lost}")
    case.check(not lost, f"lost {lost}, {dropped} dropped by the machine in each of {window} windows: {counted}")
    case.figure("gateways that came and went", sum(churn.ends.values()), str(churn.ends))

    changes = moved(before, relay.snapshot())
    case.check(changes.get("tunnels_unreachable", 0) > 0, f"some ended by ICMP errors: {changes}")
    case.figure("ended by ICMP errors", changes["tunnels_unreachable"], f"of {len(churn.vanished)} vanished")
    if workers > 1:
        case.check(changes.get("handed_over", 0) > 0, f"errors are handed over: {changes}")
    for gateway, family in churn.transient:
        gateway.leave_channel(*groups[family])
    case.wait_until(lambda: set(tunnels(relay)) == {one.endpoint for one in steady}, 5, "only the steady are left")
    for gateway in steady:
        gateway.teardown(4)
    case.wait_until(lambda: not tunnels(relay), 5, "nothing is left")
    shown = relay.snapshot()
    case.check(shown["channels"] == [] and all(one["tunnels"] == 0 for one in shown["workers"]), f"empty: {shown['workers']}")
