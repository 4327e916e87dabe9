"""Source filters filter. Argument `tun`: two gateways want different sources of one group, neither gets the other's.
Argument `double`: two endpoints behind one address, INCLUDE and EXCLUDE, and their changes.

    source (three addresses, one group) ── relay ══ tunnels ══ gateways
"""

import time

from lib import packets
from lib.topology import ASM, Line, tunnels

NEEDS = {"namespaces"}
GROUP = {4: "232.9.9.9", 6: "ff3e::8000:999"}


def with_interfaces(case):
    line = Line(case, sources=2, gateways=2)
    line.start_relay()
    for number in (0, 1):
        line.start_gateway(4 if number == 0 else 6, number=number)
    for family in (4, 6):
        for number in (1, 2):
            line.stream(family, GROUP[family], number=number, stream=number, rate=100)
        listeners = [line.listener(family, GROUP[family], [line.source_address(family, number + 1)], number=number)
                     for number in (0, 1)]
        for number, listener in enumerate(listeners):
            case.wait_until(lambda one=listener: one.count >= 100, 15, f"100 packets at gateway {number}")
            expected = {line.source_address(family, number + 1)}
            case.check(listener.origins() == expected, f"gateway {number} got {listener.origins()}, wanted {expected}")
            case.check(listener.damaged == 0, "damaged")
            case.figure(f"IPv{family} gateway {number}", listener.count, f"packets, all from {expected.pop()}")


def with_doubles(case):
    line = Line(case, sources=3)
    relay = line.start_relay()
    for family in (4, 6):
        one, two, three = (line.source_address(family, number) for number in (1, 2, 3))
        for number in (1, 2, 3):
            for group in (GROUP[family], ASM[family]):
                line.stream(family, group, number=number, stream=number, rate=50, sizes=(100,))
        first, second = line.fake_gateway(4), line.fake_gateway(4)

        def origins(gateway, group, seconds=0.5):
            gateway.catch_up(family)  # the relay has done what it was told,
            time.sleep(0.3)  # has sent what it had begun,
            gateway.catch_up(family)  # and that has arrived
            gateway.data.clear()
            time.sleep(seconds)
            gateway.catch_up(family)
            return {datagram.source for datagram in gateway.inner() if datagram.destination == group}

        first.join_channel(GROUP[family], [one])
        second.join_channel(GROUP[family], [two, three])
        case.check(origins(first, GROUP[family]) == {one}, "INCLUDE(1)")
        case.check(origins(second, GROUP[family]) == {two, three}, "INCLUDE(2,3)")
        shown = tunnels(relay)
        case.check(set(shown) >= {first.endpoint, second.endpoint}, f"status: {sorted(shown)}")

        # Table of RFC 3376 §6.4.2, one reporter (CONFORMANCE I-f)
        second.report(family, [packets.record(packets.BLOCK, GROUP[family], [two])])
        case.check(origins(second, GROUP[family]) == {three}, "BLOCK(2) leaves 3")
        second.report(family, [packets.record(packets.TO_IN, GROUP[family], [one])])
        case.check(origins(second, GROUP[family]) == {one}, "TO_IN(1)")
        group = ASM[family]
        first.report(family, [packets.record(packets.TO_EX, group, [two])])
        case.check(origins(first, group) == {one, three}, "TO_EX(2): all but 2")
        first.report(family, [packets.record(packets.ALLOW, group, [two]), packets.record(packets.BLOCK, group, [one])])
        case.check(origins(first, group) == {two, three}, "ALLOW(2), BLOCK(1): all but 1")
        first.report(family, [packets.record(packets.TO_IN, group, [])])
        case.check(origins(first, group) == set(), "TO_IN({}): nothing")
        case.check(origins(second, group) == set(), "the other one never wanted it")
        case.figure(f"IPv{family} filters", 7, "changes held")
        first.teardown(family)
        second.teardown(family)


def run(case):
    {"tun": with_interfaces, "double": with_doubles}[case.arguments[0]](case)
