"""Repair packets of RTP, written from SMPTE ST 2022-1 §8."""

from .loopback import rtp


def repair(first: int, offset: int, count: int, payloads: list[bytes], number: int) -> bytes:
    """The exclusive or of `count` payloads, `offset` apart: a row (`offset` 1), or a column of a matrix that is `offset` wide."""
    protected = [payloads[first + i * offset] for i in range(count)]
    total, length = 0, 0
    for payload in protected:
        length ^= len(payload)
        total ^= int.from_bytes(payload.ljust(max(map(len, protected)), b"\0"), "big")
    header = (first & 0xFFFF).to_bytes(2, "big") + length.to_bytes(2, "big") + b"\x80" + bytes(7)
    header += bytes([0x40 if offset == 1 else 0, offset, count, 0])
    return rtp(number, header + total.to_bytes(max(map(len, protected)), "big"), source=0x99, kind=96)
