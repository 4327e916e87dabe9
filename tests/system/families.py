"""An ordinary program joins on the gateway's interface and gets every octet: outer family, inner family, SSM and ASM
(R-5.1-a, R-5.1-c).

    source ── relay (host mode) ══ tunnel ══ gateway ── amt0 ── listener
"""

import time

from lib.multicast import sequence_report
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces", "tun"}
PACKETS = 600


def run(case):
    outer, inner = map(int, case.arguments[:2])
    line = Line(case)
    line.start_relay(*case.arguments[2:])
    line.start_gateway(outer)
    source = line.source_address(inner)
    for kind, group, sources in (("SSM", SSM[inner], [source]), ("ASM", ASM[inner], [])):
        stream = line.stream(inner, group, rate=400)
        listener = line.listener(inner)
        joined = time.monotonic()
        listener.join_group(group, sources)
        case.wait_until(lambda: listener.count >= PACKETS, 20, f"{PACKETS} packets of {kind} {group} (got {listener.count})")
        stream.close()
        report = sequence_report(listener.numbers())
        case.figure(f"{kind} join to first packet", (listener.arrivals[0][0] - joined) * 1000, "ms")
        case.figure(f"{kind} packets", listener.count, str(report))
        case.check(listener.damaged == 0, f"{kind}: {listener.damaged} damaged")
        case.check(listener.origins() == {source}, f"{kind}: from {listener.origins()}")
        case.check(not any(report.values()), f"{kind}: {report}")
        listener.close()
