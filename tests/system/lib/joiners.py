"""Very many tunnels that join very many channels, one after the other, in one thread."""

import select
import socket
import time

from . import amt, multicast, packets


class Joiners:
    """`tunnels` endpoints on one host; each joins `channels` groups of its own from `source`."""

    RECORDS = 64  # in one Update: its datagram is not fragmented

    def __init__(self, namespace, relay: str, source: str, tunnels: int, channels: int):
        self.relay, self.source, self.channels = relay, source, channels
        self._queries: dict[int, amt.Message] = {}
        with namespace.enter():
            self._sockets = [socket.socket(multicast.socket_family(packets.family_of(relay)), socket.SOCK_DGRAM)
                             for _ in range(tunnels)]
            for one in self._sockets:
                one.connect((relay, amt.PORT))
        self.address = self._sockets[0].getsockname()[0]

    def close(self) -> None:
        for one in self._sockets:
            one.close()

    @staticmethod
    def group(number: int) -> str:
        return f"232.{number >> 16 & 0x7f | 0x40}.{number >> 8 & 0xff}.{number & 0xff}"

    def handshake(self, timeout=30.0) -> None:
        """A Query for each; asked for again where it does not come."""
        end = time.monotonic() + timeout
        waiting = set(range(len(self._sockets)))
        while waiting:
            if time.monotonic() > end:
                raise AssertionError(f"{len(waiting)} of {len(self._sockets)} Requests unanswered")
            for number in sorted(waiting)[:32]:
                self._sockets[number].send(amt.request(number + 1, False))
            by_socket = {self._sockets[number]: number for number in waiting}
            ready = True
            while ready:
                ready, _, _ = select.select(list(by_socket), [], [], 0.05)
                for one in ready:
                    message = amt.parse(one.recv(65536))
                    if message.kind == amt.QUERY:
                        self._queries[by_socket[one]] = message
                        waiting.discard(by_socket[one])

    def join(self) -> None:
        for number, query in sorted(self._queries.items()):
            first = number * self.channels
            for at in range(first, first + self.channels, self.RECORDS):
                last = min(at + self.RECORDS, first + self.channels)
                records = [packets.record(packets.ALLOW, self.group(one), [self.source]) for one in range(at, last)]
                self._sockets[number].send(amt.update(query.mac, query.nonce, packets.report(records, 4)))

    def leave(self, number: int) -> None:
        """One tunnel ends by a Teardown."""
        query, one = self._queries[number], self._sockets[number]
        one.send(amt.teardown(query.mac, query.nonce, self.address, one.getsockname()[1]))

    def tear_down(self) -> None:
        for number in sorted(self._queries):
            self.leave(number)


def native_groups(namespace) -> int:
    """How many of `Joiners.group` the kernel has joined."""
    with namespace.enter(), open("/proc/thread-self/net/igmp", encoding="ascii") as file:
        # Octets reversed: the first is the last.
        return sum(line.startswith("\t") and line.split()[0].endswith("E8") for line in file)
