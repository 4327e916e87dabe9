"""Teardown: the endpoint stands in the message's fields, authenticated by its MAC; the sender's own address does not
matter (R-5.3.3.5-a, R-5.3.3.5-e). Data stops at once, the upstream join goes. Nothing is answered.

    source ── relay ══ gateway 0 (torn down by gateway 1, at another address)
"""

import time

from lib import amt
from lib.topology import SSM, Line, tunnels

NEEDS = {"namespaces"}


def run(case):
    line = Line(case, gateways=2)
    relay = line.start_relay()
    for family in (4, 6):
        group = SSM[family]
        line.stream(family, group, rate=500, sizes=(100,))
        gateway = line.fake_gateway(family)
        elsewhere = line.fake_gateway(family, number=1)
        gateway.join_channel(group, [line.source_address(family)])
        case.wait_until(lambda: len(gateway.data) > 10, 5, "data")
        query = gateway.queries[family]
        elsewhere.send(amt.teardown(query.mac, query.nonce ^ 1, gateway.address, gateway.port))
        elsewhere.send(amt.teardown(query.mac, query.nonce, elsewhere.address, elsewhere.port))
        time.sleep(0.2)
        case.check(gateway.endpoint in tunnels(relay), "a Teardown with other fields does nothing")
        sent = time.monotonic()
        elsewhere.send(amt.teardown(query.mac, query.nonce, gateway.address, gateway.port))
        time.sleep(0.7)
        gateway.drain()
        stopped = max(0.0, gateway.data[-1][0] - sent)
        case.figure(f"IPv{family} Teardown to last data", stopped * 1000, "ms")
        case.check(stopped < 0.5, f"data went on for {stopped:.3f} s")
        case.check(gateway.endpoint not in tunnels(relay), "gone from status")
        case.check(not elsewhere.messages, "a Teardown is never answered")
        case.wait_until(lambda: group not in line.relay.run("ip", f"-{family}", "maddr", "show", "dev", "r0"), 10,
                        "the native join is left", poll=0.1)
