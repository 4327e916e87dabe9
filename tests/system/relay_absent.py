"""The relay is not there at the start: its host answers with ICMP port unreachable. It appears later; reception begins.
Argument: `gateway` (TUN interface) or `receive`.

    source ── relay's host (relay started late) ══ gateway ── listener
"""

import time

from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    source = line.source_address(6)
    if case.arguments == ["gateway"]:
        case.need_tun()
        waiting = line.start_gateway(6)
        listener = line.listener(6, SSM[6], [source])
    else:
        listener = line.listener(6, interface="lo", port=6000)
        waiting = line.receive(url(SSM[6], source), "-o", "udp://[::1]:6000", outer=6)
    line.stream(6, SSM[6], rate=250)
    time.sleep(5)
    case.check(waiting.status is None, f"it waits: status {waiting.status}: {waiting.err}")
    case.check(listener.count == 0, "nothing yet")
    line.start_relay()
    ready = time.monotonic()
    case.wait_until(lambda: listener.count >= 100, 30, "data once the relay is there")
    case.figure("relay ready to first data, after 5 s of absence", listener.arrivals[0][0] - ready, "s")
    case.check(listener.damaged == 0, "damaged")
