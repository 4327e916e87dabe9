"""A relay that answers the gateway under test and notes what it says. Single-minded: one reporter per endpoint."""

import contextlib
import hashlib
import hmac
import os
import socket
from dataclasses import dataclass, field

from . import amt, multicast, packets
from .background import SocketReader


@dataclass
class Event:
    at: float
    endpoint: tuple[str, int]
    message: amt.Message
    problem: str = ""
    records: list = field(default_factory=list)


class FakeRelay(SocketReader):
    def __init__(self, namespace, address: str, *, port=amt.PORT, advertise: str | None = None):
        """`namespace` None: the one that the test runs in."""
        with namespace.enter() if namespace else contextlib.nullcontext():
            super().__init__(socket.socket(multicast.socket_family(packets.family_of(address)), socket.SOCK_DGRAM))
            self.socket.bind((address, port))
        self.address, self.port, self.advertise = address, port, advertise or address
        # What it does; a test may change these while it runs.
        self.answers_discovery = self.answers_requests = True
        self.answers_ecn = True  # Requests with the E flag, too
        self.limit = False
        self.fields = True
        self.interval, self.robustness = 125, 2
        self.events: list[Event] = []
        # endpoint -> group -> (exclude?, sources)
        self.tunnels: dict[tuple[str, int], dict[str, tuple[bool, set[str]]]] = {}
        self._secret = os.urandom(16)
        self.start()

    def mac(self, endpoint: tuple[str, int], nonce: int) -> bytes:
        text = f"{endpoint[0]} {endpoint[1]} {nonce}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).digest()[:6]

    def handle(self, octets: bytes, peer) -> None:
        event = Event(self.arrived, peer[:2], amt.parse(octets))
        self._handle(event)
        self.events.append(event)

    def _handle(self, event: Event) -> None:
        message, endpoint = event.message, event.endpoint
        if message.kind == amt.DISCOVERY:
            if message.nonce == 0:
                event.problem = "Discovery Nonce is zero (R-5.2.3.4.5-a)"
            if self.answers_discovery:
                self.send_to(endpoint, amt.advertisement(message.nonce, self.advertise))
        elif message.kind == amt.REQUEST:
            if self.answers_requests and (self.answers_ecn or not message.flags & 2):
                inner = packets.general_query(6 if message.mld else 4, interval=self.interval, robustness=self.robustness)
                fields = endpoint if self.fields else None
                self.send_to(endpoint, amt.query(self.mac(endpoint, message.nonce), message.nonce, inner,
                                                 limit=self.limit, gateway=fields))
        elif message.kind == amt.UPDATE:
            self._update(event)
        elif message.kind == amt.TEARDOWN:
            # By octets: in the message's form ::1 and 0.0.0.1 are the same.
            named = next((one for one in self.tunnels if amt.gateway_fields(*one) == message.octets[12:30]), message.gateway)
            if message.mac != self.mac(named, message.nonce):
                event.problem = f"Teardown of {named} with a wrong Response MAC"
            else:
                self.tunnels.pop(named, None)
        else:
            event.problem = f"a gateway does not send {amt.NAMES[message.kind]}"

    def _update(self, event: Event) -> None:
        message, endpoint = event.message, event.endpoint
        inner = packets.parse(message.inner)
        if message.mac != self.mac(endpoint, message.nonce):
            event.problem = "wrong Response MAC"
        elif not (inner.header_ok and inner.transport_ok()):
            event.problem = "a checksum or length of the inner datagram"
        elif inner.ttl != 1 or not inner.router_alert:
            event.problem = "inner TTL or Router Alert (R-5.2.1-b, R-5.2.1-c)"
        elif inner.destination not in ("224.0.0.22", "ff02::16"):
            event.problem = f"inner destination {inner.destination}"
        else:
            event.records = packets.parse_report(inner)
            groups = self.tunnels.setdefault(endpoint, {})
            for kind, group, sources in event.records:
                apply(groups, kind, group, set(sources))
            if not groups:
                del self.tunnels[endpoint]

    def send_to(self, endpoint, octets: bytes) -> None:
        try:
            self.socket.sendto(octets, endpoint)
        except OSError:
            pass  # an ICMP error for an earlier datagram

    def wanting(self, source: str, group: str) -> list[tuple[str, int]]:
        out = []
        for endpoint, groups in list(self.tunnels.items()):
            exclude, sources = groups.get(group, (False, set()))
            if exclude != (source in sources):
                out.append(endpoint)
        return out

    def multicast(self, inner: bytes) -> int:
        """One Data message to each endpoint that wants this datagram; how many that were."""
        datagram = packets.parse(inner)
        wanting = self.wanting(datagram.source, datagram.destination)
        for endpoint in wanting:
            self.send_to(endpoint, amt.data(inner))
        return len(wanting)

    def of_kind(self, kind: int) -> list[Event]:
        return [event for event in list(self.events) if event.message.kind == kind]

    def problems(self) -> list[str]:
        return [f"{amt.NAMES[event.message.kind]} from {event.endpoint}: {event.problem}"
                for event in list(self.events) if event.problem]


def apply(groups: dict, kind: int, group: str, sources: set[str]) -> None:
    """One record; what a router would query on a shared link is dropped at once, a tunnel has one reporter."""
    exclude, known = groups.get(group, (False, set()))
    if kind in (packets.IS_IN, packets.TO_IN):
        exclude, known = False, sources
    elif kind in (packets.IS_EX, packets.TO_EX):
        exclude, known = True, sources
    elif kind == packets.ALLOW:
        known = known - sources if exclude else known | sources
    elif kind == packets.BLOCK:
        known = known | sources if exclude else known - sources
    if exclude or known:
        groups[group] = (exclude, known)
    else:
        groups.pop(group, None)
