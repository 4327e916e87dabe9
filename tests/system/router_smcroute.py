"""Router mode behind smcroute, which forwards by static routes: every source that it has a route for, whoever wants it.
Argument: the family inside.

                      relay's host
    source ── r0   smcroute   amtr0 ── relay ══ gateways of ours
              routes: r0 -> amtr0
What the kernel forwards out of amtr0 reaches the gateways that want its source, octet for octet, with one hop less.
"""

import time

from lib import packets, routing
from lib.multicast import Capture, RawSource, Source, emit, payload
from lib.patience import PATIENCE
from lib.topology import ASM, PORT, SSM, Line

NEEDS = {"namespaces", "tun"}
# As documented: reports come from the neighbours of the default addresses.
HOST = {4: "198.18.0.2", 6: "fe80::2"}
OWN = {4: "198.18.0.1", 6: "fe80::1"}
LINK_SCOPE = {4: ["224.0.0.251", "224.0.0.13", "224.0.0.1"], 6: ["ff02::fb", "ff02::d", "ff02::1"]}


def specific_query(family: int, group: str) -> bytes:
    """To the group itself, as RFC 3376 §4.1.12 and RFC 3810 §5.1.15 say; answered within 0.5 s."""
    tail = b"\x02\x7d\0\0"
    if family == 4:
        message = packets.with_checksum(b"\x11\x05\0\0" + packets.address(group) + tail)
        return packets.igmp_datagram(message, group, source=OWN[4])
    message = b"\x82\0\0\0\x01\xf4\0\0" + packets.address(group) + tail
    return packets.mld_datagram(message, group, source=OWN[6])


class Reports:
    """What the relay's host says on amtr0."""

    def __init__(self, case, namespace, family: int):
        self.case, self.family = case, family
        self.capture = case.closing(Capture(namespace, "amtr0", outgoing=False))

    def records(self) -> list:
        found = []
        for octets in self.capture.datagrams():
            datagram = packets.parse(octets)
            if datagram.destination not in ("224.0.0.22", "ff02::16") or datagram.version != self.family:
                continue
            self.case.check(datagram.source == HOST[self.family], f"a report from {datagram.source}")
            self.case.check(datagram.ttl == 1 and datagram.router_alert and datagram.transport_ok(), "its header")
            found += packets.parse_report(datagram)
        return found

    def wait_for(self, kind: int, group: str, sources=()) -> None:
        self.case.wait_until(lambda: (kind, group, list(sources)) in self.records(), 5,
                             f"record {kind} of {group} {sources}, got {self.records()}")


def samples(family: int, source: str, group: str) -> list[bytes]:
    """Datagrams of several sizes, hop limits and protocols, and the fragments of one."""
    out = []
    for number, size in enumerate((12, 500, 1316, 1400)):
        out.append(packets.udp_datagram(source, group, PORT, payload(1, number, size), ttl=2 + 20 * number, tos=4 * number))
    out.append(packets.ip(source, group, 253, bytes(range(200)), ttl=9))
    out += packets.fragments(packets.udp_datagram(source, group, PORT, payload(1, 9, 2500), ttl=30), 1280)
    return out


def check_octets(case, line, family, gateway, group):
    sender = case.closing(RawSource(line.source, "s0"))
    sent = samples(family, line.source_address(family), group)
    # The first packet of a route may wait for the daemon; those that are compared come after it.
    first = packets.udp_datagram(line.source_address(family), group, PORT, payload(1, 99, 40), ttl=64)
    deadline = time.monotonic() + 10 * PATIENCE
    while not gateway.data and time.monotonic() < deadline:
        sender.send(first)
        time.sleep(0.1)
    time.sleep(0.5)
    gateway.drain()
    gateway.data.clear()
    for octets in sent:
        sender.send(octets)
    expected = [packets.forwarded(octets) for octets in sent]
    case.wait_until(lambda: len(gateway.data) >= len(expected), 5, f"{len(expected)} datagrams, got {len(gateway.data)}")
    arrived = [octets for *_, octets in gateway.data]
    for index, (got, wanted) in enumerate(zip(arrived, expected)):
        case.check(got == wanted, f"datagram {index}: got {got[:60].hex()}, wanted {wanted[:60].hex()}")
    case.check(len(arrived) == len(expected), "and no more")
    gateway.data.clear()
    # The last hop is the relay's host: nothing is left to forward.
    sender.send(packets.udp_datagram(line.source_address(family), group, PORT, payload(1, 0, 60), ttl=1))
    time.sleep(0.5)
    case.check(not gateway.data, "hop limit 1 ends at the router")
    case.figure(f"IPv{family} octet for octet", len(expected), "datagrams")


def check_filters(case, line, family, group):
    streams = [line.stream(family, group, number=number, stream=number, rate=100, sizes=(100,)) for number in (1, 2)]
    one, two = (line.source_address(family, number) for number in (1, 2))
    gateways = {source: line.fake_gateway(4 if source == one else 6) for source in (one, two)}
    for source, gateway in gateways.items():
        gateway.join_channel(group, [source])
    for source, gateway in gateways.items():
        case.wait_until(lambda here=gateway: len(here.data) >= 100, 15, f"data of {source}")
        origins = {datagram.source for datagram in gateway.inner()}
        case.check(origins == {source}, f"asked for {source}, got {origins}")
    outgoing = case.closing(Capture(line.relay, "amtr0"))
    case.wait_until(lambda: {packets.parse(octets).source for octets in outgoing.datagrams()} >= {one, two}, 5,
                    "smcroute forwards both sources")
    for source, gateway in gateways.items():
        gateway.leave_channel(group, [source])
        case.wait_until(lambda here=gateway: time.monotonic() - here.data[-1][0] > 0.5, 3, f"data of {source} stops")
        gateway.close()
    for stream in streams:
        stream.close()


def check_link_scope(case, line, family, reports, gateway, group):
    gateway.data.clear()
    reports.capture.seen.clear()
    for destination in LINK_SCOPE[family]:
        emit(line.relay, "amtr0", packets.udp_datagram(OWN[family], destination, PORT, bytes(20), ttl=1))
    emit(line.relay, "amtr0", specific_query(family, group))
    reports.wait_for(packets.IS_EX, group)
    # It comes after those before it, and shows that they could have come: untouched, since nobody forwarded it.
    last = packets.udp_datagram(line.source_address(family, 2), group, PORT, payload(3, 0, 60), ttl=7)
    emit(line.relay, "amtr0", last)
    case.wait_until(lambda: gateway.data, 5, "what is sent out of amtr0 for a group that is wanted")
    case.check([octets for *_, octets in gateway.data] == [last], f"nothing else: {gateway.inner()}")


def check_merged(case, line, family, gateway, group):
    """A sender whose kernel merges (UDP_SEGMENT): the pieces arrive apart, with right checksums."""
    size, segments = 1200, 30
    sender = case.closing(Source(line.source, "s0", family, address=line.source_address(family), segment=size))
    gateway.data.clear()
    sender.send(group, PORT, b"".join(payload(4, number, size) for number in range(segments)))
    case.wait_until(lambda: len(gateway.data) >= segments, 5, f"{segments} segments, got {len(gateway.data)}")
    for number, datagram in enumerate(gateway.inner()):
        case.check(datagram.header_ok and datagram.transport_ok(), "checksums")
        case.check(datagram.payload[8:] == payload(4, number, size), f"segment {number}")


def check_made_anew(case, line, family, relay, smcroute, gateway, group):
    """The daemon is told of the new interface, and everything is as before."""
    line.relay.ip("link del amtr0")
    case.wait_until(lambda: "upstream amtr0 is back" in relay.err, 5, "made anew")
    smcroute.reload()
    gateway.data.clear()
    stream = line.stream(family, group, rate=50)
    case.wait_until(lambda: len(gateway.data) > 20, 10, "data by the new interface")
    stream.close()


def run(case):
    family = int(case.arguments[0])
    line = Line(case, sources=2)
    relay = line.start_relay(upstream=("--interface", "amtr0"))
    case.check(line.relay.has_link("amtr0"), "the interface exists when the relay is ready")
    ssm, asm = SSM[family], ASM[family]
    smcroute = routing.Smcroute(case, line.relay, [
        "phyint r0 enable", "phyint amtr0 enable",
        *(f"mroute from r0 source {line.source_address(family, number)} group {group} to amtr0"
          for number in (1, 2) for group in (ssm, asm))])
    reports = Reports(case, line.relay, family)
    gateway = line.fake_gateway(4)
    gateway.join_channel(asm)
    reports.wait_for(packets.TO_EX, asm)

    check_octets(case, line, family, gateway, asm)
    check_merged(case, line, family, gateway, asm)
    check_link_scope(case, line, family, reports, gateway, asm)
    check_filters(case, line, family, ssm)
    reports.wait_for(packets.ALLOW, ssm, [line.source_address(family)])
    reports.wait_for(packets.BLOCK, ssm, [line.source_address(family)])
    shown = [one for one in relay.snapshot()["upstreams"] if one["interface"] == "amtr0"]
    case.check(len(shown) == 1 and shown[0]["mode"] == "router", f"status: {shown}")
    case.check(shown[0]["reports"] >= 4 and shown[0]["queries"] >= 1 and shown[0]["drops"] == 0, f"status: {shown}")
    check_made_anew(case, line, family, relay, smcroute, gateway, asm)
    reports = Reports(case, line.relay, family)
    gateway.leave_channel(asm)
    reports.wait_for(packets.TO_IN, asm)
    relay.terminate()
    case.check(not line.relay.has_link("amtr0"), "the interface is gone after the end")
