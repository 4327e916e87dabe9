"""An endpoint that falls silent lives for robustness x query interval + 10 s (up to 10 s more), not less, not much more
(R-5.3.3.7-a..d); a Request does not keep it, nor a forged Update; a valid Update does.

    source ── relay --robustness 1 --query-interval 2 ══ our own gateways
"""

import time

from lib import amt, packets
from lib.topology import SSM, Line, tunnels

NEEDS = {"namespaces"}
LIFE = 1 * 2 + 10


def run(case):
    line = Line(case)
    relay = line.start_relay("--robustness", 1, "--query-interval", 2)
    source = line.source_address(4)
    silent, refreshed, forged = (line.fake_gateway(4) for _ in range(3))
    for gateway in (silent, refreshed, forged):
        query = gateway.request(4)
        inner = packets.parse(query.inner)
        case.check(inner.payload[8] & 7 == 1 and inner.payload[9] == 2, "QRV and QQIC as configured")
        gateway.join_channel(SSM[4], [source])
    start = time.monotonic()
    case.wait_until(lambda: len(tunnels(relay)) == 3, 2, "three tunnels")
    remaining = tunnels(relay)[silent.endpoint]["expires_seconds"]
    case.check(LIFE - 3 <= remaining <= LIFE + 10, f"expires_seconds {remaining}")
    refresh = [packets.record(packets.IS_IN, SSM[4], [source])]
    ended: dict[str, float] = {}
    rounds = 0
    while time.monotonic() - start < LIFE + 60 and len(ended) < 2:
        shown = tunnels(relay)
        for gateway in (silent, forged):
            if gateway.endpoint not in shown:
                ended.setdefault(gateway.endpoint, time.monotonic() - start)
        case.check(refreshed.endpoint in shown, "the one that reports lives on")
        if rounds % 4 == 0:
            refreshed.request(4)
            refreshed.report(4, refresh)
            silent.send(amt.request(0x7000000 + rounds, False))
            query = forged.queries[4]
            forged.send(amt.update(bytes(6), query.nonce, packets.report(refresh, 4)))
        rounds += 1
        time.sleep(0.5)
    case.check(len(ended) == 2, f"both silent endpoints end within {LIFE + 60} s: {ended}")
    for endpoint, at in ended.items():
        case.figure(f"{endpoint} lived", at, f"s; robustness x interval + 10 s is {LIFE} s")
        case.check(at >= LIFE - 1, f"too early: {at:.1f} s")
    before = relay.snapshot()["counters"]
    case.check(before["tunnels_expired"] == 2, f"counted: {before['tunnels_expired']}")
