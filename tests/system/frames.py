"""The relay's data as frames of its own (`--data-path xdp` or `orders`): every packet in all four family combinations; then the
neighbour is forgotten, moves to another address, the route changes, is forbidden, and comes back; at last the gateway
goes, and ICMP says so.

    source ── relay r1 ══ tunnel ══ g0 our own gateways
                    r2 ──────────── g0 another host
"""

import re
import socket
import time

from lib import amt, packets
from lib.multicast import HEAD, Capture, sequence_report
from lib.scenario import Skipped
from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
AF_XDP = 44
UDP_HEADER = 8
PACKETS = 400
MOVED_TO = "02:00:00:00:77:01"


def number_of(datagram: bytes) -> int:
    """Of a stream's packet."""
    return HEAD.unpack(packets.parse(datagram).payload[UDP_HEADER:UDP_HEADER + HEAD.size])[2]


def path_of(relay, gateway) -> str | None:
    """None: its Update has not been read yet."""
    return tunnels(relay).get(gateway.endpoint, {}).get("path")


COUNTERS = {"xdp": ("xdp_frames", "xdp_drops"), "orders": ("order_copies", "order_refusals")}


def counted(case, line, relay, outer, inner, way):
    """Every packet of one stream, and that all but the first went as frames."""
    what = f"IPv{inner} in IPv{outer}"
    source, group = line.source_address(inner), SSM[inner]
    gateway = line.fake_gateway(outer)
    gateway.join_channel(group, [source])
    before = relay.snapshot()
    stream = line.stream(inner, group, rate=400)
    case.wait_until(lambda: gateway.data, 5, "the first packet")
    case.wait_until(lambda: path_of(relay, gateway) == way, 5, f"{what}: the path to be {way}")
    start = len(gateway.data)
    case.wait_until(lambda: len(gateway.data) >= start + PACKETS, 10, f"{what}: {PACKETS} packets")
    stream.close()
    time.sleep(0.2)
    gateway.drain()
    sent = len(gateway.data)
    case.wait_until(lambda: moved(before, relay.snapshot())["data_packets_sent"] == sent, 5, f"{what}: {sent} are counted")
    frames = moved(before, relay.snapshot())[COUNTERS[way][0]]
    report = sequence_report([number_of(octets) for _, _, octets in gateway.data])
    case.check(not any(report.values()), f"{what}: {report}")
    # Those from before the path was this one, and one every ten seconds, go by the socket.
    case.check(frames >= sent - start - 2, f"{what}: {frames} of {sent} by frames, {start} before")
    case.check(all(peer == (line.relay_address(outer), amt.PORT) for _, peer, _ in gateway.data), f"{what}: from the relay")
    case.figure(f"{what}: packets", sent, f"{frames} of {sent} as frames")
    gateway.leave_channel(group, [source])
    case.wait_until(lambda: gateway.endpoint not in tunnels(relay), 2, f"{what}: left")
    gateway.close()


class Changes:
    """One gateway, one stream that goes on; what happens to the path on the way."""

    def __init__(self, case, line, relay, outer, way):
        self.case, self.line, self.relay, self.outer, self.way = case, line, relay, outer, way
        self.here = line.gateway_address(outer)
        self.gateway = line.fake_gateway(outer)
        self.gateway.join_channel(SSM[4], [line.source_address(4)])
        self.stream = line.stream(4, SSM[4], rate=200)
        self.expect(self.way, "at the start")

    def expect(self, path, when, timeout=8):
        self.case.wait_until(lambda: path_of(self.relay, self.gateway) == path, timeout,
                             f"IPv{self.outer}, {when}: the path to be {path}")

    def arriving(self, when):
        start = len(self.gateway.data)
        self.case.wait_until(lambda: len(self.gateway.data) >= start + 40, 8, f"IPv{self.outer}, {when}: data")

    def run(self):
        case, line, here = self.case, self.line, self.here
        relay, gateway = line.relay, line.gateway
        flag = "-6" if self.outer == 6 else "-4"
        self.arriving("at the start")

        relay.run("ip", flag, "neigh", "flush", "dev", "r1")
        relay.run("ip", flag, "neigh", "del", here, "dev", "r1", check=False)
        self.arriving("after the neighbour was forgotten")
        self.expect(self.way, "after the neighbour was forgotten")

        # As a gratuitous ARP or an unsolicited Neighbor Advertisement would tell.
        old = re.search(r"link/ether (\S+)", gateway.run("ip", "link", "show", "g0"))[1]
        for mac in (MOVED_TO, old):
            gateway.ip(f"link set g0 address {mac}")
            relay.run("ip", flag, "neigh", "replace", here, "lladdr", mac, "dev", "r1", "nud", "reachable")
            self.arriving(f"now at {mac}")
            self.expect(self.way, f"now at {mac}")

        # Another way, that leads elsewhere: frames follow the route at once.
        other = line.gateway_address(self.outer, 1)
        width = 32 if self.outer == 4 else 128
        capture = case.closing(Capture(line.gateways[1], "g0", outgoing=False))
        relay.ip(f"route add {here}/{width} via {other}")
        case.wait_until(lambda: sum(len(octets) > 100 for octets in capture.datagrams()) > 40, 8, "data on the other link")
        time.sleep(0.2)
        self.gateway.drain()
        start = len(self.gateway.data)
        time.sleep(0.2)
        case.check(len(self.gateway.data) == start, f"IPv{self.outer}: nothing on the old link after the route changed")
        relay.ip(f"route del {here}/{width} via {other}")
        self.arriving("with its old route")
        self.expect(self.way, "with its old route")

        relay.ip(f"route add blackhole {here}/{width}")
        self.expect("socket", "with a route that forbids")
        relay.ip(f"route del blackhole {here}/{width}")
        self.arriving("allowed again")
        self.expect(self.way, "allowed again")
        # ICMP comes to the socket, though it never sent what it is about.
        self.gateway.close()
        self.case.wait_until(lambda: self.gateway.endpoint not in tunnels(self.relay), 20,
                             f"IPv{self.outer}: the end of a tunnel whose gateway is gone")
        self.stream.close()


def run(case):
    way = case.arguments[0]
    try:
        socket.socket(AF_XDP, socket.SOCK_RAW).close()
    except OSError as error:
        raise Skipped(f"no AF_XDP here: {error.strerror}") from error
    line = Line(case, gateways=2)
    relay = line.start_relay("--data-path", way, "--workers", "1", "--max-unreachable", "2")
    for outer in (4, 6):
        for inner in (4, 6):
            counted(case, line, relay, outer, inner, way)
        Changes(case, line, relay, outer, way).run()
    case.check(relay.snapshot()["counters"][COUNTERS[way][1]] == 0, "no frame was refused")
    text = case.amt_once(["status", "--control", relay.control]).stdout
    case.check(re.search(r"\bpath\b", text), "`amt status` shows the path to people, too")
