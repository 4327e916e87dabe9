"""Datagrams larger than the tunnel takes (R-5.3.3.6.2): IPv4 with DF=0 is fragmented inside, each fragment in its own
Data message; with DF=1, and IPv6, it is dropped and counted. The outer datagram is never a fragment.

    source (MTU 2000) ── relay ══ tunnel (MTU 1500) ══ our own gateway
"""

import time

from lib import packets
from lib.multicast import Capture, RawSource
from lib.topology import SSM, Line, moved

NEEDS = {"namespaces"}
HEADERS = {4: 30, 6: 50}


def run(case):
    line = Line(case)
    line.source.ip("link set s0 mtu 2000")
    line.relay.ip("link set r0 mtu 2000")
    relay = line.start_relay(*case.arguments)
    raw = case.closing(RawSource(line.source, "s0"))
    for outer in (4, 6):
        capture = case.closing(Capture(line.gateway, "g0", outgoing=False))
        room = 1500 - HEADERS[outer]
        for family in (4, 6):
            source, group = line.source_address(family), SSM[family]
            gateway = line.fake_gateway(outer)
            gateway.join_channel(group, [source])
            probe = packets.ip(source, group, 253, b"probe", ttl=9)

            def joined():
                raw.send(probe)
                return gateway.data
            case.wait_until(joined, 5, "join", poll=0.05)
            header = 20 if family == 4 else 40
            time.sleep(0.1)

            def sent(datagram, pieces):
                """What arrives of it: so many pieces are waited for, and a little more."""
                def arrived():
                    return [octets for _, _, octets in list(gateway.data) if packets.parse(octets).protocol == 253
                            and octets != packets.forwarded(probe)]
                gateway.data.clear()
                raw.send(datagram)
                case.wait_until(lambda: len(arrived()) >= pieces, 2, f"{pieces} pieces of {len(datagram)} octets")
                time.sleep(0.2)
                gateway.drain()
                return arrived()
            for size in (room - 1, room):
                body = (bytes(range(256)) * 8)[:size - header]
                fits = packets.ip(source, group, 253, body, ttl=9)
                case.check(sent(fits, 1) == [packets.forwarded(fits)], f"IPv{family} in IPv{outer}: {size} octets pass")
            body = (bytes(range(251)) * 8)[:room + 1 - header]
            if family == 4:
                pieces = [packets.parse(one) for one in sent(packets.ipv4(source, group, 253, body, ttl=9, ident=77), 2)]
                case.check(len(pieces) == 2 and all(one.fragment and one.header_ok for one in pieces),
                           f"in IPv{outer}: {room + 1} octets, DF=0: two fragments, not {len(pieces)}")
                pieces.sort(key=lambda one: int.from_bytes(one.octets[6:8], "big") & 0x1FFF)
                case.check(b"".join(one.payload for one in pieces) == body, "which make up the datagram")
            before = relay.snapshot()
            refused = (packets.ipv4(source, group, 253, body, ttl=9, fragment=0x4000) if family == 4
                       else packets.ip(source, group, 253, body, ttl=9))
            case.check(sent(refused, 0) == [], f"IPv{family} in IPv{outer}: {room + 1} octets that may not be cut are dropped")
            case.check("data_too_big" in moved(before, relay.snapshot()), "and counted")
            gateway.teardown(family)
        outside = [packets.parse(octets) for octets in capture.datagrams()]
        case.check(not any(one.fragment for one in outside), "no outer fragment")
        told = f"datagrams of {line.source_address(4)}@{SSM[4]} do not fit into tunnels"
        case.wait_until(lambda: told in relay.err and "pkt_size=1316" in relay.err, 5, "the log has who, and what helps")
        case.figure(f"IPv{outer} outside: largest outer datagram", max(len(one.octets) for one in outside), "octets")
        capture.close()
