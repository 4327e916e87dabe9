"""Programs on the relay's own host send multicast out of its upstream: it is forwarded, each packet once and with its
TTL lowered by one, large merged sends too; and what arrives there from others still comes once.
Argument: what the upstream is: `link`, `bridge`, `macvlan`.

    source s0 ── r0 relay (with an encoder) ══ our own gateway
"""

import os
import time

from lib.multicast import Source, payload
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces"}
SIZE, SEGMENTS, ROUNDS, TTL = 1200, 30, 10, 16


def upstream_of(line, kind: str) -> str:
    if kind == "link":
        return "r0"
    line.relay.ip("addr flush dev r0")
    if kind == "bridge":
        line.relay.ip("link add br0 type bridge mcast_snooping 0", "link set r0 master br0", "link set br0 up")
        name = "br0"
    else:
        line.relay.ip("link add mv0 link r0 type macvlan mode bridge", "link set mv0 up")
        name = "mv0"
    line.relay.ip(f"addr add 10.1.255.254/16 dev {name}", f"addr add 2001:db8:1::ffff/64 dev {name} nodad")
    return name


def run(case):
    (kind,) = case.arguments
    line = Line(case)
    upstream = upstream_of(line, kind)
    line.start_relay("--workers", "2", upstream=("--upstream", upstream))
    merges = tuple(int(one) for one in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 2)
    for family in (4, 6):
        own = "10.1.255.254" if family == 4 else "2001:db8:1::ffff"
        other, group = line.source_address(family), SSM[family]
        gateway = line.fake_gateway(4)
        gateway.join_channel(group, [own, other])

        def numbers(stream):
            found = []
            for one in gateway.inner():
                case.check(one.header_ok and one.transport_ok(), "right header and checksum")
                octets = one.payload[8:]
                which, number = (int.from_bytes(octets[at:at + 4], "big") for at in (4, 8))
                case.check(octets == payload(which, number, len(octets)), "not damaged")
                if which == stream:
                    case.check(one.ttl == TTL - 1, f"TTL {one.ttl}")
                    found.append(number)
            return found
        plain = case.closing(Source(line.relay, upstream, family, address=own, ttl=TTL))
        remote = case.closing(Source(line.source, "s0", family, address=other, ttl=TTL))
        for sender, stream in ((plain, 1), (remote, 2)):
            # The first ones may be before the join.
            case.wait_until(lambda: (sender.send(group, PORT, payload(9, stream, 100)), numbers(9).count(stream))[1], 10,
                            "the channel", poll=0.1)
            for number in range(200):
                sender.send(group, PORT, payload(stream, number, 40 + 7 * number % 1300))
                time.sleep(0.001)
            case.wait_until(lambda: len(numbers(stream)) >= 200, 10, f"all of it, got {len(numbers(stream))}", poll=0.1)
            gateway.catch_up(family)
            case.check(numbers(stream) == list(range(200)), f"each once, in order ({kind}, stream {stream})")
        if merges:
            merged = case.closing(Source(line.relay, upstream, family, address=own, ttl=TTL, segment=SIZE))
            for n in range(ROUNDS):
                pieces = [payload(3, n * SEGMENTS + i, SIZE if i < SEGMENTS - 1 else 500) for i in range(SEGMENTS)]
                merged.send(group, PORT, b"".join(pieces))
                time.sleep(0.02)
            total = ROUNDS * SEGMENTS
            case.wait_until(lambda: len(numbers(3)) >= total, 10, f"{total} segments, got {len(numbers(3))}", poll=0.1)
            gateway.catch_up(family)
            case.check(numbers(3) == list(range(total)), "each segment once, in order")
        gateway.teardown(family)
