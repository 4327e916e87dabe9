"""`--ipfix`: flow records for each channel of each gateway, read by nfdump's collector; octets and packets are what gateways
received, exactly; active and idle time-outs, and the end of a flow.

    collector (nfcapd), source ── relay (--workers 2, --ipfix) ══ our own gateways
"""

import collections

from lib import flows
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces"}
def run(case):
    line = Line(case)
    collector = flows.Collector(case, line.source, line.source_address(4))
    relay = line.start_relay("--workers", 2, *collector.options, "--ipfix-active-timeout", 2, "--ipfix-idle-timeout", 1)
    streams = {family: line.stream(family, group, rate=200, sizes=(300,))
               for family, group in ((4, SSM[4]), (6, ASM[6]))}
    gateways = {outer: line.fake_gateway(outer) for outer in (4, 6)}
    for gateway in gateways.values():
        gateway.join_channel(SSM[4], [line.source_address(4)])
        gateway.join_channel(ASM[6])
    case.wait_until(lambda: all(len(one.data) > 1200 for one in gateways.values()), 30, "some seconds of data")
    streams[6].close()
    for gateway in gateways.values():
        gateway.catch_up(4)
    seen = len(gateways[4].data)
    case.wait_until(lambda: len(gateways[4].data) > seen + 600, 30, "one channel goes on, the other is idle")
    gateways[4].leave_channel(SSM[4], [line.source_address(4)])
    streams[4].close()
    for gateway in gateways.values():
        gateway.catch_up(4)
    relay.terminate()
    records = collector.end()
    told: dict = collections.defaultdict(lambda: [0, 0])
    for flow in records:
        told[flows.key(flow)][0] += flow["in_packets"]
        told[flows.key(flow)][1] += flow["in_bytes"]
    expected = {}
    for outer, gateway in gateways.items():
        for family, group, source in ((4, SSM[4], line.source_address(4)), (6, ASM[6], "::")):
            mine = [octets for _, _, octets in gateway.data if octets[0] >> 4 == family]
            expected[source, group, gateway.address, gateway.port] = [len(mine), sum(map(len, mine))]
        case.figure(f"packets of the gateway by IPv{outer}", len(gateway.data))
    case.check(dict(told) == expected, f"told {dict(told)}, received {expected}")
    case.figure("flow records", len(records), "by active and idle time-out, leave, and end")
    case.check(len(records) > len(expected), f"time-outs cut flows: {len(records)}")
