"""100 000 Requests from random endpoints create no state (R-5.3.3.3-j): no tunnel, no memory; a tunnel goes on meanwhile.

    source ── relay ══ our own gateway
                    ── a host that sends Requests with random source addresses and ports
"""

import random
import time

from lib import amt, packets
from lib.multicast import RawSource
from lib.topology import SSM, Line, tunnels

NEEDS = {"namespaces"}
REQUESTS = 100_000
GROWTH_OCTETS_MAX = 16 << 20


def run(case):
    line = Line(case)
    # The answers have somewhere to go.
    line.relay.ip("route add default via 10.2.0.2", "route add ::/0 via 2001:db8:2::2")
    relay = line.start_relay()
    for family in (4, 6):
        gateway = line.fake_gateway(family)
        gateway.join_channel(SSM[family], [line.source_address(family)])
        line.stream(family, SSM[family], rate=100, sizes=(100,))
        case.wait_until(lambda: gateway.data, 5, "the good tunnel")
        own = set(tunnels(relay))
        mac = bytes.fromhex(line.relay.run("ip", "-o", "link", "show", "r1").split("link/ether ")[1].split()[0].replace(":", ""))
        raw = case.closing(RawSource(line.gateway, "g0"))
        relay_address = line.relay_address(family)
        before, counters = relay.resident_octets(), relay.snapshot()["counters"]
        start, data = time.monotonic(), len(gateway.data)
        generator = random.Random(family)
        for number in range(REQUESTS):
            if family == 4:
                source = f"100.{64 + generator.randrange(64)}.{generator.randrange(256)}.{generator.randrange(1, 255)}"
            else:
                source = f"2001:db8:ffff:{generator.randrange(1 << 16):x}::{generator.randrange(1, 1 << 16):x}"
            message = amt.request(generator.getrandbits(32), bool(number & 1))
            raw.send_to(mac, packets.ip(source, relay_address, packets.UDP, packets.udp(
                source, relay_address, generator.randrange(1024, 65536), amt.PORT, message)))
        took = time.monotonic() - start
        case.wait_until(lambda: tunnels(relay).keys() == own, 5, f"no tunnels but {own}")
        after, now = relay.resident_octets(), relay.snapshot()["counters"]
        received = now["requests_received"] - counters["requests_received"]
        case.figure(f"IPv{family} Requests sent", REQUESTS, f"in {took:.1f} s, {received} counted by the relay")
        case.figure(f"IPv{family} resident memory", (after - before) / 1024, "KiB more")
        case.check(received > REQUESTS // 2, f"the flood arrived: {received}")
        case.check(after - before < GROWTH_OCTETS_MAX, f"memory grew by {after - before} octets")
        lost = 1 - (len(gateway.data) - data) / (100 * took)
        case.figure(f"IPv{family} data during the flood", len(gateway.data) - data, f"packets, {lost:.1%} fewer than sent")
        case.check(len(gateway.data) > data, "the good tunnel goes on")
        gateway.teardown(family)
