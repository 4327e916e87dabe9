"""The seven AMT messages (RFC 7450 §5.1), written and read."""

import ipaddress
import struct
from dataclasses import dataclass, field

PORT = 2268
DISCOVERY, ADVERTISEMENT, REQUEST, QUERY, UPDATE, DATA, TEARDOWN = range(1, 8)
NAMES = {1: "Relay Discovery", 2: "Relay Advertisement", 3: "Request", 4: "Membership Query", 5: "Membership Update",
         6: "Multicast Data", 7: "Teardown"}


def gateway_fields(address, port: int) -> bytes:
    """Port and address as §5.1.4.9 has them: an IPv4 address is IPv4-compatible, 96 zero bits in front."""
    return struct.pack("!H", port) + ipaddress.ip_address(address).packed.rjust(16, b"\0")


def discovery(nonce: int) -> bytes:
    return struct.pack("!BxxxI", DISCOVERY, nonce)


def advertisement(nonce: int, relay) -> bytes:
    return struct.pack("!BxxxI", ADVERTISEMENT, nonce) + ipaddress.ip_address(relay).packed


def request(nonce: int, mld: bool, ecn: bool = False) -> bytes:
    return struct.pack("!BBxxI", REQUEST, int(mld) | 2 * int(ecn), nonce)


def query(mac: bytes, nonce: int, inner: bytes, *, limit=False, gateway=None) -> bytes:
    flags = 2 * int(limit) | int(gateway is not None)
    tail = gateway_fields(*gateway) if gateway else b""
    return struct.pack("!BB", QUERY, flags) + mac + struct.pack("!I", nonce) + inner + tail


def update(mac: bytes, nonce: int, inner: bytes) -> bytes:
    return struct.pack("!BB", UPDATE, 0) + mac + struct.pack("!I", nonce) + inner


def data(inner: bytes) -> bytes:
    return struct.pack("!BB", DATA, 0) + inner


def teardown(mac: bytes, nonce: int, address, port: int) -> bytes:
    return struct.pack("!BB", TEARDOWN, 0) + mac + struct.pack("!I", nonce) + gateway_fields(address, port)


@dataclass
class Message:
    kind: int
    nonce: int = 0
    mac: bytes = b""
    flags: int = 0
    inner: bytes = b""
    relay: str = ""
    gateway: tuple[str, int] | None = None
    octets: bytes = field(default=b"", repr=False)

    @property
    def limit(self) -> bool:
        return bool(self.flags & 2)

    @property
    def mld(self) -> bool:
        return bool(self.flags & 0x81)


def read_gateway_fields(octets: bytes) -> tuple[str, int]:
    port, tail = struct.unpack("!H16s", octets)
    if tail[:12] == bytes(12):
        return str(ipaddress.IPv4Address(tail[12:])), port
    return str(ipaddress.IPv6Address(tail)), port


def parse(octets: bytes) -> Message:
    kind = octets[0]
    if kind not in NAMES:
        raise ValueError(f"version or type {kind:#x}")
    message = Message(kind, octets=octets)
    if kind == DATA:
        message.inner = octets[2:]
        return message
    if kind in (DISCOVERY, ADVERTISEMENT, REQUEST):
        message.flags, message.nonce = octets[1], struct.unpack("!I", octets[4:8])[0]
        if kind == ADVERTISEMENT:
            message.relay = str(ipaddress.ip_address(octets[8:]))
        return message
    message.flags, message.mac = octets[1], octets[2:8]
    message.nonce = struct.unpack("!I", octets[8:12])[0]
    if kind == TEARDOWN:
        message.gateway = read_gateway_fields(octets[12:30])
    elif kind == QUERY and octets[1] & 1:
        message.inner, message.gateway = octets[12:-18], read_gateway_fields(octets[-18:])
    else:
        message.inner = octets[12:]
    return message
