"""IPv4, IPv6, UDP, IGMPv3 and MLDv2 by hand (RFC 791, 8200, 768, 3376 §4, 3810 §5)."""

import ipaddress
import struct
from dataclasses import dataclass

ICMP, IGMP, UDP, ICMPV6, FRAGMENT = 1, 2, 17, 58, 44
ROUTER_ALERT_V4 = bytes.fromhex("94040000")
# Hop-by-hop header: next header is filled in, Router Alert with value 0 (MLD), PadN.
ROUTER_ALERT_V6 = bytes.fromhex("0005020000 0100")

# Record types, RFC 3376 §4.2.12
IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = 1, 2, 3, 4, 5, 6


def address(text) -> bytes:
    return ipaddress.ip_address(text).packed


def family_of(text) -> int:
    return ipaddress.ip_address(text).version


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, protocol, length)
    return source + destination + struct.pack("!IHBB", length, 0, 0, protocol)


def ipv4(source, destination, protocol, payload, *, ttl=64, tos=0, options=b"", ident=0, fragment=0) -> bytes:
    """`fragment`: the 16 bits of flags (DF 0x4000, MF 0x2000) and offset."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, tos, 4 * words + len(payload), ident, fragment, ttl, protocol, 0)
    head += address(source) + address(destination) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source, destination, next_header, payload, *, hop_limit=64, traffic_class=0) -> bytes:
    head = struct.pack("!IHBB", 6 << 28 | traffic_class << 20, len(payload), next_header, hop_limit)
    return head + address(source) + address(destination) + payload


def ip(source, destination, protocol, payload, *, ttl=64, tos=0) -> bytes:
    """A plain datagram of either family."""
    if family_of(destination) == 4:
        return ipv4(source, destination, protocol, payload, ttl=ttl, tos=tos)
    return ipv6(source, destination, protocol, payload, hop_limit=ttl, traffic_class=tos)


def udp(source, destination, source_port, port, payload) -> bytes:
    length = 8 + len(payload)
    head = struct.pack("!HHHH", source_port, port, length, 0)
    total = checksum(pseudo_header(address(source), address(destination), UDP, length) + head + payload)
    return head[:6] + struct.pack("!H", total or 0xFFFF) + payload


def udp_datagram(source, destination, port, payload, *, ttl=64, tos=0, source_port=4000) -> bytes:
    return ip(source, destination, UDP, udp(source, destination, source_port, port, payload), ttl=ttl, tos=tos)


def fragments(datagram: bytes, payload_octets: int, ident: int = 0x1234) -> list[bytes]:
    """Cuts a plain datagram (no options, no extension headers) into fragments of that many octets."""
    assert payload_octets % 8 == 0
    first = datagram[0] >> 4
    head, payload = (datagram[:20], datagram[20:]) if first == 4 else (datagram[:40], datagram[40:])
    out = []
    for offset in range(0, len(payload), payload_octets):
        piece = payload[offset:offset + payload_octets]
        more = offset + len(piece) < len(payload)
        if first == 4:
            cut = struct.pack("!HHH", 20 + len(piece), ident, (0x2000 if more else 0) | offset // 8)
            new = head[:2] + cut + head[8:10] + b"\0\0" + head[12:]
            out.append(new[:10] + struct.pack("!H", checksum(new)) + new[12:] + piece)
        else:
            extension = struct.pack("!BBHI", head[6], 0, offset | int(more), ident)
            new = head[:4] + struct.pack("!HB", 8 + len(piece), FRAGMENT) + head[7:]
            out.append(new + extension + piece)
    return out


def record(kind: int, group, sources=()) -> bytes:
    """A group record of IGMPv3 (RFC 3376 §4.2.4) or MLDv2 (RFC 3810 §5.2.4): they differ in the addresses only."""
    return struct.pack("!BBH", kind, 0, len(sources)) + address(group) + b"".join(map(address, sources))


def igmp_datagram(message: bytes, destination, *, source="0.0.0.0", ttl=1, router_alert=True, tos=0xC0) -> bytes:
    options = ROUTER_ALERT_V4 if router_alert else b""
    return ipv4(source, destination, IGMP, message, ttl=ttl, tos=tos, options=options)


def mld_datagram(message: bytes, destination, *, source="fe80::2", ttl=1, router_alert=True) -> bytes:
    """`message` has its checksum field zero."""
    total = checksum(pseudo_header(address(source), address(destination), ICMPV6, len(message)) + message)
    message = message[:2] + struct.pack("!H", total) + message[4:]
    if not router_alert:
        return ipv6(source, destination, ICMPV6, message, hop_limit=ttl)
    return ipv6(source, destination, 0, bytes([ICMPV6]) + ROUTER_ALERT_V6 + message, hop_limit=ttl)


def with_checksum(message: bytes) -> bytes:
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def report(records: list[bytes], family: int, **options) -> bytes:
    """A whole IP datagram with an IGMPv3 or MLDv2 report."""
    body = struct.pack("!HH", 0, len(records)) + b"".join(records)
    if family == 4:
        return igmp_datagram(with_checksum(struct.pack("!BBH", 0x22, 0, 0) + body), "224.0.0.22", **options)
    return mld_datagram(struct.pack("!BBH", 143, 0, 0) + body, "ff02::16", **options)


def general_query(family: int, *, interval=125, robustness=2, source=None) -> bytes:
    """`interval` below 128: the code is the value itself."""
    tail = struct.pack("!BBH", robustness, interval, 0)
    if family == 4:
        message = with_checksum(struct.pack("!BBH", 0x11, 1, 0) + bytes(4) + tail)
        return igmp_datagram(message, "224.0.0.1", source=source or "0.0.0.0")
    message = struct.pack("!BBHHH", 130, 0, 0, 1, 0) + bytes(16) + tail
    return mld_datagram(message, "ff02::1", source=source or "fe80::1")


def forwarded(datagram: bytes) -> bytes:
    """The same datagram as a router passes it on: TTL or Hop Limit one less."""
    if datagram[0] >> 4 == 6:
        return datagram[:7] + bytes([datagram[7] - 1]) + datagram[8:]
    words = 4 * (datagram[0] & 15)
    head = datagram[:8] + bytes([datagram[8] - 1]) + datagram[9:10] + b"\0\0" + datagram[12:words]
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + datagram[words:]


@dataclass
class Datagram:
    """An IP datagram taken apart. `payload` is what follows the headers; for a fragment its piece."""
    version: int
    source: str
    destination: str
    protocol: int
    ttl: int
    tos: int
    payload: bytes
    router_alert: bool
    fragment: bool
    header_ok: bool  # version, lengths and IPv4 header checksum
    octets: bytes

    def transport_ok(self) -> bool:
        """The UDP, IGMP or ICMPv6 checksum."""
        if self.protocol == IGMP:
            return checksum(self.payload) == 0
        head = pseudo_header(address(self.source), address(self.destination), self.protocol, len(self.payload))
        return checksum(head + self.payload) == 0


def parse(octets: bytes) -> Datagram:
    if octets[0] >> 4 == 4:
        words, tos, length, _, cut, ttl, protocol = struct.unpack("!BBHHHBB", octets[:10])
        head = 4 * (words & 15)
        text = [str(ipaddress.IPv4Address(octets[at:at + 4])) for at in (12, 16)]
        return Datagram(4, text[0], text[1], protocol, ttl, tos, octets[head:length],
                        ROUTER_ALERT_V4 in octets[20:head], bool(cut & 0x3FFF),
                        length <= len(octets) and checksum(octets[:head]) == 0, octets[:length])
    first, length, protocol, ttl = struct.unpack("!IHBB", octets[:8])
    text = [str(ipaddress.IPv6Address(octets[at:at + 16])) for at in (8, 24)]
    payload, alert, cut = octets[40:40 + length], False, False
    if protocol == 0:
        alert = payload[2:6] == bytes.fromhex("05020000")
        protocol, payload = payload[0], payload[8 * (payload[1] + 1):]
    if protocol == FRAGMENT:
        cut, protocol, payload = True, payload[0], payload[8:]
    return Datagram(6, text[0], text[1], protocol, ttl, first >> 20 & 255, payload, alert, cut,
                    40 + length <= len(octets), octets[:40 + length])


def parse_report(datagram: Datagram) -> list[tuple[int, str, list[str]]]:
    """(record type, group, sources) of an IGMPv3 or MLDv2 report."""
    width = 4 if datagram.version == 4 else 16
    body, out = datagram.payload, []
    if body[0] not in (0x22, 143):
        raise ValueError(f"not a report: type {body[0]:#x}")
    at = 8
    for _ in range(struct.unpack("!H", body[6:8])[0]):
        kind, aux, count = struct.unpack("!BBH", body[at:at + 4])
        at += 4
        addresses = [str(ipaddress.ip_address(body[at + i * width:at + (i + 1) * width])) for i in range(count + 1)]
        out.append((kind, addresses[0], addresses[1:]))
        at += width * (count + 1) + 4 * aux
    return out


@dataclass
class TooBig:
    """ICMP type 3 code 4 (RFC 792, RFC 1191 §4) or ICMPv6 Packet Too Big (RFC 4443 §3.2), as one host received it."""
    sender: str
    receiver: str
    mtu: int
    quote: bytes
    octets: int  # the whole datagram


def parse_too_big(octets: bytes) -> TooBig | None:
    """None for any other datagram; ValueError for one that is wrong in itself."""
    datagram = parse(octets)
    if datagram.protocol not in (ICMP, ICMPV6):
        return None
    kind, code, _, unused, mtu = struct.unpack("!BBHHH", datagram.payload[:8])
    if (datagram.version, kind, code) == (4, 3, 4):
        if unused or checksum(datagram.payload):
            raise ValueError(f"ICMP: unused field {unused:#x}, checksum {checksum(datagram.payload):#x}")
    elif (datagram.version, kind, code) == (6, 2, 0):
        mtu |= unused << 16
        if not datagram.transport_ok():
            raise ValueError("ICMPv6: checksum")
    else:
        return None
    if not datagram.header_ok or datagram.fragment:
        raise ValueError("ICMP: IP header")
    return TooBig(datagram.source, datagram.destination, mtu, datagram.payload[8:], len(datagram.octets))


def too_big(sender, receiver, mtu: int, quote: bytes) -> bytes:
    """The same, made by hand."""
    if family_of(sender) == 4:
        return ipv4(sender, receiver, ICMP, with_checksum(struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quote))
    message = struct.pack("!BBHI", 2, 0, 0, mtu) + quote
    total = checksum(pseudo_header(address(sender), address(receiver), ICMPV6, len(message)) + message)
    return ipv6(sender, receiver, ICMPV6, message[:2] + struct.pack("!H", total) + message[4:])
