"""A NAT whose mapping a test can change while packets flow: a UDP forwarder on the gateway's own host."""

import select
import socket

from . import amt, multicast, packets
from .background import Background


class PortMapper(Background):
    """Listens on `inside`:2268; what comes from there goes to the relay from one outer port after another."""

    def __init__(self, namespace, inside: str, relay: str):
        super().__init__()
        self._namespace, self._relay = namespace, (relay, amt.PORT)
        self._family = multicast.socket_family(packets.family_of(relay))
        with namespace.enter():
            self._inner = socket.socket(multicast.socket_family(packets.family_of(inside)), socket.SOCK_DGRAM)
            self._inner.bind((inside, amt.PORT))
        self._outer: list[socket.socket] = []
        self._client = None
        self._keep = True
        self.rebind(keep_old=True)
        self.start()

    @property
    def port(self) -> int:
        return self._outer[-1].getsockname()[1]

    def rebind(self, keep_old: bool) -> None:
        """A new outer port from now on. `keep_old`: what still arrives at the old ones is passed inside."""
        with self._namespace.enter():
            fresh = socket.socket(self._family, socket.SOCK_DGRAM)
            fresh.connect(self._relay)
        self._keep = keep_old
        self._outer = [*self._outer, fresh]

    def run(self) -> None:
        while not self.ended.is_set():
            for ready in select.select([self._inner, *self._outer], [], [], 0.02)[0]:
                try:
                    octets, peer = ready.recvfrom(65535)
                    if ready is self._inner:
                        self._client = peer
                        self._outer[-1].send(octets)
                    elif self._client and (self._keep or ready is self._outer[-1]):
                        self._inner.sendto(octets, self._client)
                except OSError:
                    pass  # an ICMP error of an earlier datagram

    def close(self) -> None:
        super().close()
        for one in (self._inner, *self._outer):
            one.close()
