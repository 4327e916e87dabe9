"""A station on the loopback interface: several transport streams at once, each to its channel, in real time."""

import threading
import time

from . import amt, packets
from . import transport_stream as ts
from .topology import PORT

DATAGRAM = 7 * ts.PACKET
INTERVAL = 0.01


class Station(threading.Thread):
    """Plays `streams`, by (source, group), each of so many seconds, to the tunnels of `relay` that want them; then it is over."""

    def __init__(self, relay, seconds: float, streams: dict[tuple[str, str], bytes]):
        super().__init__(daemon=True)
        self._relay, self._seconds, self._streams, self._over = relay, seconds, streams, threading.Event()
        # Of each stream: the part that has been played.
        self.part = 0.0
        self.start()

    def run(self):
        start = time.monotonic()
        at = dict.fromkeys(self._streams, 0)
        while self.part < 1 and not self._over.wait(INTERVAL):
            self.part = min((time.monotonic() - start) / self._seconds, 1.0)
            for (source, group), whole in self._streams.items():
                end = int(self.part * len(whole)) // DATAGRAM * DATAGRAM
                for first in range(at[source, group], end, DATAGRAM):
                    inner = amt.data(packets.udp_datagram(source, group, PORT, whole[first:first + DATAGRAM], ttl=9))
                    for endpoint in self._relay.wanting(source, group):
                        self._relay.send_to(endpoint, inner)
                at[source, group] = end

    def close(self):
        self._over.set()
        self.join()
