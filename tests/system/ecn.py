"""ECN by RFC 9601: to a gateway whose Request has the E flag the relay copies the inner ECN field outside, to others it
sends Not-ECT; the inner field is never changed.

    source ── relay ══ our own gateways, with and without E
"""

import time

from lib import packets
from lib.multicast import Capture, RawSource
from lib.topology import SSM, Line

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    line.start_relay()
    raw = case.closing(RawSource(line.source, "s0"))
    for outer in (4, 6):
        capture = case.closing(Capture(line.gateway, "g0", outgoing=False))
        for family in (4, 6):
            source, group = line.source_address(family), SSM[family]
            gateways = {True: line.fake_gateway(outer), False: line.fake_gateway(outer)}
            for ecn, gateway in gateways.items():
                gateway.request(family, ecn=ecn)
                gateway.join_channel(group, [source])
            time.sleep(0.3)
            for inner_ecn in range(4):
                tos = 0x28 << 2 & 0xFC | inner_ecn
                datagram = packets.udp_datagram(source, group, 5000, bytes([inner_ecn]) * 99, ttl=9, tos=tos)
                capture.seen.clear()
                raw.send(datagram)

                def outside(gateway):
                    return [one for octets in capture.datagrams() if (one := packets.parse(octets)).protocol == packets.UDP
                            and int.from_bytes(one.payload[2:4], "big") == gateway.port]
                case.wait_until(lambda: all(outside(gateway) for gateway in gateways.values()), 3, "two copies")
                for ecn, gateway in gateways.items():
                    [copy] = outside(gateway)
                    expected = inner_ecn if ecn else 0
                    case.check(copy.tos & 3 == expected,
                               f"IPv{family} in IPv{outer}, E={ecn}: inner {inner_ecn}, outer {copy.tos & 3}")
                    case.check(copy.payload[10:] == packets.forwarded(datagram), "inner datagram unchanged")
            for gateway in gateways.values():
                gateway.teardown(family)
        capture.close()
    case.figure("ECN combinations", 4 * 2 * 4)
