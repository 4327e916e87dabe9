"""A second way to the gateway's host: what the source sends arrives there natively, too, until that is cut."""

from . import multicast, netns, packets
from .topology import PORT, Line


def gap_after(listener, moment: float) -> float:
    """The longest time between two packets, of those that ended after `moment`, in seconds."""
    arrivals = [at for at, *_ in list(listener.arrivals)]
    return max(after - before for before, after in zip(arrivals, arrivals[1:]) if after > moment)


class NativeLine(Line):
    """
        source: br0 ─┬─ s0 ──── r0 relay r1 ──────────────── g0 gateway
                     └─ n0 ──────────────────────────────── n1
        n1: 10.1.128.1/16, 2001:db8:1::8001/64, so the route to the source is native, too
    """

    def __init__(self, case, *, native=True):
        super().__init__(case)
        addresses = [f"{self.source_address(4)}/16", f"{self.source_address(6)}/64"]
        self.make_link()
        # Without snooping: what reaches the host of the gateway is then up to its kernel, as on the last link.
        self.source.run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self.source.ip("addr flush dev s0", "link set s0 master br0", "link set br0 up",
                       *(f"addr add {one} dev br0" + (" nodad" if ":" in one else "") for one in addresses))
        if native:
            self.open()

    def make_link(self) -> None:
        netns.link(self.source, "n0", self.gateway, "n1", [], ["10.1.128.1/16", "2001:db8:1::8001/64"])

    def open(self) -> None:
        self.source.ip("link set n0 master br0")

    def cut(self) -> None:
        """The link stays up, nothing comes any more: a router, or a switch, that lost the channel."""
        self.source.ip("link set n0 nomaster")

    def stream(self, family: int, group: str, *, number=1, port=PORT, segment=0, **options) -> multicast.Stream:
        sender = multicast.Source(self.source, "br0", family, address=self.source_address(family, number), segment=segment)
        self.case.closing(sender)
        return self.case.closing(multicast.Stream(sender, group, port, **options))

    def is_joined_natively(self, group: str) -> bool:
        return any(word == group for line in self.gateway.run("ip", "maddr", "show", "dev", "n1").splitlines()
                   for word in line.split())

    def native_reports(self) -> "Reports":
        return Reports(self.case.closing(multicast.Capture(self.source, "n0", outgoing=False)))


class Reports:
    """What a router on the native link hears."""

    def __init__(self, capture):
        self._capture = capture

    def records(self, group: str) -> list[tuple[int, list[str]]]:
        """(record type, sources) of each record of `group`, in their order."""
        found = []
        for datagram in map(packets.parse, self._capture.datagrams()):
            if datagram.protocol in (packets.IGMP, packets.ICMPV6) and datagram.payload[0] in (0x22, 143):
                found += [(kind, sources) for kind, of, sources in packets.parse_report(datagram) if of == group]
        return found

    def forget(self) -> None:
        self._capture.seen.clear()
