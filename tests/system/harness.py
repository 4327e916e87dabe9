"""The harness against itself: our gateway and our relay, source and listener, with nothing of the project between them.
It also shows that what must be noticed is noticed.

    source ──────── relay host ──────── gateway host
"""

from lib import amt, fake_relay, packets
from lib.multicast import Capture, Listener, RawSource, Source, payload, sequence_report
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    for family in (4, 6):
        relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(family)))
        gateway = line.fake_gateway(family)
        answer = gateway.discover()
        case.check(answer and answer[1].relay == line.relay_address(family), "Advertisement")
        query = gateway.request(family)
        case.check(query.gateway == (gateway.address, gateway.port), f"gateway fields {query.gateway}")
        source = line.source_address(family)
        gateway.join_channel(SSM[family], [source])
        case.wait_until(lambda: relay.tunnels, 2, "membership")
        inner = packets.udp_datagram(source, SSM[family], 5000, b"hello")
        case.check(relay.multicast(inner) == 1, "wanted")
        case.check(relay.multicast(packets.udp_datagram("10.1.0.9" if family == 4 else "2001:db8:1::9",
                                                        SSM[family], 5000, b"hello")) == 0, "other source unwanted")
        case.wait_until(lambda: gateway.data, 2, "data")
        case.check(gateway.data[0][2] == inner, "data unchanged")
        gateway.teardown(family)
        case.wait_until(lambda: not relay.tunnels, 2, "Teardown")
        case.check(relay.problems() == [], str(relay.problems()))
        gateway.send(amt.update(b"forged", 1, packets.report([packets.record(packets.TO_EX, ASM[family])], family)))
        case.wait_until(lambda: relay.problems(), 2, "a forged MAC is noticed")
        relay.close()

        # From the source straight to a listener on the relay's host
        listener = case.closing(Listener(
            line.relay, "r0", family, 5000, group=SSM[family], sources=[source]))
        stream = line.stream(family, SSM[family], rate=500)
        case.wait_until(lambda: listener.count >= 100, 5, f"native multicast, got {listener.count}")
        stream.close()
        case.check(listener.damaged == 0 and listener.origins() == {source}, "octets and source")
        case.check(not any(sequence_report(listener.numbers()).values()), "sequence")
        raw = case.closing(RawSource(line.source, "s0"))
        whole = packets.udp_datagram(source, SSM[family], 5000, payload(2, 0, 3000))
        for piece in packets.fragments(whole, 1024):
            raw.send(piece)
        case.wait_until(lambda: listener.numbers(2) == [0], 2, "fragments put together")
        wrong = bytearray(payload(2, 1, 100))
        wrong[50] ^= 1
        raw.send(packets.udp_datagram(source, SSM[family], 5000, bytes(wrong)))
        case.wait_until(lambda: listener.damaged == 1, 2, "a damaged octet is noticed")
        capture = case.closing(Capture(line.relay, "r0", outgoing=False))
        datagram = packets.ip(source, SSM[family], 253, b"x" * 99, ttl=3)
        raw.send(datagram)
        case.wait_until(lambda: datagram in capture.datagrams(), 2, "capture")
        case.check(packets.parse(packets.forwarded(datagram)).ttl == 2 and
                   packets.parse(packets.forwarded(datagram)).header_ok, "forwarded()")
        big = case.closing(Source(line.source, "s0", family, address=source, segment=500))
        big.send(SSM[family], 5000, b"".join(payload(3, number, 500) for number in range(20)))
        case.wait_until(lambda: listener.numbers(3) == list(range(20)), 2, "GSO segments apart")
    case.check(sequence_report([1, 2, 4, 4, 3, 9]) == {"lost": 4, "duplicated": 1, "reordered": 1}, "sequence_report")
