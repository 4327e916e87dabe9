"""Multicast sources and listeners whose every octet can be checked, raw injection and capture."""

import random
import socket
import struct
import time

from . import packets
from .background import Background, SocketReader

MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, MCAST_JOIN_SOURCE, MCAST_LEAVE_SOURCE = 42, 45, 46, 47
IP_MULTICAST_ALL, IPV6_MULTICAST_ALL = 49, 29
UDP_SEGMENT = 103
PACKET_OUTGOING = 4
HEAD = struct.Struct("!4sII")
MAGIC = b"amt!"


def level(family: int) -> int:
    return socket.IPPROTO_IP if family == 4 else socket.IPPROTO_IPV6


def socket_family(family: int) -> int:
    return socket.AF_INET if family == 4 else socket.AF_INET6


def payload(stream: int, number: int, size: int) -> bytes:
    """Packet `number` of a stream: every octet follows from the two numbers and the size."""
    head = HEAD.pack(MAGIC, stream, number)
    return head + random.Random(stream << 32 | number).randbytes(size - len(head))


def _sockaddr(text) -> bytes:
    packed = packets.address(text)
    if len(packed) == 4:
        return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s", 0, packed) + bytes(120)
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", 0, 0, packed, 0) + bytes(100)


class Source:
    """Sends UDP multicast out of one interface."""

    def __init__(self, namespace, interface: str, family: int, *, address=None, ttl=16, segment=0):
        with namespace.enter():
            self._socket = socket.socket(socket_family(family), socket.SOCK_DGRAM)
            index = socket.if_nametoindex(interface)
        if family == 4:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), index))
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
        if address:
            self._socket.bind((address, 0))
        if segment:
            self._socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, segment)

    def send(self, group: str, port: int, octets: bytes) -> None:
        self._socket.sendto(octets, (group, port))

    def close(self) -> None:
        self._socket.close()


class Stream(Background):
    """Sends numbered packets of changing size in the background, `rate` a second, until closed."""

    def __init__(self, source: Source, group: str, port: int, *, stream=1, rate=200, sizes=(64, 700, 1316, 1400)):
        super().__init__()
        self._source, self._group, self._port, self._stream = source, group, port, stream
        self._rate, self._sizes = rate, sizes
        self.sent = 0
        self.start()

    def run(self) -> None:
        begin = time.monotonic()
        while not self.ended.is_set():
            try:
                size = self._sizes[self.sent % len(self._sizes)]
                self._source.send(self._group, self._port, payload(self._stream, self.sent, size))
            except OSError:
                # The link has no route yet, on a busy machine; closed: `ended` says so.
                time.sleep(0.01)
                continue
            self.sent += 1
            time.sleep(max(0.0, begin + self.sent / self._rate - time.monotonic()))


class Listener(SocketReader):
    """An ordinary program that joined groups on an interface, and checks each octet of what arrives."""

    def __init__(self, namespace, interface: str, family: int, port: int, *, group=None, sources=(), everything=False):
        with namespace.enter():
            super().__init__(socket.socket(socket_family(family), socket.SOCK_DGRAM))
            self._index = socket.if_nametoindex(interface)
        self.family, self.interface = family, interface
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Only what this socket joined, not what others on the host did; `everything`: as most programs do.
        self.socket.setsockopt(level(family), IP_MULTICAST_ALL if family == 4 else IPV6_MULTICAST_ALL,
                               int(everything))
        self.socket.bind(("" if family == 4 else "::", port))
        self.arrivals: list[tuple[float, int, int, str]] = []  # time, stream, number, source address
        self.octets = 0  # of the payloads that were right
        self.damaged = 0
        if group:
            self.join_group(group, sources)
        self.start()

    def _option(self, name: int, group: str, source: str | None) -> None:
        request = struct.pack("=I4x", self._index) + _sockaddr(group) + (_sockaddr(source) if source else b"")
        self.socket.setsockopt(level(self.family), name, request)

    def join_group(self, group: str, sources=()) -> None:
        """SSM with sources, ASM without."""
        if not sources:
            self._option(MCAST_JOIN_GROUP, group, None)
        for source in sources:
            self._option(MCAST_JOIN_SOURCE, group, source)

    def leave_group(self, group: str, sources=()) -> None:
        if not sources:
            self._option(MCAST_LEAVE_GROUP, group, None)
        for source in sources:
            self._option(MCAST_LEAVE_SOURCE, group, source)

    def handle(self, octets: bytes, peer) -> None:
        magic, stream, number = HEAD.unpack(octets[:12]) if len(octets) >= 12 else (b"", 0, 0)
        if magic != MAGIC or octets != payload(stream, number, len(octets)):
            self.damaged += 1
        else:
            self.octets += len(octets)
            self.arrivals.append((self.arrived, stream, number, peer[0]))

    @property
    def count(self) -> int:
        return len(self.arrivals)

    def numbers(self, stream=None) -> list[int]:
        return [number for _, which, number, _ in list(self.arrivals) if stream in (None, which)]

    def origins(self) -> set[str]:
        return {origin for *_, origin in list(self.arrivals)}


def sequence_report(numbers: list[int]) -> dict[str, int]:
    """Lost, duplicated and reordered among the numbers from the first to the last one seen."""
    if not numbers:
        return {"lost": 0, "duplicated": 0, "reordered": 0}
    seen = set(numbers)
    late = sum(1 for before, after in zip(numbers, numbers[1:]) if after < before)
    return {"lost": max(seen) - min(seen) + 1 - len(seen), "duplicated": len(numbers) - len(seen), "reordered": late}


class RawSource:
    """Puts whole IP datagrams on a link as they are: any protocol, fragments, wrong ones."""

    def __init__(self, namespace, interface: str):
        with namespace.enter():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._socket.bind((interface, 0))
        self._own = self._socket.getsockname()[4][:6]

    def send(self, datagram: bytes) -> None:
        if datagram[0] >> 4 == 4:
            group = datagram[16:20]
            target = b"\x01\x00\x5e" + bytes([group[1] & 0x7F]) + group[2:]
            kind = 0x0800
        else:
            target, kind = b"\x33\x33" + datagram[36:40], 0x86DD
        self._socket.send(target + self._own + struct.pack("!H", kind) + datagram)

    def send_frame(self, target: bytes, behind_addresses: bytes) -> None:
        """A frame whose type field and payload the test writes: VLAN tags, padding."""
        self._socket.send(target + self._own + behind_addresses)

    def send_to(self, mac: bytes, datagram: bytes) -> None:
        kind = 0x0800 if datagram[0] >> 4 == 4 else 0x86DD
        self._socket.send(mac + self._own + struct.pack("!H", kind) + datagram)

    def close(self) -> None:
        self._socket.close()


def emit(namespace, interface: str, datagram: bytes) -> None:
    """Sends a datagram out of an interface as it is: of any kind, and past all routing."""
    with namespace.enter(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram, (interface, 0x0800 if datagram[0] >> 4 == 4 else 0x86DD))


class Capture(SocketReader):
    """Whole IP datagrams as they pass an interface."""

    def __init__(self, namespace, interface: str, *, outgoing=True):
        with namespace.enter():
            super().__init__(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
            self.socket.bind((interface, 3))
        self._outgoing = outgoing
        self.seen: list[tuple[float, bytes]] = []  # when (time.monotonic), datagram
        self.start()

    def handle(self, octets: bytes, peer) -> None:
        if peer[1] in (0x0800, 0x86DD) and (self._outgoing or peer[2] != PACKET_OUTGOING):
            self.seen.append((self.arrived, octets))

    def datagrams(self) -> list[bytes]:
        return [octets for _, octets in list(self.seen)]

    def write_pcap(self, path) -> None:
        with open(path, "wb") as file:
            file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # 101: raw IP
            for at, octets in self.seen:
                file.write(struct.pack("=IIII", int(at), int(at % 1 * 1e6), len(octets), len(octets)) + octets)


def upstream_leaves(capture: Capture) -> list[str]:
    """Records that told the upstream network of a leave: BLOCK, or TO_IN without a source."""
    found = []
    for one in map(packets.parse, capture.datagrams()):
        if one.protocol not in (2, 58) or one.payload[:1] not in (b"\x22", b"\x8f"):
            continue
        address = 4 if one.protocol == 2 else 16
        at = 8
        for _ in range(int.from_bytes(one.payload[6:8], "big")):
            kind, sources = one.payload[at], int.from_bytes(one.payload[at + 2:at + 4], "big")
            if kind == packets.BLOCK or (kind == packets.TO_IN and sources == 0):
                found.append(one.payload.hex())
            at += 4 + address * (1 + sources)
    return found
