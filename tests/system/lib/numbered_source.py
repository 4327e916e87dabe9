"""A live stream whose packets are numbered, and whether a viewer has all of them."""

import threading
import time

from . import transport_stream as ts

DATAGRAM = 7 * ts.PACKET


class Source(threading.Thread):
    """Sends groups of pictures, `rate` datagrams a second, and keeps what it sent."""

    def __init__(self, player, rate):
        super().__init__(daemon=True)
        self.player, self.rate, self.sent, self.over = player, rate, bytearray(), False
        self.start()

    def run(self):
        sender, next_at = ts.Sender(), time.monotonic()
        while not self.over:
            group = sender.group()
            for at in range(0, len(group), DATAGRAM):
                self.sent += group[at:at + DATAGRAM]
                self.player.send(group[at:at + DATAGRAM])
                next_at += 1 / self.rate
                time.sleep(max(next_at - time.monotonic(), 0))

    def close(self):
        self.over = True
        self.join()


def check_begin(case, octets: bytes, source: Source, who: str) -> None:
    """PAT, PMT, then a key frame and all that was sent behind it, in order and once."""
    first = ts.packets(octets)
    case.check(ts.pid(first[0]) == 0 and ts.pid(first[1]) == ts.MAP_PID, f"{who}: PAT and PMT come first")
    case.check(ts.is_key(first[2]), f"{who}: a key frame follows")
    behind = bytes(octets[2 * ts.PACKET:])
    at = bytes(source.sent).find(behind[:ts.PACKET])
    case.check(at >= 0 and source.sent[at:at + len(behind)] == behind, f"{who}: the octets that were sent")
