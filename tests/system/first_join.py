"""Hosts that joined before the gateway was there are heard soon: after its start on a LAN, and when its TAP interface
becomes a bridge's port, the bridge's spanning tree opens that, or it comes up.

    source ── relay ══ gateway: l0 ── switch ── host
                                br1 ─┬─ amt0 (TAP)
                                     └─ p1 ── far host
"""

import time

from lib import netns
from lib.lan import Lan
from lib.multicast import Listener
from lib.topology import ASM, PORT, Line

NEEDS = {"namespaces", "tun"}
# Hosts answer the first queries within half a second, the later ones within 10 s.
SECONDS_MAX = 1.5


def heard(case, listeners, since: float, what: str) -> float:
    """When all have data, in seconds after that."""
    def first(listener):
        return next((at for at, *_ in listener.arrivals if at >= since), None)
    case.wait_until(lambda: all(first(one) for one in listeners), 20, f"{what}: data")
    return max(first(one) for one in listeners) - since


def run(case):
    line = Line(case)
    lan = Lan(case, line, ("host",))
    line.start_relay()
    for family in (4, 6):
        line.stream(family, ASM[family], rate=200)
    listeners = [lan.listener("host", family, ASM[family]) for family in (4, 6)]
    time.sleep(2)  # the hosts' own reports are over

    def start() -> float:
        started = time.monotonic()
        gateway = line.start_gateway(4, "--downstream", "l0")
        took = heard(case, listeners, started, "on a LAN")
        gateway.terminate()
        return took
    case.within(SECONDS_MAX, "first data on a LAN after the start", start)

    far = case.host("far")
    line.gateway.ip("link add br1 type bridge", "link set br1 up")
    netns.link(line.gateway, "p1", far, "h0", [], ["192.168.70.9/24"])
    line.gateway.ip("link set p1 master br1")
    far.ip("route add default via 192.168.70.1", "route add ::/0 dev h0")
    listeners = [case.closing(Listener(far, "h0", family, PORT, group=ASM[family])) for family in (4, 6)]
    time.sleep(2)
    line.start_gateway(4, "--tap", name="bridged")

    def join_bridge() -> float:
        line.gateway.ip("link set amt0 nomaster")
        time.sleep(1)
        joined = time.monotonic()
        line.gateway.ip("link set amt0 master br1")
        return heard(case, listeners, joined, "behind a bridge")
    case.within(SECONDS_MAX, "first data behind a bridge after joining it", join_bridge)

    # Two forward delays pass before the port carries anything.
    line.gateway.ip("link set br1 type bridge stp_state 1 forward_delay 200")

    def open_port() -> float:
        line.gateway.ip("link set amt0 nomaster")
        time.sleep(1)
        line.gateway.ip("link set amt0 master br1")

        def forwards():
            return "state forwarding" in line.gateway.run("ip", "-d", "link", "show", "amt0")
        case.wait_until(forwards, 20, "the spanning tree opens the port")
        return heard(case, listeners, time.monotonic(), "behind the spanning tree")
    case.within(SECONDS_MAX, "first data after the spanning tree opened the port", open_port)

    # The driver is made down, and works from `up` on.
    line.gateway.ip("link set br1 type bridge stp_state 0")

    def come_up() -> float:
        line.gateway.ip("link set amt0 down")
        time.sleep(1)
        up = time.monotonic()
        line.gateway.ip("link set amt0 up")
        return heard(case, listeners, up, "after up")
    case.within(SECONDS_MAX, "first data after the interface comes up", come_up)
