"""Two gateways on one host, each with its own interface, relay address and port (R-5.2.2-a): each reports what was joined
on its own interface, and delivers there alone.

    source ── relay (10.2.0.1 and 2001:db8:2::1) ══ host ── left  (over IPv4) ── listener
                                                        ── right (over IPv6) ── listener
"""

import time

from lib.topology import SSM, Line, tunnels

NEEDS = {"namespaces", "tun"}


def run(case):
    line = Line(case)
    relay = line.start_relay()
    for name, outer in (("left", 4), ("right", 6)):
        line.start_gateway(outer, "--interface", name, "--no-route", name=name)
    source = line.source_address(4)
    line.stream(4, SSM[4], rate=200, sizes=(100,))
    left = line.listener(4, SSM[4], [source], interface="left")
    case.wait_until(lambda: left.count >= 50, 15, "data on the left")
    right = line.listener(4, interface="right")
    time.sleep(0.5)
    case.check(right.count == 0, "nothing on the right before it joined")
    shown = tunnels(relay)
    case.check(len(shown) == 1 and all("." in endpoint for endpoint in shown), f"one tunnel, over IPv4: {sorted(shown)}")

    right.join_group(SSM[4], [source])
    case.wait_until(lambda: right.count >= 50, 15, "data on the right")
    left.leave_group(SSM[4], [source])
    case.wait_until(lambda: [one[0] for one in tunnels(relay)] == ["["], 5, "the left one left; the right one, over IPv6, stays")
    count, silent = right.count, left.count
    case.wait_until(lambda: right.count >= count + 50, 5, "the right goes on")
    case.check(left.count <= silent + 20, f"the left has ended: {left.count - silent} more")
    case.check(left.damaged + right.damaged == 0, "damaged")
    case.figure("gateways on one host", 2)
