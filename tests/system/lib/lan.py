"""A LAN behind the gateway with several hosts, and a party on it whose every IGMP and MLD message the test writes."""

import ipaddress
import struct
from dataclasses import dataclass

from . import netns, packets
from .multicast import Capture, Listener, RawSource

PORT = 5000
IGMPV1_REPORT, IGMPV2_REPORT, IGMPV2_LEAVE, MLDV1_REPORT, MLDV1_DONE = 0x12, 0x16, 0x17, 131, 132


class Lan:
    """
        gateway ── INTERFACE 192.168.NET.100 ── switch ─┬─ h0 of host NAME, 192.168.NET.150, .151, ...
                                                        └─ ...
    The switch floods: it does no IGMP or MLD snooping.
    """

    def __init__(self, case, line, hosts, *, interface="l0", net=50):
        self.case, self.interface, self.hosts = case, interface, {}
        self.switch = case.host(f"switch-{interface}")
        self.switch.ip("link add br0 type bridge mcast_snooping 0", "link set br0 up")
        self._plug(line.gateway, interface, f"192.168.{net}.100/24")
        for number, name in enumerate(hosts):
            self.hosts[name] = case.host(f"{name}-{interface}")
            self._plug(self.hosts[name], "h0", f"192.168.{net}.{150 + number}/24")
            self.hosts[name].ip(f"route add default via 192.168.{net}.100", "route add ::/0 dev h0")

    def _plug(self, space, name, address):
        port = f"p{len(self.hosts)}-{space.name}"[:15]
        netns.link(self.switch, port, space, name, [], [address])
        self.switch.ip(f"link set {port} master br0")

    def older(self, name, igmp, mld=1):
        """Before the host joins anything: its kernel speaks these versions."""
        self.hosts[name].sysctl("net.ipv4.conf.all.force_igmp_version", igmp)
        self.hosts[name].sysctl("net.ipv6.conf.all.force_mld_version", mld)
        self.hosts[name].sysctl("net.ipv6.conf.h0.force_mld_version", mld)

    def listener(self, name, family, group=None, sources=()):
        return self.case.closing(Listener(self.hosts[name], "h0", family, PORT, group=group, sources=sources))

    def capture(self, name):
        return self.case.closing(Capture(self.hosts[name], "h0", outgoing=False))

    def party(self, name):
        return Party(self.case, self.hosts[name])


@dataclass
class Query:
    source: str
    group: str  # "" for a General Query
    sources: list[str]
    suppress: bool
    datagram: packets.Datagram


def _text(octets: bytes) -> str:
    return str(ipaddress.ip_address(octets))


def query_in(datagram: packets.Datagram):
    """The IGMPv3 or MLDv2 Query in it, if it is one."""
    width, at, kind = (4, 4, 0x11) if datagram.version == 4 else (16, 8, 130)
    protocol = packets.IGMP if datagram.version == 4 else packets.ICMPV6
    body = datagram.payload
    if datagram.protocol != protocol or body[0] != kind or len(body) < at + width + 4:
        return None
    count = struct.unpack("!H", body[at + width + 2:at + width + 4])[0]
    first = at + width + 4
    group = body[at:at + width]
    return Query(datagram.source, _text(group) if any(group) else "",
                 [_text(body[first + i * width:first + (i + 1) * width]) for i in range(count)],
                 bool(body[at + width] & 8), datagram)


class Party:
    """Hears everything on the LAN, and says what it is told to."""

    def __init__(self, case, host):
        self._raw = case.closing(RawSource(host, "h0"))
        self.capture = case.closing(Capture(host, "h0", outgoing=False))

    def send(self, datagram: bytes) -> None:
        self._raw.send(datagram)

    def send_frame(self, target: bytes, behind_addresses: bytes) -> None:
        self._raw.send_frame(target, behind_addresses)

    def queries(self, source: str | None = None) -> list[Query]:
        found = [query_in(packets.parse(octets)) for octets in self.capture.datagrams()]
        return [one for one in found if one and source in (None, one.source)]

    def specific(self, group: str) -> list[Query]:
        return [one for one in self.queries() if one.group == group]

    def data(self, group: str) -> list[packets.Datagram]:
        return [one for one in map(packets.parse, self.capture.datagrams())
                if one.protocol == packets.UDP and one.destination == group]

    def forget(self) -> None:
        self.capture.seen.clear()

    def query(self, source: str, group: str = "", sources=(), *, robustness=2, interval=125, suppress=False) -> None:
        """As another router from `source`; hosts have 1 s to answer."""
        family = packets.family_of(source)
        asked = packets.address(group) if group else bytes(4 if family == 4 else 16)
        tail = asked + struct.pack("!BBH", robustness | (8 if suppress else 0), interval, len(sources))
        tail += b"".join(map(packets.address, sources))
        if family == 4:
            message = packets.with_checksum(struct.pack("!BBH", 0x11, 10, 0) + tail)
            self._raw.send(packets.igmp_datagram(message, group or "224.0.0.1", source=source))
        else:
            self._raw.send(packets.mld_datagram(struct.pack("!BBHHH", 130, 0, 0, 1000, 0) + tail, group or "ff02::1",
                                                source=source))

    def report(self, family: int, records: list[bytes], **options) -> None:
        source = "192.168.50.180" if family == 4 else "fe80::180"
        self._raw.send(packets.report(records, family, source=source, **options))

    def older(self, kind: int, group: str, **options) -> None:
        """A message of IGMPv1, IGMPv2 or MLDv1."""
        leaves = kind in (IGMPV2_LEAVE, MLDV1_DONE)
        if packets.family_of(group) == 4:
            message = packets.with_checksum(struct.pack("!BBH", kind, 0, 0) + packets.address(group))
            options.setdefault("source", "192.168.50.180")
            datagram = packets.igmp_datagram(message, "224.0.0.2" if leaves else group, **options)
        else:
            message = struct.pack("!BBHHH", kind, 0, 0, 0, 0) + packets.address(group)
            options.setdefault("source", "fe80::180")
            datagram = packets.mld_datagram(message, "ff02::2" if leaves else group, **options)
        self._raw.send(datagram)


def downstream(gateway, interface="l0") -> dict:
    return next(one for one in gateway.snapshot()["downstreams"] if one["interface"] == interface)


def memberships(gateway, interface="l0") -> dict[str, dict]:
    """What the LAN wants, by group: `{"mode": ..., "sources": [...]}`."""
    return {one["group"]: one for one in downstream(gateway, interface)["groups"]}


def is_querier(gateway, family, interface="l0") -> bool:
    return downstream(gateway, interface)["querier"][f"ipv{family}"]
