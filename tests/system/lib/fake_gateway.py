"""A gateway that speaks raw AMT to the relay under test, rightly or, when asked, wrongly."""

import random
import socket
import time

from . import amt, multicast, packets
from .background import SocketReader
from .patience import PATIENCE


class FakeGateway(SocketReader):
    """One socket, one tunnel endpoint. What comes back is collected with its time."""

    def __init__(self, namespace, relay: str, *, local="", port=0, relay_port=amt.PORT):
        with namespace.enter():
            super().__init__(socket.socket(multicast.socket_family(packets.family_of(relay)), socket.SOCK_DGRAM))
            self.relay, self.relay_port = relay, relay_port
            self.socket.bind((local, port))
            if not local:
                # Connecting tells the own address; then any peer is heard again.
                with socket.socket(self.socket.family, socket.SOCK_DGRAM) as probe:
                    probe.connect((relay, relay_port))
                    local = probe.getsockname()[0]
        self.address, self.port = local, self.socket.getsockname()[1]
        self.messages: list[tuple[float, tuple[str, int], amt.Message]] = []  # all but Data
        self.data: list[tuple[float, tuple[str, int], bytes]] = []  # inner datagrams
        self.queries: dict[int, amt.Message] = {}  # the last one accepted, by inner family
        self.start()

    @property
    def endpoint(self) -> str:
        """As `amt status` writes it."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def handle(self, octets: bytes, peer) -> None:
        message = amt.parse(octets)
        if message.kind == amt.DATA:
            self.data.append((self.arrived, peer[:2], message.inner))
        else:
            self.messages.append((self.arrived, peer[:2], message))

    def send(self, octets: bytes, to: str | None = None) -> None:
        self.socket.sendto(octets, (to or self.relay, self.relay_port))

    def wait_for(self, kind: int, nonce: int, timeout: float) -> tuple[tuple[str, int], amt.Message] | None:
        end = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < end:
            for _, peer, message in list(self.messages):
                if message.kind == kind and message.nonce == nonce:
                    return peer, message
            time.sleep(0.002)
        return None

    def discover(self, to: str | None = None, timeout=2.0):
        """(who answered, Advertisement) or None."""
        nonce = random.randrange(1 << 20, 1 << 32)
        self.send(amt.discovery(nonce), to)
        return self.wait_for(amt.ADVERTISEMENT, nonce, timeout)

    def request(self, family: int, *, ecn=False, nonce: int | None = None, timeout=2.0) -> amt.Message:
        """The Query that a Request for IGMP (4) or MLD (6) yields."""
        nonce = random.randrange(1 << 20, 1 << 32) if nonce is None else nonce
        self.send(amt.request(nonce, family == 6, ecn))
        answer = self.wait_for(amt.QUERY, nonce, timeout)
        if answer is None:
            raise AssertionError(f"no Membership Query from {self.relay} within {timeout * PATIENCE} s")
        self.queries[family] = answer[1]
        return answer[1]

    def catch_up(self, family: int, timeout=4.0) -> None:
        """Returns when all that the relay sent before is in `data`: the answer to a Request of now comes after it.

        So a slow machine, where datagrams wait long for this process, does not count as a slow relay.
        """
        self.request(family, timeout=timeout)

    def report(self, family: int, records: list[bytes], **options) -> None:
        """A Membership Update with these records; asks for a Query first where there was none."""
        query = self.queries.get(family) or self.request(family)
        self.send(amt.update(query.mac, query.nonce, packets.report(records, family, **options)))

    def join_channel(self, group: str, sources=()) -> None:
        kind = packets.ALLOW if sources else packets.TO_EX
        self.report(packets.family_of(group), [packets.record(kind, group, sources)])

    def leave_channel(self, group: str, sources=()) -> None:
        kind = packets.BLOCK if sources else packets.TO_IN
        self.report(packets.family_of(group), [packets.record(kind, group, sources)])

    def teardown(self, family: int) -> None:
        query = self.queries[family]
        self.send(amt.teardown(query.mac, query.nonce, self.address, self.port))

    def inner(self) -> list[packets.Datagram]:
        return [packets.parse(octets) for _, _, octets in list(self.data)]
