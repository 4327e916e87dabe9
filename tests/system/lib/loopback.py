"""A relay of ours on the loopback interface, and what it plays to `amt receive`: no namespaces, no privileges."""

import os
import time

from . import amt, fake_relay, packets
from .scenario import Skipped
from .topology import PORT, SSM, url

SOURCE = "10.1.0.1"
GROUP = SSM[4]
URL = url(GROUP, SOURCE)


def address(number: int) -> str:
    """Another one of 127/8 for each run: nothing else listens there."""
    pid = os.getpid()
    return f"127.{pid >> 8 & 127 | 1}.{pid & 255}.{number}"


class Player:
    def __init__(self, case, number=2):
        self.case, self.address, self._receivers = case, address(number), []
        try:
            self.relay = case.closing(fake_relay.FakeRelay(None, self.address))
        except OSError as error:
            raise Skipped(f"no relay can be played on {self.address}:{amt.PORT}: {error.strerror}") from None

    def receive(self, *options, name="receive", channel=URL):
        # The Teardown of one that has ended may still be in the socket; until it is read, the old tunnel looks like the new one's.
        ended = [one for one in self._receivers if one.status is not None]
        if ended and len(ended) == len(self._receivers) and all(one.status >= 0 for one in ended):
            self.case.wait_until(lambda: not self.relay.tunnels, 10, "those that ended have no tunnel")
        self._receivers.append(self.case.start(["receive", channel, "--relay", self.address, *options], name))
        return self._receivers[-1]

    def wait_joined(self, timeout=10, group=GROUP):
        self.case.wait_until(lambda: self.relay.wanting(SOURCE, group), timeout, "membership")

    def send(self, payload: bytes, *, pause=0.0, port=PORT, group=GROUP) -> None:
        """To every tunnel, wanted or not."""
        inner = amt.data(packets.udp_datagram(SOURCE, group, port, payload, ttl=9))
        for endpoint in list(self.relay.tunnels):
            self.relay.send_to(endpoint, inner)
        if pause:
            time.sleep(pause)


def ts_packets(number: int, count=7) -> bytes:
    """`count` MPEG-TS packets, different in every datagram, one PID, continuity counters in order."""
    whole = b""
    for index in range(number * count, (number + 1) * count):
        whole += bytes([0x47, 0x01, 0x00, 0x10 | index & 15]) + index.to_bytes(4, "big") + bytes(180)
    return whole


def rtp(sequence: int, payload: bytes, *, source=0x11223344, kind=33) -> bytes:
    """RFC 3550 §5.1."""
    return bytes([0x80, kind]) + (sequence & 0xFFFF).to_bytes(2, "big") + bytes(4) + source.to_bytes(4, "big") + payload
