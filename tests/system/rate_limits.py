"""The default rate limits leave room for one address: 50 Requests and 40 Discoveries a second are all answered, and it
may have 8 tunnels. A flood from one address is limited, and counted.

    relay ══ our own gateways on one address
"""

import time

from lib import amt
from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}


def paced(seconds: float, rate: int, send) -> int:
    start, sent = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        send(sent)
        sent += 1
        time.sleep(max(0.0, start + sent / rate - time.monotonic()))
    return sent


def run(case):
    line = Line(case)
    relay = line.start_relay()
    for family in (4, 6):
        gateway = line.fake_gateway(family)
        base = 0x5000000 * family

        def answered(kind):
            return {message.nonce for _, _, message in list(gateway.messages) if message.kind == kind}
        sent = paced(3, 50, lambda n: gateway.send(amt.request(base + n, bool(n & 1))))
        case.wait_until(lambda: len(answered(amt.QUERY)) == sent, 2, f"{sent} Queries, got {len(answered(amt.QUERY))}")
        case.figure(f"IPv{family} Requests at 50/s answered", sent)
        sent = paced(3, 40, lambda n: gateway.send(amt.discovery(base + n)))
        case.wait_until(lambda: len(answered(amt.ADVERTISEMENT)) == sent, 2,
                        f"{sent} Advertisements, got {len(answered(amt.ADVERTISEMENT))}")
        case.figure(f"IPv{family} Discoveries at 40/s answered", sent)
        before = relay.snapshot()
        for n in range(5000):
            gateway.send(amt.request(base + 0x100000 + n, False))
        case.wait_until(lambda: moved(before, relay.snapshot()).get("reject_request_rate_limit"), 3, "a flood is limited")
        case.figure(f"IPv{family} of 5000 Requests at once refused",
                    moved(before, relay.snapshot())["reject_request_rate_limit"])
        time.sleep(1.5)
        others = [line.fake_gateway(family) for _ in range(8)]
        for other in others:
            other.join_channel(SSM[family], [line.source_address(family)])
        case.wait_until(lambda: set(tunnels(relay)) >= {other.endpoint for other in others}, 5, "8 tunnels of one address")
        for other in others:
            other.teardown(family)
