"""The same channel comes by two upstreams. Each packet is forwarded once: from the upstream of the route to the source,
from the other one when the route changes, and when the one in use falls silent for a second.

    source  s0 ── r0  relay  r1 ══ our own gateway
            s9 ── r9             the same datagrams, with another TTL
"""

import itertools
import time

from lib import netns, packets
from lib.background import Background
from lib.multicast import RawSource, payload
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces"}
RATE = 200
TTL = {"r0": 20, "r9": 30}


class Both(Background):
    """Each numbered datagram on both links, the first on either in turn; `links` says on which ones."""

    def __init__(self, ways: dict[str, RawSource], source: str, group: str):
        super().__init__()
        self.ways, self.source, self.group = ways, source, group
        self.links = set(ways)
        self.sent = 0
        self.start()

    def run(self) -> None:
        begin = time.monotonic()
        for number in itertools.count():
            order = sorted(self.ways, reverse=number % 3 == 0)
            for link in order:
                if link in self.links:
                    self.ways[link].send(packets.udp_datagram(self.source, self.group, PORT, payload(1, number, 300),
                                                              ttl=TTL[link]))
            self.sent = number + 1
            if self.ended.wait(max(0.0, begin + self.sent / RATE - time.monotonic())):
                return


def run(case):
    line = Line(case)
    netns.link(line.source, "s9", line.relay, "r9", ["10.9.0.1/24", "2001:db8:9::1/64"],
               ["10.9.0.254/24", "2001:db8:9::ffff/64"])
    relay = line.start_relay(upstream=("--upstream", "r0", "--upstream", "r9"))
    ways = {"r0": case.closing(RawSource(line.source, "s0")), "r9": case.closing(RawSource(line.source, "s9"))}
    for family in (4, 6):
        source, group = line.source_address(family), SSM[family]
        gateway = line.fake_gateway(4)
        gateway.join_channel(group, [source])
        stream = case.closing(Both(ways, source, group))

        def arrived():
            return [(int.from_bytes(one.payload[16:20], "big"), one.ttl) for one in gateway.inner()]

        def last_from(link: str) -> bool:
            return bool(arrived()) and arrived()[-1][1] == TTL[link] - 1
        case.wait_until(lambda: last_from("r0"), 10, "data from the route's upstream", poll=0.1)
        at = len(arrived())
        case.wait_until(lambda: len(arrived()) > at + RATE, 10, "a second of it", poll=0.1)
        case.check({ttl for _, ttl in arrived()[at:]} == {TTL["r0"] - 1}, "by one way alone")

        line.relay.ip(f"route add {source}/{32 if family == 4 else 128} via {'10.9.0.1' if family == 4 else '2001:db8:9::1'}")
        case.wait_until(lambda: last_from("r9"), 10, "data from the other upstream, where the route leads now", poll=0.1)
        at = len(arrived())
        case.wait_until(lambda: len(arrived()) > at + RATE, 10, "a second of it", poll=0.1)
        numbers = [number for number, _ in arrived()]
        case.check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"each once, in order, none lost: {numbers}")

        stream.links.remove("r9")
        case.wait_until(lambda: last_from("r0"), 10, "data from the first upstream again", poll=0.05)
        at = len(arrived())
        case.wait_until(lambda: len(arrived()) > at + RATE, 10, "a second of it", poll=0.1)
        numbers = [number for number, _ in arrived()]
        gap = max(later - earlier for earlier, later in zip(numbers, numbers[1:])) / RATE
        case.figure(f"IPv{family} gap when the upstream in use is cut", gap, "s")
        case.check(gap <= 1.5, f"back within 1.5 s: {gap}")
        case.check(len(set(numbers)) == len(numbers), "each once")
        stream.close()
        gateway.teardown(family)
    counters = relay.snapshot()["counters"]
    case.check(counters["data_other_upstream"] > 4 * RATE, "what the other one brought is counted")
