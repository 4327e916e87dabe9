"""VLC 4's `amt://` input, as a relay sees it: written from what it sends and from what it takes.

One connected socket; the nonce of the Discovery in everything that follows; a Request of nine octets; a Query of exactly
48 octets (IPv4) or of at least 88 (IPv6), read at fixed offsets; then the same Update for ever, every QQIC seconds
(the octet as it stands, 0 meaning 125), and one with the leave at the end. No second Request, no Teardown.
"""

import random
import socket
import struct
import time

from . import amt, multicast, packets
from .background import SocketReader

QUERY_OCTETS_V4, QUERY_OCTETS_V6 = 48, 88
TIMEOUT = 5.0


class Refused(AssertionError):
    """What makes VLC give up."""


class Vlc(SocketReader):
    """Plays amt://[source@]group against `relay`, which answers Discovery. It has no ASM over MLD."""

    def __init__(self, namespace, relay: str, group: str, source: str | None):
        with namespace.enter():
            super().__init__(socket.socket(multicast.socket_family(packets.family_of(relay)), socket.SOCK_DGRAM))
        self.relay, self.group, self.source = relay, group, source
        self.family = packets.family_of(group)
        # What rand() gives: never the highest bit.
        self.nonce = random.randrange(1 << 20, 1 << 31)
        self.mac, self.interval = b"", 0
        self.sent: list[bytes] = []
        self.control: list[bytes] = []
        self.data: list[tuple[tuple, bytes]] = []  # who sent it, inner datagram
        self.start()

    @property
    def endpoint(self) -> str:
        address, port = self.socket.getsockname()[:2]
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    def handle(self, octets: bytes, peer) -> None:
        if octets[0] == amt.DATA:
            self.data.append((peer[:2], octets[2:]))
        else:
            self.control.append(octets)

    def _send(self, octets: bytes) -> None:
        self.sent.append(octets)
        self.socket.send(octets)

    def _next(self, kind: int) -> bytes:
        """The next message, which has to be the awaited one: VLC reads once."""
        end = time.monotonic() + TIMEOUT
        while not self.control:
            if time.monotonic() > end:
                raise Refused(f"no {amt.NAMES[kind]} within {TIMEOUT} s")
            time.sleep(0.002)
        octets = self.control.pop(0)
        if octets[0] != kind:
            raise Refused(f"{octets[0]:#x} instead of {amt.NAMES[kind]}")
        return octets

    def connect(self) -> bytes:
        """Discovery, Request and their answers; the Query."""
        self.socket.connect((self.relay, amt.PORT))
        self._send(struct.pack("!BxxxI", amt.DISCOVERY, self.nonce))
        answer = self._next(amt.ADVERTISEMENT)
        if answer[4:8] != struct.pack("!I", self.nonce):
            raise Refused("another Discovery Nonce")
        self.socket.connect((amt.parse(answer).relay, amt.PORT))
        self._send(struct.pack("!BBxxIx", amt.REQUEST, int(self.family == 6), self.nonce))
        query = self._next(amt.QUERY)
        if len(query) != QUERY_OCTETS_V4 if self.family == 4 else len(query) < QUERY_OCTETS_V6:
            raise Refused(f"a Query of {len(query)} octets")
        if query[8:12] != struct.pack("!I", self.nonce):
            raise Refused("another Request Nonce")
        self.mac = query[2:8]
        self.interval = query[12 + 24 + 9 if self.family == 4 else 12 + 40 + 8 + 25] or 125
        return query

    def report(self, leave=False) -> None:
        """The Update that VLC sends again and again; with `leave`, when it stops."""
        inner = self._igmp(leave) if self.family == 4 else self._mld(leave)
        self._send(struct.pack("!BB", amt.UPDATE, 0) + self.mac + struct.pack("!I", self.nonce) + inner)

    def _igmp(self, leave: bool) -> bytes:
        if self.source:
            record = packets.record(packets.BLOCK if leave else packets.IS_IN, self.group, [self.source])
        else:
            # Room for one source stays in the message, with whatever was in memory.
            record = packets.record(packets.TO_IN if leave else packets.TO_EX, self.group) + b"\x17\x2a\x00\xff"
        message = packets.with_checksum(struct.pack("!BBHHH", 0x22, 0, 0, 0, 1) + record)
        # Options of zeroes where Router Alert should be.
        return packets.ipv4("0.0.0.0", "224.0.0.22", packets.IGMP, message, ttl=1, tos=0xC0, options=bytes(4))

    def _mld(self, leave: bool) -> bytes:
        record = packets.record(packets.BLOCK if leave else packets.ALLOW, self.group, [self.source])
        message = struct.pack("!BBHHH", 143, 0, 0, 0, 1) + record
        return packets.mld_datagram(message, "ff02::16", source="::")
