"""kill -9 of the relay, and a new one: reception comes back by itself; under 20 s at a query interval of 5 s.
Argument: `gateway` (TUN interface) or `receive` (no privileges).

    source ── relay (killed, started again) ══ gateway ── listener
"""

import time

from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    relay = line.start_relay("--query-interval", 5)
    source = line.source_address(4)
    if case.arguments == ["gateway"]:
        case.need_tun()
        line.start_gateway(4)
        listener = line.listener(4, SSM[4], [source])
    else:
        listener = line.listener(4, interface="lo", port=6000)
        line.receive(url(SSM[4], source), "-o", "udp://127.0.0.1:6000")
    line.stream(4, SSM[4], rate=250)
    case.wait_until(lambda: listener.count >= 250, 15, "data")
    for pause in (0.0, 3.0):
        relay.kill()
        killed = time.monotonic()
        time.sleep(pause)
        relay = line.start_relay("--query-interval", 5, name=f"relay-after-{pause:.0f}s")
        ready = time.monotonic()
        count = listener.count
        case.wait_until(lambda: listener.count >= count + 100, 25, "data from the new relay")
        # What the old relay had sent has arrived long before a new one can run.
        first = next(at for at, *_ in listener.arrivals if at > killed + 0.02)
        case.figure(f"down for {ready - killed:.1f} s: ready to first data", first - ready, "s")
        case.figure(f"down for {ready - killed:.1f} s: killed to first data", first - killed, "s")
        case.check(first - ready < 20, f"recovery took {first - ready:.1f} s")
        case.check(listener.damaged == 0, "damaged")
