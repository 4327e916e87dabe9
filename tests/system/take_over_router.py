"""`amt relay --interface --take-over`: one process after the other takes over a relay in router mode. Its pseudo-interface stays
as it is, so a routing daemon notices nothing, and no gateway loses a packet that was forwarded to it.

    this test, out of amtr0 ── relay, relay, ... ══ our own gateways
"""

import socket
import time

from lib import packets
from lib.background import Background
from lib.multicast import sequence_report
from lib.topology import PORT, SSM, Line, moved, tunnels

NEEDS = {"namespaces", "tun"}
ROUNDS = 4


class Forwarder(Background):
    """In the place of a routing daemon: numbered packets out of the interface."""

    def __init__(self, host, source: str):
        super().__init__()
        self.source, self.sent = source, 0
        with host.enter():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        self.start()

    def run(self) -> None:
        with self.socket:
            while not self.ended.is_set():
                datagram = packets.udp_datagram(self.source, SSM[4], PORT, self.sent.to_bytes(4, "big"), ttl=5)
                self.socket.sendto(datagram, ("amtr0", 0x0800))
                self.sent += 1
                time.sleep(0.0005)


def run(case):
    line = Line(case)
    mode = ("--interface", "amtr0")
    relay = line.start_relay(upstream=mode)
    source = line.source_address(4)
    gateways = [line.fake_gateway(outer) for outer in (4, 6)]
    for gateway in gateways:
        gateway.join_channel(SSM[4], [source])
    case.wait_until(lambda: len(tunnels(relay)) == 2, 5, "tunnels")
    forwarder = case.closing(Forwarder(line.relay, source))
    case.wait_until(lambda: all(len(one.data) > 10 for one in gateways), 5, "data")
    link = line.relay.run("ip", "-o", "link", "show", "dev", "amtr0").split(":")[0]
    before = relay.snapshot()
    for number in range(ROUNDS):
        old = relay
        relay = line.start_relay("--take-over", upstream=mode, name=f"relay{number}", control=old.control)
        case.check(old.wait(10) == 0, f"{old.status}: {old.err}")
        seen = len(gateways[0].data)
        case.wait_until(lambda: len(gateways[0].data) > seen + 50, 10, "data goes on")
    case.check(line.relay.run("ip", "-o", "link", "show", "dev", "amtr0").split(":")[0] == link, "the same interface")
    changes = moved(before, relay.snapshot())
    case.check(not {"requests_received", "tunnels_created", "tunnels_left"} & changes.keys(), f"{changes}")
    forwarder.close()
    for gateway in gateways:
        gateway.catch_up(4)
        report = sequence_report([int.from_bytes(one.payload[8:12], "big") for one in gateway.inner()])
        case.check(report["lost"] == report["duplicated"] == 0, f"{gateway.endpoint}: {report}")
    case.figure("packets forwarded", forwarder.sent, f"over {ROUNDS} changes of the relay")
    relay.terminate()
    case.check(not line.relay.has_link("amtr0"), "gone after the end")
