"""Copies that the kernel makes (`--data-path orders`), each of them held against its packet: a hundred gateways, both
families outside and inside, inner lengths from the shortest to what fits, every ECN field, half of the gateways with the
E flag; then the helper interface, which is there once for each worker and goes with the relay, however that ends.

    source ── relay r1 ══ tunnels ══ g0 a hundred of our own gateways
"""

import collections
import signal
import socket
import struct
import time

from lib import amt, multicast, packets
from lib.topology import PORT, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
GATEWAYS = 100
# Of inner UDP payloads: the shortest, odd and even ones; the longest that fits comes on top.
LENGTHS = (0, 1, 2, 63, 64, 555, 1315, 1316)
HEADERS = {4: 20, 6: 40}
UDP_HEADER, AMT_HEADER, LINK_MTU, HOP_LIMIT = 8, 2, 1500, 64
DONT_FRAGMENT = 0x40


def longest(outer: int, inner: int) -> int:
    return LINK_MTU - HEADERS[outer] - HEADERS[inner] - 2 * UDP_HEADER - AMT_HEADER


def helpers(host) -> list[str]:
    """Names of the interfaces that orders go through."""
    return [line.split(":")[1].strip() for line in host.run("ip", "-o", "link").splitlines() if ": amto" in line]


class Sender:
    """One packet at a time: what comes together may go by the socket."""

    def __init__(self, line, family, group):
        self.group = group
        with line.source.enter():
            self.socket = socket.socket(multicast.socket_family(family), socket.SOCK_DGRAM)
            index = socket.if_nametoindex("s0")
        if family == 4:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), index))
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 16)
            self.traffic_class = (socket.IPPROTO_IP, socket.IP_TOS)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 16)
            self.traffic_class = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
        self.socket.bind((line.source_address(family), 0))

    def send(self, octets: int, ecn=0) -> tuple[int, bytes]:
        """What a gateway shall see of it."""
        self.socket.setsockopt(*self.traffic_class, ecn)
        payload = bytes((octets + ecn + at * 7) & 255 for at in range(octets))
        self.socket.sendto(payload, (self.group, PORT))
        time.sleep(0.003)
        return ecn, payload


def is_odd(gateway) -> bool:
    return gateway.port % 2 == 1


def wrong_copies(gateways, sent) -> dict[str, int]:
    wrong = collections.Counter()
    for gateway in gateways:
        got = [(one.tos & 3, one.payload[UDP_HEADER:]) for one in gateway.inner()]
        wrong["missing"] += sum((collections.Counter(sent) - collections.Counter(got)).values())
        wrong["too many"] += sum((collections.Counter(got) - collections.Counter(sent)).values())
        wrong["out of order"] += got != sent
    return +wrong


def wrong_outside(captured, outer, sent) -> dict[str, int]:
    """Of the outer headers. Gateways with odd ports have the E flag."""
    wrong = collections.Counter()
    ecn_of = collections.defaultdict(list)
    for octets in captured:
        datagram = packets.parse(octets)
        source, port = struct.unpack("!HH", datagram.payload[:4])
        if source != amt.PORT or datagram.payload[UDP_HEADER] != amt.DATA:
            continue
        ecn_of[port].append(datagram.tos)
        wrong["checksum"] += not datagram.transport_ok()
        wrong["TTL"] += datagram.ttl != HOP_LIMIT
        wrong["DF"] += outer == 4 and octets[6] != DONT_FRAGMENT
    for port, seen in ecn_of.items():
        wrong["ECN"] += seen != [ecn if port % 2 else 0 for ecn, _ in sent]
    wrong["gateways"] += len(ecn_of) != GATEWAYS
    return +wrong


def each_copy(case, line, relay, outer, inner):
    what = f"IPv{inner} in IPv{outer}"
    group, source = SSM[inner], line.source_address(inner)
    gateways = [line.fake_gateway(outer) for _ in range(GATEWAYS)]
    for gateway in gateways:
        gateway.request(inner, ecn=is_odd(gateway))
        gateway.join_channel(group, [source])
    case.wait_until(lambda: len(tunnels(relay)) == GATEWAYS, 20, f"{what}: {GATEWAYS} tunnels")
    sender = Sender(line, inner, group)

    def all_by_orders() -> bool:
        # The first packet of each gateway goes by the socket, which has the neighbour resolved.
        sender.send(10)
        return all(one["path"] == "orders" for one in tunnels(relay).values())
    case.wait_until(all_by_orders, 10, f"{what}: the path to be orders")
    for gateway in gateways:
        gateway.catch_up(inner)
        gateway.data.clear()
    before = relay.snapshot()
    capture = multicast.Capture(line.gateway, "g0", outgoing=False)
    sent = [sender.send(octets, ecn) for octets in (*LENGTHS, longest(outer, inner)) for ecn in range(4)]
    copies = len(sent) * GATEWAYS
    case.wait_until(lambda: sum(len(one.data) for one in gateways) >= copies, 20, f"{what}: {copies} copies")
    capture.drain()
    counted = moved(before, relay.snapshot())
    case.check(not (wrong := wrong_copies(gateways, sent)), f"{what}: each copy: {wrong}")
    case.check(not (wrong := wrong_outside(capture.datagrams(), outer, sent)), f"{what}: outer headers: {wrong}")
    case.check(counted["data_packets_sent"] == copies, f"{what}: counted: {counted}")
    # Each gateway's path had at least one turn of the socket, and may have another.
    case.check(copies - 2 * GATEWAYS <= counted["order_copies"] <= copies, f"{what}: by orders: {counted}")
    case.check("order_refusals" not in counted, f"{what}: nothing was refused: {counted}")
    case.figure(f"{what}: copies", copies, f"{counted['order_copies']} by orders")
    capture.close()
    for gateway in gateways:
        gateway.leave_channel(group, [source])
    case.wait_until(lambda: not tunnels(relay), 10, f"{what}: left")
    for gateway in gateways:
        gateway.close()


def run(case):
    line = Line(case)
    relay = line.start_relay("--data-path", "orders", "--workers", "1", "--max-tunnels-per-address", str(2 * GATEWAYS))
    case.check(len(helpers(line.relay)) == 1, f"one helper interface: {helpers(line.relay)}")
    for outer in (4, 6):
        for inner in (4, 6):
            each_copy(case, line, relay, outer, inner)
    relay.signal(signal.SIGKILL)
    relay.wait(5)
    case.wait_until(lambda: not helpers(line.relay), 5, "the helper interface to go with a relay that was killed")
    again = line.start_relay("--data-path", "orders", "--workers", "2", name="again")
    case.check(len(helpers(line.relay)) == 2, f"one helper interface for each worker: {helpers(line.relay)}")
    again.terminate()
    case.check(not helpers(line.relay), f"no helper interface is left: {helpers(line.relay)}")
