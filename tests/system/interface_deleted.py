"""Somebody deletes the gateway's interface: it says so in one line, tells the relay, and ends with status 1.

    our relay ══ gateway, a program that joined on amt0
"""

from lib import fake_relay
from lib.topology import SSM, Line

NEEDS = {"namespaces", "tun"}


def run(case):
    line = Line(case)
    source = line.source_address(4)
    relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(4)))
    gateway = line.start_gateway(4)
    case.closing(line.listener(4, SSM[4], [source]))
    case.wait_until(lambda: relay.tunnels, 10, "membership")
    line.gateway.run("ip", "link", "del", "amt0")
    case.check(gateway.wait(5) == 1, f"status {gateway.status}")
    case.wait_until(lambda: not relay.tunnels, 2, "torn down")
    complaints = [text for text in gateway.err.splitlines() if "warning" in text or "error" in text]
    case.check(len([text for text in complaints if "amt0" in text and "gone" in text]) == 1, gateway.err[:2000])
    case.check(len(complaints) < 5, f"{len(complaints)} complaints")
