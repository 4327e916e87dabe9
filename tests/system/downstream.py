"""Hosts on the LANs behind a gateway get every octet of what they join, by their own kernels' IGMP and MLD, and nothing
else: two LANs, several hosts, the gateway's own interface beside them (P-a, P-c, P-f, P-k). A change on one of them is
told upstream (P-e), and what is forwarded follows at once (P-h).

    source ── relay ══ tunnel ══ gateway ─┬─ l0 ── LAN A: host a
                                          ├─ l1 ── LAN B: host b
                                          └─ amt0: a program on the gateway
"""

import time

from lib import netns, packets
from lib.multicast import Capture, Listener, sequence_report
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces", "tun"}
PACKETS = 400
OTHER = {4: "239.7.7.7", 6: "ff1e::7:7"}


class Lans:
    def __init__(self, case, line, names=("a", "b")):
        self.case, self.hosts = case, {}
        for number, name in enumerate(names):
            host = case.host(name)
            netns.link(line.gateway, f"l{number}", host, "h0", [f"192.168.{number}.1/24"], [f"192.168.{number}.9/24"])
            host.ip(f"route add default via 192.168.{number}.1", "route add ::/0 dev h0")
            self.hosts[name] = host

    def listener(self, name, family, group=None, sources=()):
        return self.case.closing(Listener(self.hosts[name], "h0", family, 5000, group=group, sources=sources))

    def capture(self, name):
        return self.case.closing(Capture(self.hosts[name], "h0", outgoing=False))


def data(capture, group) -> list:
    return [one for one in map(packets.parse, capture.datagrams())
            if one.protocol == packets.UDP and one.destination == group]


def downstreams(gateway) -> dict:
    return {one["interface"]: one for one in gateway.snapshot()["downstreams"]}


def groups(gateway, interface) -> list[str]:
    return [one["group"] for one in downstreams(gateway)[interface]["groups"]]


def every_octet(case, line, lans, gateway, capture, family):
    source = line.source_address(family)
    for kind, group, sources in (("SSM", SSM[family], [source]), ("ASM", ASM[family], [])):
        stream = line.stream(family, group, rate=400)
        listener = lans.listener("a", family, group, sources)
        case.wait_until(lambda: listener.count >= PACKETS, 20, f"{PACKETS} packets of {kind} {group} (got {listener.count})")
        report = sequence_report(listener.numbers())
        case.check(listener.damaged == 0 and listener.origins() == {source} and not any(report.values()),
                   f"{kind}: {listener.damaged} damaged, from {listener.origins()}, {report}")
        seen = data(capture, group)
        # The source sends with 16; relay and gateway are one router each.
        case.check({one.ttl for one in seen} == {14}, f"TTL or Hop Limit {({one.ttl for one in seen})}")
        case.check(all(one.header_ok and one.transport_ok() for one in seen), "headers and checksums")
        case.figure(f"IPv{family} {kind} packets on the LAN", len(seen))
        listener.close()
        leave(case, gateway, capture, group)
        stream.close()


def leave(case, gateway, capture, group):
    """The last listener of the LAN has gone: two queries later (Last Member Query Time, 2 s) nothing comes any more."""
    case.wait_until(lambda: group not in groups(gateway, "l0"), 6, f"{group} is left", poll=0.1)
    case.check(group not in [one["group"] for one in gateway.snapshot()["memberships"]], "and left upstream")
    capture.drain()
    before = len(data(capture, group))
    time.sleep(0.5)
    case.check(len(data(capture, group)) - before <= 1, f"{len(data(capture, group)) - before} packets after the leave")


def apart(case, line, lans, gateway, captures, family):
    """What one LAN wants does not reach another, nor the gateway's own interface."""
    own = case.closing(Capture(line.gateway, "amt0", outgoing=False))
    streams = [line.stream(family, group, rate=200) for group in (ASM[family], OTHER[family])]
    a, b = lans.listener("a", family, ASM[family]), lans.listener("b", family, OTHER[family])
    case.wait_until(lambda: a.count > 200 and b.count > 200, 20, f"data on both LANs (got {a.count}, {b.count})")
    case.check(not data(captures["b"], ASM[family]) and not data(captures["a"], OTHER[family]), "LANs apart")
    case.check(not data(own, ASM[family]) and not data(own, OTHER[family]), "nothing on amt0")
    mine = line.listener(family, ASM[family])
    case.wait_until(lambda: mine.count > 100, 10, "a program on the gateway's host, too")
    case.check({one.ttl for one in data(own, ASM[family])} == {15}, "amt0 is where the tunnel ends")
    case.check(not data(captures["b"], ASM[family]), "still nothing on LAN B")
    b.join_group(ASM[family])
    case.wait_until(lambda: data(captures["b"], ASM[family]), 10, "LAN B joins, too")
    shown = downstreams(gateway)
    case.check(set(groups(gateway, "l1")) >= {ASM[family], OTHER[family]} and ASM[family] in groups(gateway, "amt0"),
               f"status: {shown}")
    case.check(all(shown[name]["querier"] == {"ipv4": True, "ipv6": True} for name in shown), f"querier: {shown}")
    for one in (*streams, a, b, mine, own):
        one.close()


def run(case):
    line = Line(case)
    lans = Lans(case, line)
    line.start_relay()
    gateway = line.start_gateway(4, "--downstream", "l0", "--downstream", "l1")
    captures = {name: lans.capture(name) for name in lans.hosts}
    for family in (4, 6):
        every_octet(case, line, lans, gateway, captures["a"], family)
        case.check(not data(captures["b"], SSM[family]) and not data(captures["b"], ASM[family]), "nothing on LAN B")
    for family in (4, 6):
        for capture in captures.values():
            capture.seen.clear()
        apart(case, line, lans, gateway, captures, family)
    text = case.amt_once(["status", "--control", gateway.control])
    case.check("l0" in text.stdout and "l1" in text.stdout and "downstream" in text.stdout, f"for people: {text.stdout}")
    counters = gateway.snapshot()["counters"]
    case.check(counters["interface_drops"] == 0 and counters["downstream_too_big"] == 0, f"{counters}")
