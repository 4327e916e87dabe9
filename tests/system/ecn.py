"""ECN by RFC 9601 (E-9601-a, E-9601-f, E-6040-a): to a gateway whose Request has the E flag the relay copies the inner ECN
field outside, to others it sends Not-ECT; the inner field is never changed (E-9601-b, E-9601-c). The outer DSCP is always 0
(X-4.6-e). Each gateway gets a copy of its own (R-5.3.3.6-a), from the relay's address and port (R-5.1.6-a), with a UDP
checksum, over IPv6, too (R-5.1.6-b, C-6936-4.2, X-6-b). Argument `off`: with `--no-ecn` nobody gets the mark (E-9601-d).

    source ── relay ══ our own gateways, with and without E
"""

import time

from lib import amt, netns, packets
from lib.multicast import Capture, RawSource
from lib.topology import SSM, Line

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    off = case.arguments == ["off"]
    line.start_relay(*(["--no-ecn"] if off else []))
    netns.checksum_offload_off(line.relay, "r1")
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
                    expected = inner_ecn if ecn and not off else 0
                    case.check(copy.tos & 3 == expected,
                               f"IPv{family} in IPv{outer}, E={ecn}: inner {inner_ecn}, outer {copy.tos & 3}")
                    case.check(copy.tos >> 2 == 0, f"outer DSCP {copy.tos >> 2}")
                    case.check(copy.payload[6:8] != b"\0\0" and copy.transport_ok(), "UDP checksum there and right")
                    case.check((copy.source, copy.payload[:2]) == (line.relay_address(outer), amt.PORT.to_bytes(2, "big")),
                               f"from {copy.source}")
                    case.check(copy.payload[10:] == packets.forwarded(datagram), "inner datagram unchanged")
            for gateway in gateways.values():
                gateway.teardown(family)
        capture.close()
    case.figure("ECN combinations", 4 * 2 * 4)
