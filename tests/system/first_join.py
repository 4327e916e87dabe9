"""Hosts that joined before the gateway was there are heard soon: after its start on a LAN, and when its TAP interface
becomes a bridge's port, or the bridge's spanning tree opens that.

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
# The queries' answers are spread over 10 s after that, and were over 10 s before.
SECONDS_MAX = 4


def heard(case, listeners, since: float, what: str) -> None:
    case.wait_until(lambda: all(one.count for one in listeners), 20, f"{what}: data")
    took = max(one.arrivals[0][0] for one in listeners) - since
    case.figure(what, round(took, 2), "s")
    case.check(took < SECONDS_MAX, f"{what}: {took:.2f} s")


def run(case):
    line = Line(case)
    lan = Lan(case, line, ("host",))
    line.start_relay()
    for family in (4, 6):
        line.stream(family, ASM[family], rate=200)
    listeners = [lan.listener("host", family, ASM[family]) for family in (4, 6)]
    time.sleep(2)  # the hosts' own reports are over
    started = time.monotonic()
    gateway = line.start_gateway(4, "--downstream", "l0")
    heard(case, listeners, started, "first data on a LAN after the start")
    gateway.terminate()

    far = case.host("far")
    line.gateway.ip("link add br1 type bridge", "link set br1 up")
    netns.link(line.gateway, "p1", far, "h0", [], ["192.168.70.9/24"])
    line.gateway.ip("link set p1 master br1")
    far.ip("route add default via 192.168.70.1", "route add ::/0 dev h0")
    listeners = [case.closing(Listener(far, "h0", family, PORT, group=ASM[family])) for family in (4, 6)]
    time.sleep(2)
    line.start_gateway(4, "--tap", name="bridged")
    time.sleep(1)
    joined = time.monotonic()
    line.gateway.ip("link set amt0 master br1")
    heard(case, listeners, joined, "first data behind a bridge after joining it")

    # Two forward delays pass before the port carries anything.
    line.gateway.ip("link set br1 type bridge stp_state 1 forward_delay 200", "link set amt0 nomaster")
    time.sleep(1)
    before = [one.count for one in listeners]
    line.gateway.ip("link set amt0 master br1")

    def forwards():
        return "state forwarding" in line.gateway.run("ip", "-d", "link", "show", "amt0")
    case.wait_until(forwards, 20, "the spanning tree opens the port")
    opened = time.monotonic()
    case.wait_until(lambda: all(one.count > was for one, was in zip(listeners, before)), 20, "data again")
    case.check(time.monotonic() - opened < SECONDS_MAX, f"{time.monotonic() - opened:.2f} s after the port opened")
    case.figure("first data after the spanning tree opened the port", round(time.monotonic() - opened, 2), "s")
