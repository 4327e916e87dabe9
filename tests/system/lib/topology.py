"""The networks that the tests play in."""

import re

from . import fake_gateway, multicast, netns
from .scenario import Skipped

SSM = {4: "232.1.2.3", 6: "ff3e::8000:123"}
ASM = {4: "239.1.2.3", 6: "ff1e::1:2:3"}
PORT = 5000


class Line:
    """
        source                relay                          gateway
          s0 ──────────── r0         r1 ──────────────────── g0
      10.1.0.1..N/16   10.1.255.254  10.2.0.1/24          10.2.0.2/24       default route to the relay
      2001:db8:1::1..N  ...:1::ffff  2001:db8:2::1/64     2001:db8:2::2/64
    `gateways` more of them hang on the same link: a bridge is not needed, each has its own veth and subnet
    (10.3.0.0/24, 10.4.0.0/24, ...).
    """

    def __init__(self, case, *, sources=1, gateways=1):
        self.case = case
        self.source, self.relay = case.host("source"), case.host("relay")
        self.gateways = [case.host(f"gateway{i}") for i in range(gateways)]
        netns.link(self.source, "s0", self.relay, "r0",
                   [f"10.1.0.{i}/16" for i in range(1, sources + 1)] + [f"2001:db8:1::{i:x}/64" for i in range(1, sources + 1)],
                   ["10.1.255.254/16", "2001:db8:1::ffff/64"])
        for number, host in enumerate(self.gateways):
            net = number + 2
            netns.link(self.relay, f"r{number + 1}", host, "g0",
                       [f"10.{net}.0.1/24", f"2001:db8:{net}::1/64"], [f"10.{net}.0.2/24", f"2001:db8:{net}::2/64"])
            host.ip(f"route add default via 10.{net}.0.1", f"route add ::/0 via 2001:db8:{net}::1")

    @property
    def gateway(self):
        return self.gateways[0]

    @staticmethod
    def source_address(family: int, number=1) -> str:
        return f"10.1.0.{number}" if family == 4 else f"2001:db8:1::{number:x}"

    @staticmethod
    def relay_address(family: int, number=0) -> str:
        return f"10.{number + 2}.0.1" if family == 4 else f"2001:db8:{number + 2}::1"

    @staticmethod
    def gateway_address(family: int, number=0) -> str:
        return f"10.{number + 2}.0.2" if family == 4 else f"2001:db8:{number + 2}::2"

    def start_relay(self, *options, name="relay", ready=True, upstream=("--upstream", "r0"), control=None):
        """On all its addresses that face gateways; in host mode unless `upstream` says otherwise."""
        local = [word for number in range(len(self.gateways)) for family in (4, 6)
                 for word in ("--local", self.relay_address(family, number))]
        relay = self.case.daemon(["relay", *local, *upstream, *options], name, self.relay, ready, control)
        if "orders" in options:
            self._check_orders(relay)
        return relay

    def _check_orders(self, relay):
        for host in self.gateways:
            netns.take_redirected(host, "g0")
        instead = re.search(r".*is used instead", relay.err)
        if instead and re.search("built without|not permitted|denied", instead[0]):
            raise Skipped(instead[0])
        self.case.check(not instead, f"orders are used: {relay.err}")

    def start_gateway(self, outer: int, *options, number=0, name=None, ready=True):
        return self.case.daemon(["gateway", "--relay", self.relay_address(outer, number), *options],
                                name or f"gateway{number}", self.gateways[number], ready)

    def stream(self, family: int, group: str, *, number=1, port=PORT, segment=0, **options) -> multicast.Stream:
        """A stream from one of the source's addresses; ends with the test."""
        sender = multicast.Source(self.source, "s0", family, address=self.source_address(family, number), segment=segment)
        self.case.closing(sender)
        return self.case.closing(multicast.Stream(sender, group, port, **options))

    def listener(self, family: int, group=None, sources=(), *, number=0, port=PORT, interface="amt0",
                 everything=False) -> multicast.Listener:
        return self.case.closing(multicast.Listener(self.gateways[number], interface, family, port, group=group,
                                                    sources=sources, everything=everything))

    def fake_gateway(self, outer: int, *, number=0, **options) -> fake_gateway.FakeGateway:
        """A gateway of ours that speaks to the relay under test from a gateway's host."""
        return self.case.closing(
            fake_gateway.FakeGateway(self.gateways[number], self.relay_address(outer, number), **options))

    def receive(self, url: str, *options, number=0, outer=4, name="receive"):
        """`amt receive` on a gateway's host."""
        return self.case.start(["receive", url, "--relay", self.relay_address(outer, number), *options], name,
                               self.gateways[number])


def url(group: str, source: str | None = None, port: int = PORT) -> str:
    def shown(address: str) -> str:
        return f"[{address}]" if ":" in address else address
    return f"amt://{shown(source) + '@' if source else ''}{shown(group)}:{port}"


def tunnels(daemon) -> dict[str, dict]:
    """The relay's tunnels by endpoint, as `amt status` tells."""
    return {one["endpoint"]: one for one in daemon.snapshot()["tunnels"]}


def moved(before: dict, after: dict) -> dict[str, int]:
    """The counters that differ between two snapshots."""
    old = before["counters"]
    return {name: value - old.get(name, 0) for name, value in after["counters"].items() if value != old.get(name, 0)}
