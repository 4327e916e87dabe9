"""The NAT gives the gateway another port while data flows: the relay learns the new endpoint from the next Request, the
old endpoint is torn down (R-5.2.3.5.4-l, R-5.2.3.7.2-a), reception goes on.
Argument `kept`: the old port still lets data in, then no packet may be missed. `lost`: it does not; the gap is printed.

    source ── relay ══ NAT that changes its mapping ── amt receive
"""

import time

from lib.multicast import sequence_report
from lib.nat import PortMapper
from lib.topology import SSM, Line, tunnels, url

NEEDS = {"namespaces"}
INTERVAL = 3


def run(case):
    kept = case.arguments == ["kept"]
    line = Line(case)
    relay = line.start_relay("--query-interval", INTERVAL, "--workers", 4)
    nat = case.closing(PortMapper(line.gateway, "127.0.0.1", line.relay_address(4)))
    # Sent on to a port of this host, so that arrivals have times.
    listener = line.listener(4, interface="lo", port=6000)
    line.stream(4, SSM[4], rate=250, sizes=(300,))
    case.start(["receive", url(SSM[4], line.source_address(4)), "--relay", "127.0.0.1", "-o", "udp://127.0.0.1:6000"],
               "receive", line.gateway)
    case.wait_until(lambda: listener.count >= 200, 10, "data")
    old = nat.port
    case.check([endpoint.rsplit(":", 1)[1] for endpoint in tunnels(relay)] == [str(old)], f"one tunnel, port {old}")

    before = relay.snapshot()["counters"]
    changed = time.monotonic()
    nat.rebind(keep_old=kept)
    case.wait_until(lambda: [e.rsplit(":", 1)[1] for e in tunnels(relay)] == [str(nat.port)], 4 * INTERVAL + 10,
                    f"only the new port {nat.port} has a tunnel: {list(tunnels(relay))}", poll=0.1)
    case.figure("mapping changed to old endpoint gone", time.monotonic() - changed, "s")
    after = relay.snapshot()["counters"]
    teardowns = [name for name in after if "teardown" in name.lower() and after[name] > before.get(name, 0)]
    case.check(teardowns, "a Teardown was counted")
    more = listener.count
    case.wait_until(lambda: listener.count >= more + 200, 5, "data at the new port")
    times = [at for at, *_ in listener.arrivals]
    gap = max(b - a for a, b in zip(times, times[1:]))
    report = sequence_report(listener.numbers())
    case.figure("longest gap", gap * 1000, "ms")
    case.figure("packets", listener.count, str(report))
    case.check(listener.damaged == 0, "damaged")
    if kept:
        case.check(report["lost"] == 0, f"uninterrupted: {report}")
    else:
        case.check(gap < 2 * INTERVAL, f"a gap of {gap:.1f} s")
