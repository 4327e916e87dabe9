"""What does not fit a tunnel (RFC 7450 §5.3.3.6.1, §5.3.3.6.2): datagrams around the Tunnel MTU, and what the source is
told. The way to the far gateway is narrowed in the middle, so the relay knows of it by ICMP alone: it asks the path, and
goes by what the path answers.

    source ── (MTU 2000) ── relay ══ (MTU 1500) ══ middle, near gateway ══ (MTU N) ══ far gateway

Arguments: `4` or `6`, the family outside; N; and `tell` for `--tell-sources`, without which a source is told only what the
relay's own link does not take.
"""

import time

from lib import fake_gateway, netns, packets
from lib.multicast import Capture, RawSource
from lib.topology import ASM, SSM, Line, moved

NEEDS = {"namespaces"}
HEADERS = {4: 30, 6: 50}
FAR = {4: "10.99.0.2", 6: "2001:db8:99::2"}
RELAY_AT_SOURCE = {4: "10.1.255.254", 6: "2001:db8:1::ffff"}
PROTOCOL = 253
# What an ICMP error may have (RFC 1812 §4.3.2.3; RFC 4443 §3.2), less its own two headers.
QUOTE_MAX = {4: 576 - 28, 6: 1280 - 48}


def datagram(source: str, group: str, octets: int, mark: int, *, dont_fragment=True, protocol=PROTOCOL) -> bytes:
    family = packets.family_of(group)
    body = bytes([mark]) + bytes(range(256)) * 8
    body = body[:octets - (20 if family == 4 else 40)]
    if family == 4:
        return packets.ipv4(source, group, protocol, body, ttl=9, ident=mark, fragment=0x4000 if dont_fragment else 0)
    return packets.ipv6(source, group, protocol, body, hop_limit=9)


class Bench:
    def __init__(self, case, outer: int, far_mtu: int, tells: bool):
        self.case, self.outer, self.tells = case, outer, tells
        self.line = Line(case)
        self.line.source.ip("link set s0 mtu 2000")
        self.line.relay.ip("link set r0 mtu 2000", "route add 10.99.0.0/24 via 10.2.0.2",
                           "route add 2001:db8:99::/64 via 2001:db8:2::2")
        self.far = case.host("far")
        netns.link(self.line.gateway, "m1", self.far, "f0", ["10.99.0.1/24", "2001:db8:99::1/64"],
                   ["10.99.0.2/24", "2001:db8:99::2/64"], mtu=far_mtu)
        self.far.ip("route add default via 10.99.0.1", "route add ::/0 via 2001:db8:99::1")
        self.line.gateway.sysctl("net.ipv4.ip_forward", 1)
        self.line.gateway.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.raw = case.closing(RawSource(self.line.source, "s0"))
        self.at_source = case.closing(Capture(self.line.source, "s0", outgoing=False))
        self.at_near = case.closing(Capture(self.line.gateway, "g0", outgoing=False))
        self.mark = 0

    def near_gateway(self):
        return self.line.fake_gateway(self.outer)

    def far_gateway(self):
        return self.case.closing(fake_gateway.FakeGateway(self.far, self.line.relay_address(self.outer)))

    def told(self) -> list[packets.TooBig]:
        return [one for octets in self.at_source.datagrams() if (one := packets.parse_too_big(octets))]

    def new_mark(self) -> int:
        self.mark = self.mark % 255 + 1
        return self.mark

    def join(self, gateway, group: str, source: str) -> None:
        sources = [source] if group in SSM.values() else []
        gateway.join_channel(group, sources)
        probe = datagram(source, group, 60, 0)

        def joined():
            self.raw.send(probe)
            return any(octets == packets.forwarded(probe) for _, _, octets in list(gateway.data))
        self.case.wait_until(joined, 5, f"join of {group}", poll=0.05)
        # The last probes may still be on their way.
        time.sleep(0.1)

    def sent(self, *datagrams: bytes, expect=0) -> list[packets.TooBig]:
        """Sends these; what the source is told of them: so many messages are waited for, and a little more."""
        self.at_source.seen.clear()
        for one in datagrams:
            self.raw.send(one)
        self.case.wait_until(lambda: len(self.told()) >= expect, 2, f"{expect} ICMP messages")
        time.sleep(0.4)
        self.at_source.drain()
        return self.told()

    def check_told(self, told: list[packets.TooBig], refused: bytes, mtu: int, what: str) -> None:
        family = refused[0] >> 4
        source = packets.parse(refused).source
        self.case.check(len(told) == 1, f"{what}: {len(told)} ICMP messages instead of one")
        expected = packets.TooBig(RELAY_AT_SOURCE[family], source, mtu, packets.forwarded(refused)[:QUOTE_MAX[family]],
                                  28 + QUOTE_MAX[4] if family == 4 else 48 + QUOTE_MAX[6])
        self.case.check(told[0] == expected, f"{what}: told {told[0]}, expected {expected}")


def arrived(gateway, size_or_mark) -> list[bytes]:
    return [octets for _, _, octets in list(gateway.data) if octets == size_or_mark]


def around_the_tunnel_mtu(bench: Bench, gateway, family: int, room: int, is_told: bool) -> None:
    """R-5.3.3.6.2.1-a,b, R-5.3.3.6.2.2-a: one octet less, equal, one more."""
    case, source, group = bench.case, bench.line.source_address(family), SSM[family]
    for dont_fragment in (True, False) if family == 4 else (True,):
        for size in (room - 1, room, room + 1):
            what = f"IPv{family} in IPv{bench.outer}, {size} octets, DF={int(dont_fragment)}"
            one = datagram(source, group, size, bench.new_mark(), dont_fragment=dont_fragment)
            gateway.data.clear()
            told = bench.sent(one, expect=int(is_told and size > room and dont_fragment))
            got = [octets for _, _, octets in list(gateway.data)]
            if size <= room:
                case.check(got == [packets.forwarded(one)] and not told, f"{what}: passes unchanged")
            elif dont_fragment:
                case.check(not got, f"{what}: is dropped")
                if is_told:
                    bench.check_told(told, one, room, what)
                case.check(is_told or not told, f"{what}: nobody is told: {told}")
            else:
                check_fragments(case, got, packets.forwarded(one), room, what)
                case.check(not told, f"{what}: nobody is told")


def check_fragments(case, got: list[bytes], whole: bytes, room: int, what: str) -> None:
    """X-4.6-a: offsets in units of 8 octets, identification kept, MF on all but the last."""
    case.check(len(got) == 2, f"{what}: two fragments, not {len(got)}")
    got.sort(key=lambda octets: int.from_bytes(octets[6:8], "big") & 0x1FFF)
    at, body = 0, b""
    for number, octets in enumerate(got):
        cut = int.from_bytes(octets[6:8], "big")
        piece = packets.parse(octets)
        case.check(piece.header_ok and len(octets) <= room, f"{what}: fragment {number} whole and not too large")
        case.check(octets[4:6] == whole[4:6] and octets[8:10] == whole[8:10], f"{what}: identification, TTL, protocol kept")
        case.check(cut & 0x1FFF == at // 8 and at % 8 == 0, f"{what}: offset {cut & 0x1FFF} of fragment {number}")
        case.check(bool(cut & 0x2000) == (number == 0) and not cut & 0x4000, f"{what}: flags {cut:#x} of fragment {number}")
        at, body = at + len(piece.payload), body + piece.payload
    case.check(body == whole[20:], f"{what}: the pieces make up the whole")


def no_answer(bench: Bench, relay, family: int, room: int) -> None:
    """S-g, X-4.6-c: who is not told."""
    case, source = bench.case, bench.line.source_address(family)
    if family == 4:
        error = packets.with_checksum(bytes([3, 1, 0, 0]) + bytes(room))
        later = packets.ipv4(source, SSM[4], PROTOCOL, bytes(room), ttl=9, fragment=0x4000 | 100)
        errors = [packets.ipv4(source, SSM[4], packets.ICMP, error, ttl=9, fragment=0x4000), later]
    else:
        error = bytes([1, 0, 0, 0]) + bytes(room)
        errors = [packets.ipv6(source, SSM[6], packets.ICMPV6, error, hop_limit=9),
                  packets.fragments(packets.ipv6(source, SSM[6], PROTOCOL, bytes(3200), hop_limit=9), 1600)[1]]
    errors.append(datagram(source, ASM[family], room + 1, bench.new_mark()))
    before = relay.snapshot()
    case.check(not bench.sent(*errors), "an ICMP error, a later fragment, a group that is not source-specific: not answered")
    case.check(moved(before, relay.snapshot()).get("data_too_big", 0) >= 3, "though all three are dropped and counted")


def rate_limit(bench: Bench, relay, family: int, room: int) -> None:
    """X-4.6-c"""
    source, group = bench.line.source_address(family), SSM[family]
    begin, before = time.monotonic(), relay.snapshot()
    told = bench.sent(*(datagram(source, group, room + 1, bench.new_mark()) for _ in range(200)))
    seconds = time.monotonic() - begin
    bench.case.check(1 <= len(told) <= 10 * (1 + seconds) + 1, f"{len(told)} ICMP messages for 200 datagrams")
    bench.case.check(moved(before, relay.snapshot())["too_big_not_reported"] == 200 - len(told), "the others are counted")
    bench.case.figure(f"IPv{family}: ICMP messages for 200 datagrams at once", len(told))
    time.sleep(1.1)


def run(case):
    outer, far_mtu, tells = int(case.arguments[0]), int(case.arguments[1]), "tell" in case.arguments
    bench = Bench(case, outer, far_mtu, tells)
    relay = bench.line.start_relay(*(["--tell-sources"] if tells else []))
    for family in (4, 6):
        source = bench.line.source_address(family)
        near_room, far_room = 1500 - HEADERS[outer], far_mtu - HEADERS[outer]
        near = bench.near_gateway()
        bench.join(near, SSM[family], source)
        around_the_tunnel_mtu(bench, near, family, near_room, True)

        # Only an ICMP message of the host in the middle tells of the narrow way behind it.
        far = bench.far_gateway()
        bench.join(far, SSM[family], source)
        bench.join(far, ASM[family], source)
        before = relay.snapshot()

        def learned() -> bool:
            bench.sent(datagram(source, SSM[family], near_room, bench.new_mark()))
            return "icmp_proven" in moved(before, relay.snapshot())
        case.wait_until(learned, 10, f"IPv{family} in IPv{outer}: the narrow path is learned")
        around_the_tunnel_mtu(bench, far, family, far_room, tells)
        # R-5.3.3.6.2.1-c: too big for both, or for one of two: one message, with the smallest that is told.
        for size in (near_room + 1, far_room + 1):
            one = datagram(source, SSM[family], size, bench.new_mark())
            told = bench.sent(one, expect=1 if tells or size > near_room else 0)
            if tells or size > near_room:
                bench.check_told(told, one, far_room if tells else near_room, f"{size} octets for two gateways")
            else:
                case.check(not told, f"{size} octets for two gateways: nobody is told")
            case.check(bool(arrived(near, packets.forwarded(one))) == (size <= near_room), "who has room still gets it")
        no_answer(bench, relay, family, near_room)
        rate_limit(bench, relay, family, near_room)
        for gateway in (near, far):
            gateway.leave_channel(SSM[family], [source])
            gateway.close()

    outside = [packets.parse(octets) for octets in bench.at_near.datagrams()]
    data = [one for one in outside if one.protocol == packets.UDP]
    case.check(not any(one.fragment for one in data), "the outer datagram is never a fragment")  # R-5.3.3.6.3.1-c, .2-a
    case.check(all(one.octets[6] & 0x40 for one in data if one.version == 4), "and has DF set")  # R-5.3.3.6.3.1-a
    case.figure("outer datagrams without a fragment among them", len(data))
    case.check(moved({"counters": {}}, relay.snapshot())["too_big_reported"] > 8, "what was told is counted")
