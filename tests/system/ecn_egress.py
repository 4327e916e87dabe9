"""ECN at the gateway (E-9601-a, E-6040-b): all sixteen combinations of inner and outer field, DSCP apart from them,
outer fragments with mixed fields, and a relay that does not know the E flag. Argument `4` or `6`: the family outside.

    our relay (r1) ══ gateway ── amt0 ── listener and capture
"""

import re
import socket
import time

from lib import amt, fake_relay, packets
from lib.multicast import Capture, RawSource, payload
from lib.topology import PORT, SSM, Line, moved

NEEDS = {"namespaces", "tun"}
NOT_ECT, ECT1, ECT0, CE = range(4)
# RFC 6040 §4.2, figure 4. By inner field, then by outer field: what goes on, None for dropped.
OUTGOING = {
    NOT_ECT: {NOT_ECT: NOT_ECT, ECT0: NOT_ECT, ECT1: NOT_ECT, CE: None},
    ECT0: {NOT_ECT: ECT0, ECT0: ECT0, ECT1: ECT1, CE: CE},
    ECT1: {NOT_ECT: ECT1, ECT0: ECT1, ECT1: ECT1, CE: CE},
    CE: {NOT_ECT: CE, ECT0: CE, ECT1: CE, CE: CE},
}
# Marked (!!!) or (!) there, or unused in RFC 6040 and marked in ours: should not occur.
MISMATCHES = 5
DSCP_INNER, DSCP_OUTER = 0x28, 0x14


def with_tos(octets: bytes, tos: int) -> bytes:
    """The same datagram with another TOS or Traffic Class."""
    if octets[0] >> 4 == 6:
        first = int.from_bytes(octets[:4], "big") & 0xF00FFFFF | tos << 20
        return first.to_bytes(4, "big") + octets[4:]
    words = 4 * (octets[0] & 15)
    head = octets[:1] + bytes([tos]) + octets[2:10] + b"\0\0" + octets[12:words]
    return head[:10] + packets.checksum(head).to_bytes(2, "big") + head[12:] + octets[words:]


class Bench:
    def __init__(self, case, outer: int):
        self.case, self.outer = case, outer
        self.line = Line(case)
        self.relay = case.closing(fake_relay.FakeRelay(self.line.relay, self.line.relay_address(outer)))
        self.relay.answers_ecn = False
        self.gateway = self.line.start_gateway(outer)
        self.capture = case.closing(Capture(self.line.gateway, "amt0", outgoing=False))
        self.number = 0

    def joined(self, family: int):
        source = self.line.source_address(family)
        self.line.listener(family, SSM[family], [source])
        self.case.wait_until(lambda: self.relay.wanting(source, SSM[family]), 20, "membership")
        return self.relay.wanting(source, SSM[family])[0]

    def datagram(self, family: int, ecn: int, size=200) -> bytes:
        self.number += 1
        return packets.udp_datagram(self.line.source_address(family), SSM[family], PORT, payload(1, self.number, size),
                                    tos=DSCP_INNER << 2 | ecn)

    def send_outer(self, endpoint, inner: bytes, tos: int) -> None:
        level, name = ((socket.IPPROTO_IP, socket.IP_TOS) if self.outer == 4
                       else (socket.IPPROTO_IPV6, socket.IPV6_TCLASS))
        self.relay.socket.setsockopt(level, name, tos)
        self.relay.send_to(endpoint, amt.data(inner))

    def arrived(self, inner: bytes) -> list[bytes]:
        """What came of it, whatever its ECN field."""
        return [octets for octets in self.capture.datagrams()
                if with_tos(octets, 0) == with_tos(inner, 0)]


def all_combinations(bench: Bench, family: int) -> None:
    case, endpoint = bench.case, bench.joined(family)
    before = bench.gateway.snapshot()
    for inner_ecn, by_outer in OUTGOING.items():
        for outer_ecn, expected in by_outer.items():
            # Longer, so that the gateway cannot hand both to the kernel as one.
            inner, after = bench.datagram(family, inner_ecn), bench.datagram(family, NOT_ECT, 300)
            bench.send_outer(endpoint, inner, DSCP_OUTER << 2 | outer_ecn)
            bench.send_outer(endpoint, after, 0)
            case.wait_until(lambda: bench.arrived(after), 3, f"the datagram behind inner {inner[:2].hex()}")
            what = f"IPv{family} in IPv{bench.outer}: inner {inner_ecn:02b}, outer {outer_ecn:02b}"
            wanted = [] if expected is None else [with_tos(inner, DSCP_INNER << 2 | expected)]
            case.check(bench.arrived(inner) == wanted, f"{what}: {[one[:2].hex() for one in bench.arrived(inner)]}")
    change = moved(before, bench.gateway.snapshot())
    case.check(change.get("ecn_mismatches") == MISMATCHES, f"{change.get('ecn_mismatches')} combinations are counted as odd")
    case.figure(f"IPv{family} in IPv{bench.outer}: combinations", sum(map(len, OUTGOING.values())))


def outer_fragments(bench: Bench) -> None:
    """E-9601-h. No relay may send them, and the kernel puts them together: what it does is what we rely on."""
    case, line, outer = bench.case, bench.line, bench.outer
    raw = case.closing(RawSource(line.relay, "r1"))
    mac = bytes.fromhex(re.search(r"link/ether ([0-9a-f:]+)", line.gateway.run("ip", "link", "show", "g0"))[1].replace(":", ""))
    endpoint = bench.joined(4)
    for first, second, expected in ((ECT0, ECT0, ECT0), (ECT0, CE, CE), (NOT_ECT, ECT0, None), (NOT_ECT, CE, None),
                                    (ECT1, NOT_ECT, None)):
        inner = bench.datagram(4, ECT0, 900)
        data = packets.udp(bench.relay.address, endpoint[0], amt.PORT, endpoint[1], amt.data(inner))
        whole = packets.ip(bench.relay.address, endpoint[0], packets.UDP, data)
        for piece, ecn in zip(packets.fragments(whole, 512, ident=bench.number), (first, second)):
            raw.send_to(mac, with_tos(piece, ecn))
        after = bench.datagram(4, NOT_ECT, 1000)
        bench.send_outer(endpoint, after, 0)
        case.wait_until(lambda: bench.arrived(after), 3, f"the datagram behind inner {inner[:2].hex()}")
        time.sleep(0.05)
        wanted = [] if expected is None else [with_tos(inner, DSCP_INNER << 2 | expected)]
        case.check(bench.arrived(inner) == wanted, f"outer fragments with {first:02b} and {second:02b}")
    case.figure(f"IPv{outer}: mixed outer fragments", 5)


def run(case):
    bench = Bench(case, int(case.arguments[0]))
    for family in (4, 6):
        all_combinations(bench, family)
    outer_fragments(bench)

    # E-9601-e, E-9601-i, and the way back: asked with E first, without E as soon as that is not answered.
    requests = bench.relay.of_kind(amt.REQUEST)
    case.check(requests[0].message.flags & 2, "the first Request has the E flag")
    answered = [event for event in requests if not event.message.flags & 2]
    case.check(answered, "a Request without E follows")
    case.figure("seconds until a relay that knows no E flag was asked without it", answered[0].at - requests[0].at)
    alarms = [text for text in bench.gateway.err.splitlines() if "congestion marks" in text]
    case.check(len(alarms) == 1, f"E-6040-c: one line in the log, not {len(alarms)}")
    case.note(alarms[0])
    case.check(not bench.relay.problems(), f"{bench.relay.problems()}")
