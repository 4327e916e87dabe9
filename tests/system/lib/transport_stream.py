"""A small MPEG transport stream by ISO/IEC 13818-1: one program, one H.264 stream, key frames at even distances."""

MAP_PID, VIDEO_PID = 0x100, 0x101
PACKET = 188
KEY = bytes([0, 0, 0, 1, 9, 0xF0, 0, 0, 0, 1, 0x67, 0x64, 0, 0x1F, 0xAC, 0, 0, 1, 0x68, 0xEE, 0, 0, 1, 0x65, 0x88])
OTHER = bytes([0, 0, 0, 1, 9, 0xF0, 0, 0, 1, 0x41, 0x9A])


def crc(octets: bytes) -> int:
    value = 0xFFFFFFFF
    for octet in octets:
        value ^= octet << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value


def section(table: int, content: bytes) -> bytes:
    whole = bytes([table]) + (0xB000 | len(content) + 4).to_bytes(2, "big") + content
    return whole + crc(whole).to_bytes(4, "big")


PAT = section(0x00, bytes([0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | MAP_PID >> 8, MAP_PID & 255]))
PMT = section(0x02, bytes([0, 1, 0xC1, 0, 0, 0xE0 | VIDEO_PID >> 8, VIDEO_PID & 255, 0xF0, 0,
                           0x1B, 0xE0 | VIDEO_PID >> 8, VIDEO_PID & 255, 0xF0, 0]))


def table_packet(pid: int, count: int, table: bytes) -> bytes:
    return (bytes([0x47, 0x40 | pid >> 8, pid & 255, 0x10 | count & 15, 0]) + table).ljust(PACKET, b"\xff")


class Sender:
    """Groups of pictures, one after the other. Each is PAT, PMT, and pictures of one packet that are numbered."""

    def __init__(self, pictures=40, packets_each=7):
        self.pictures, self.packets_each = pictures, packets_each
        self.groups = self.video = 0

    def group(self) -> bytes:
        out = [table_packet(0, self.groups, PAT), table_packet(MAP_PID, self.groups, PMT)]
        for picture in range(self.pictures):
            for piece in range(self.packets_each):
                start = piece == 0
                head = bytes([0x47, (0x40 if start else 0) | VIDEO_PID >> 8, VIDEO_PID & 255, 0x10 | self.video & 15])
                time = self.video * 300
                pts = bytes([0x21 | time >> 29 & 14, time >> 22 & 255, 1 | time >> 14 & 254, time >> 7 & 255, 1 | time << 1 & 254])
                body = bytes([0, 0, 1, 0xE0, 0, 0, 0x80, 0x80, 5]) + pts + (KEY if picture == 0 else OTHER) if start else b""
                out.append((head + body).ljust(PACKET - 8, b"\x55") + self.video.to_bytes(8, "big"))
                self.video += 1
        self.groups += 1
        return b"".join(out)


def packets(octets: bytes) -> list[bytes]:
    return [octets[at:at + PACKET] for at in range(0, len(octets), PACKET)]


def pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def number(packet: bytes) -> int:
    """Of a video packet of `Sender`."""
    return int.from_bytes(packet[-8:], "big")


def is_key(packet: bytes) -> bool:
    return pid(packet) == VIDEO_PID and bool(packet[1] & 0x40) and KEY in packet
