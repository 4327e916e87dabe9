"""Sources whose kernel leaves work to the network card: unfinished checksums (any UDP over a veth) and GSO
super-packets. What arrives are separate datagrams with right checksums.
Argument: `tun` (listener on amt0) or `double` (our own gateway looks at each inner datagram).

    source (veth: CHECKSUM_PARTIAL, UDP_SEGMENT) ── relay ══ tunnel ══ gateway
"""

import os
import time

from lib import packets
from lib.multicast import Source, payload
from lib.scenario import Skipped
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces"}
SIZE, SEGMENTS, ROUNDS = 1200, 30, 20


def run(case):
    line = Line(case)
    line.start_relay()
    if case.arguments == ["tun"]:
        case.need_tun()
        line.start_gateway(4)
    for family in (4, 6):
        group, source = SSM[family], line.source_address(family)
        plain = line.stream(family, group, stream=1, rate=200, sizes=(40, 41, 1316, 1399))
        if case.arguments == ["tun"]:
            listener = line.listener(family, group, [source])
            numbers = listener.numbers
        else:
            gateway = line.fake_gateway(4)
            gateway.join_channel(group, [source])

            def numbers(stream, gateway=gateway):
                found = []
                for datagram in gateway.inner():
                    if not (datagram.header_ok and datagram.transport_ok()):
                        raise AssertionError(f"inner datagram with a wrong header or checksum: {datagram.octets.hex()}")
                    octets = datagram.payload[8:]
                    which, number = (int.from_bytes(octets[at:at + 4], "big") for at in (4, 8))
                    if octets != payload(which, number, len(octets)):
                        raise AssertionError(f"packet {number} of stream {which} damaged")
                    if which == stream:
                        found.append(number)
                return found
        case.wait_until(lambda: len(numbers(1)) >= 50, 15, "plain packets", poll=0.2)
        plain.close()
        if tuple(int(one) for one in os.uname().release.split("-")[0].split(".")[:2]) < (6, 2):
            raise Skipped("a kernel before 6.2 gives merged UDP packets to no packet socket that wants to know how to cut them")
        super_source = case.closing(Source(line.source, "s0", family, address=source, segment=SIZE))
        for n in range(ROUNDS):
            # The last segment is shorter, as at the end of a file.
            pieces = [payload(2, n * SEGMENTS + i, SIZE if i < SEGMENTS - 1 else 500) for i in range(SEGMENTS)]
            super_source.send(group, PORT, b"".join(pieces))
            time.sleep(0.02)
        total = ROUNDS * SEGMENTS
        case.wait_until(lambda: len(numbers(2)) >= total, 10, f"all {total} segments, got {len(numbers(2))}", poll=0.2)
        case.check(numbers(2) == list(range(total)), "each once, in order")
        if case.arguments == ["tun"]:
            case.check(listener.damaged == 0, "damaged")
        case.figure(f"IPv{family} segments of super-packets", total, "separate and right")
