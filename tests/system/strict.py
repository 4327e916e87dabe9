"""Router Alert is missing from an Update's inner datagram (VLC omits it): accepted and counted, refused with --strict.

    relay (default, then --strict) ══ our own gateway
"""

from lib import packets
from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    for options in ([], ["--strict"]):
        relay = line.start_relay(*options, name="strict" if options else "default")
        for family in (4, 6):
            join = [packets.record(packets.ALLOW, SSM[family], [line.source_address(family)])]
            gateway = line.fake_gateway(family)
            gateway.request(family)
            before = relay.snapshot()
            gateway.report(family, join, router_alert=False)
            counter = "reject_inner_no_router_alert" if options else "updates_without_router_alert"
            case.wait_until(lambda: counter in moved(before, relay.snapshot()), 2,
                            f"{options} IPv{family}: {counter}; moved: {moved(before, relay.snapshot())}")
            case.check((gateway.endpoint in tunnels(relay)) == (not options), f"{options} IPv{family}: tunnel")
            gateway.report(family, join)
            case.wait_until(lambda: gateway.endpoint in tunnels(relay), 2, f"{options}: with Router Alert it is accepted")
            gateway.report(family, [packets.record(packets.BLOCK, SSM[family], [line.source_address(family)])], ttl=2)
            case.check(gateway.endpoint in tunnels(relay), "TTL 1 is demanded always")
        relay.terminate()
    case.figure("Router Alert", "accepted without by default, demanded with --strict")
