"""ICMP is hearsay (R-5.3.3.6.1-c; RFC 7450 §6.1): forged errors, also such as quote to the last octet what the relay sent,
take nothing from anybody. The gateway they quote loses no packet of 1316 octets and not its tunnel, others at its address
lose nothing, the source hears nothing.

    source ── relay ══ two gateways of ours at one address, and a forger

Argument `4` or `6`: the family outside.
"""

import socket
import struct
import time

from lib import amt, multicast, packets
from lib.multicast import Capture, sequence_report
from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
NARROW = {4: 552, 6: 1280}
BODY = 1316


class Forger:
    def __init__(self, line: Line, outer: int):
        self.relay, self.outer = line.relay_address(outer), outer
        kind, protocol = (socket.AF_INET, packets.ICMP) if outer == 4 else (socket.AF_INET6, packets.ICMPV6)
        with line.gateway.enter():
            self.socket = socket.socket(kind, socket.SOCK_RAW, protocol)
        self.close = self.socket.close

    def _quote(self, address: str, port: int, body: bytes) -> bytes:
        datagram = packets.udp(self.relay, address, amt.PORT, port, body)
        if self.outer == 4:
            return packets.ipv4(self.relay, address, packets.UDP, datagram, fragment=0x4000)[:500]
        return packets.ipv6(self.relay, address, packets.UDP, datagram)[:1200]

    def too_big(self, address: str, port: int, body: bytes, mtu: int) -> None:
        quote = self._quote(address, port, body)
        self.socket.sendto(packets.parse(packets.too_big(address, self.relay, mtu, quote)).payload, (self.relay, 0))

    def unreachable(self, address: str, port: int, body: bytes) -> None:
        kind = (3, 3) if self.outer == 4 else (1, 4)
        message = struct.pack("!BBHI", *kind, 0, 0) + self._quote(address, port, body)
        # The kernel fills in the checksum of ICMPv6.
        self.socket.sendto(packets.with_checksum(message) if self.outer == 4 else message, (self.relay, 0))


def run(case):
    outer = int(case.arguments[0])
    line = Line(case)
    relay = line.start_relay("--max-unreachable", 3)
    at_source = case.closing(Capture(line.source, "s0", outgoing=False))
    gateways = [line.fake_gateway(outer) for _ in range(2)]
    streams = {family: line.stream(family, SSM[family], stream=family, rate=200, sizes=(BODY,)) for family in (4, 6)}
    for gateway in gateways:
        for family in (4, 6):
            gateway.join_channel(SSM[family], [line.source_address(family)])
    case.wait_until(lambda: all({one.version for one in gateway.inner()} == {4, 6} for gateway in gateways), 10, "data")
    quoted = gateways[0]
    forger = case.closing(Forger(line, outer))
    case.check(all(1 <= NARROW[outer] < len(inner) + 30 for _, _, inner in quoted.data), "the data is above what is forged")

    def numbers(gateway, family: int) -> list[int]:
        return [multicast.HEAD.unpack(one.payload[8:20])[2] for one in gateway.inner() if one.version == family]

    before = relay.snapshot()
    ports_swept = 0
    end = time.monotonic() + 6
    while time.monotonic() < end:
        # Blind: one port after another, a quote that cannot be right.
        for _ in range(1000):
            ports_swept += 1
            forger.too_big(quoted.address, 1 + ports_swept % 65535, bytes(16), NARROW[outer])
        # From one who has the same channel.
        for family in (4, 6):
            inner = next(inner for _, _, inner in reversed(quoted.data) if inner[0] >> 4 == family)
            forger.too_big(quoted.address, quoted.port, amt.data(inner), NARROW[outer])
            forger.unreachable(quoted.address, quoted.port, amt.data(inner))
    changes = moved(before, relay.snapshot())
    case.figure("forged", ports_swept, "and more")
    case.figure("claims heard, probes sent", f"{changes.get('icmp_unproven', 0)}, {changes.get('path_probes_sent', 0)}")
    case.check(changes.get("icmp_unproven", 0) > 10, f"the relay has heard them: {changes}")
    case.check("icmp_proven" not in changes, "and none is proven")
    case.check("data_too_big" not in changes and "too_big_reported" not in changes, f"nothing was too big: {changes}")
    for stream in streams.values():
        stream.close()
    for gateway in gateways:
        gateway.catch_up(4)
        case.check(gateway.endpoint in tunnels(relay), f"{gateway.endpoint} has its tunnel")
        for family in (4, 6):
            got = sequence_report(numbers(gateway, family))
            case.check(got["lost"] == 0 and got["duplicated"] == 0, f"{gateway.endpoint}, IPv{family}: {got}")
            case.check(not any(one.fragment for one in gateway.inner()), "and nothing was cut")
    told = [one for octets in at_source.datagrams() if (one := packets.parse_too_big(octets))]
    case.check(not told, f"the source hears nothing: {told}")
