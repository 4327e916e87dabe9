"""Who decides what a path takes (R-5.3.3.6.1-b,c; RFC 7450 §6.1, a forged ICMP): `--mtu` and `--min-mtu` of the relay.
ICMP "too big" is sent to the relay with a right quote, as only who sees the traffic can: whatever the relay was started
with, that changes nothing (icmp_too_big shows what a path that is narrow changes).

    source (MTU 2000) ── relay ══ (MTU 1500) ══ our own gateway, and a forger

Argument: `auto`, `minimum`, `link` or `fixed`.
"""

import socket
import time

from lib import amt, packets
from lib.multicast import Capture, RawSource
from lib.topology import SSM, Line, moved

NEEDS = {"namespaces"}
HEADERS = {4: 30, 6: 50}
# What the relay was started with, and the path MTU that holds before and after a forged ICMP that says 600.
SETTINGS = {
    "auto": ([], 1500),
    "minimum": (["--min-mtu", "1330"], 1500),
    "link": (["--mtu", "link"], 1500),
    "fixed": (["--mtu", "1400"], 1400),
}


def forge(line: Line, outer: int, gateway, mtu: int) -> None:
    """From the gateway's host, which does see the Data that it quotes."""
    relay = line.relay_address(outer)
    data = packets.udp(relay, gateway.address, amt.PORT, gateway.port, amt.data(bytes(1000)))
    quote = packets.ip(relay, gateway.address, packets.UDP, data)
    if outer == 4:
        quote = packets.ipv4(relay, gateway.address, packets.UDP, data, fragment=0x4000)
    message = packets.parse(packets.too_big(gateway.address, relay, mtu, quote[:500])).payload
    with line.gateway.enter():
        kind, protocol = (socket.AF_INET, packets.ICMP) if outer == 4 else (socket.AF_INET6, packets.ICMPV6)
        with socket.socket(kind, socket.SOCK_RAW, protocol) as raw:
            raw.sendto(message, (relay, 0))


def run(case):
    [how] = case.arguments
    options, holds = SETTINGS[how]
    line = Line(case)
    line.source.ip("link set s0 mtu 2000")
    line.relay.ip("link set r0 mtu 2000")
    relay = line.start_relay(*options)
    raw = case.closing(RawSource(line.source, "s0"))
    at_source = case.closing(Capture(line.source, "s0", outgoing=False))
    source, group = line.source_address(4), SSM[4]
    for outer in (4, 6):
        gateway = line.fake_gateway(outer)
        gateway.join_channel(group, [source])
        probe = packets.ipv4(source, group, 253, bytes(9), ttl=9)

        def joined():
            raw.send(probe)
            return gateway.data
        case.wait_until(joined, 5, "join", poll=0.05)
        # The last probes may still be on their way.
        time.sleep(0.1)

        def passes(octets: int) -> bool:
            """A datagram of that size arrives; else the source is told, and how much would have."""
            one = packets.ipv4(source, group, 253, bytes(octets - 20), ttl=9, fragment=0x4000)
            gateway.data.clear()
            at_source.seen.clear()
            raw.send(one)

            def told() -> list[int]:
                return [found.mtu for datagram in at_source.datagrams() if (found := packets.parse_too_big(datagram))]
            case.wait_until(lambda: gateway.data or told(), 2, f"{octets} octets in IPv{outer}: passed, or refused")
            got = [inner for _, _, inner in list(gateway.data)] == [packets.forwarded(one)]
            case.check(got or told() == [room], f"{octets} octets in IPv{outer}: lost, and the source was told {told()}")
            return got
        room = holds - HEADERS[outer]
        case.check(passes(room), f"{how}, IPv{outer}: {room} octets pass before the forged ICMP")
        case.check(not passes(room + 1), f"{how}, IPv{outer}: {room + 1} octets do not")

        # Of a gateway that has no tunnel nothing is even asked (C-6936-4.10).
        before = relay.snapshot()
        forge(line, outer, line.fake_gateway(outer), 1400)
        time.sleep(0.2)
        case.check(passes(room), f"IPv{outer}: an ICMP that quotes no tunnel changes nothing")
        asks = how in ("auto", "minimum")
        case.check("path_probes_sent" not in moved(before, relay.snapshot()), "and no path is asked")
        for _ in range(3):
            forge(line, outer, gateway, 600)
        case.wait_until(lambda: not asks or "path_probes_sent" in moved(before, relay.snapshot()), 5, "the path is asked")
        time.sleep(0.3)
        case.check(asks or "path_probes_sent" not in moved(before, relay.snapshot()), "no path is asked in vain")
        case.check(not passes(room + 1), f"{how}, IPv{outer}: {room + 1} octets do not pass after an ICMP of 600 octets")
        case.check(passes(room), f"{how}, IPv{outer}: {room} octets do")
        case.figure(f"{how}, IPv{outer}: room left by a forged ICMP of 600 octets", room, "octets")

        gateway.teardown(4)
        gateway.close()
