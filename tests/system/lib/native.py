"""A second way to the gateway's host: what the source sends arrives there natively, too, until that is cut."""

import time

from . import multicast, netns, packets
from .topology import PORT, Line, tunnels

# Packets a second of a stream.
RATE = 200


def gap_after(listener, moment: float) -> float:
    """The longest time between two packets, of those that ended after `moment`, in seconds."""
    arrivals = [at for at, *_ in list(listener.arrivals)]
    return max(after - before for before, after in zip(arrivals, arrivals[1:]) if after > moment)


def lose_native(case, line, listener, program) -> int:
    """The native path is cut and the tunnel takes over, with nothing twice. How many packets that cost."""
    line.cut()
    cut, count = time.monotonic(), listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 15, f"data by the tunnel: {program.err}")
    case.figure("native path cut: no data for", gap_after(listener, cut), "s")
    report = multicast.sequence_report(listener.numbers())
    case.figure(f"native path cut: packets lost at {RATE} a second", report["lost"])
    case.check(report["duplicated"] == 0 and report["reordered"] == 0, f"{report}")
    return report["lost"]


def regain_native(case, line, listener, relay, program, lost: int) -> None:
    """The native path is there again and the tunnel is let go: no more than `lost` is missing, nothing comes twice."""
    line.open()
    back = time.monotonic()
    case.wait_until(lambda: not tunnels(relay), 10, f"the tunnel is let go: {program.err}")
    case.figure("native path back: tunnel let go after", time.monotonic() - back, "s")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 5, "data natively again")
    report = multicast.sequence_report(listener.numbers())
    case.check(report == {"lost": lost, "duplicated": 0, "reordered": 0}, f"{report}: nothing lost or doubled on the way back")
    case.check(listener.damaged == 0, "damaged")


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
