"""Two multicast routers on one LAN (RFC 3376 §6.6.2, RFC 3810 §7.6.2; I-i, P-g): the lower address asks and forwards,
the other one listens on, and takes over when it falls silent.

    source ── relay ══ gateway ── l0 ── switch ─┬─ host
                                                └─ router (a double)
"""

import time

from lib import packets
from lib.lan import IGMPV2_LEAVE, MLDV1_DONE, Lan, is_querier, memberships
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}
HIGHER = {4: "192.168.50.200", 6: "fe80::ffff:ffff:ffff:ffff"}
LOWER = {4: "192.168.50.2", 6: "fe80::2"}
LEAVE = {4: IGMPV2_LEAVE, 6: MLDV1_DONE}
# A group that only the double wants: no kernel answers for it.
PHANTOM = {4: "239.5.5.5", 6: "ff1e::5:5"}


def asks(case, router, family):
    """What the gateway asks at its start, and from where."""
    first = case.wait_until(lambda: [one for one in router.queries() if one.datagram.version == family], 5, "a query")[0]
    shown = first.datagram
    case.check(first.group == "" and shown.ttl == 1 and shown.router_alert and shown.header_ok and shown.transport_ok(),
               f"IPv{family}: General Query: {shown}")
    case.check(shown.source == "192.168.50.100" or shown.source.startswith("fe80::"), shown.source)
    return shown.source


def election(case, gateway, router, listener, family, own):
    router.query(HIGHER[family])
    if family == 4:
        router.query("0.0.0.0")
    time.sleep(0.3)
    case.check(is_querier(gateway, family), f"IPv{family}: still the querier beside a higher address, and beside none")

    # Other Querier Present: 1 * 3 s + 5 s after its last General Query.
    started = time.monotonic()
    router.query(LOWER[family], robustness=1, interval=3)
    case.wait_until(lambda: not is_querier(gateway, family), 3, f"IPv{family}: gives way")
    case.check(family == 6 or is_querier(gateway, 6), "MLD has its own election")
    time.sleep(0.3)
    router.forget()
    listener.drain()
    before = listener.count
    listens_on(case, gateway, router, family, own)
    case.check(listener.count - before <= 1, f"IPv{family}: {listener.count - before} packets from who is not the querier")
    case.wait_until(lambda: is_querier(gateway, family), 12, f"IPv{family}: takes over")
    waited = time.monotonic() - started
    case.check(waited > 6.5, f"IPv{family}: took over after {waited:.1f} s")
    case.wait_until(lambda: listener.count > before + 50, 5, f"IPv{family}: forwards again")
    case.check(router.queries(own) and router.queries(own)[0].group == "", f"IPv{family}: asks again")
    case.figure(f"IPv{family} takeover after", round(waited, 1), "s")

    router.query(LOWER[family], robustness=1, interval=3)
    case.wait_until(lambda: not is_querier(gateway, family), 3, f"IPv{family}: gives way to the one that returns")


def listens_on(case, gateway, router, family, own):
    """RFC 3376 §6.6.1: not the querier, the gateway asks nobody, and lowers its timers by the querier's queries."""
    group = PHANTOM[family]
    router.report(family, [packets.record(4, group)])
    case.wait_until(lambda: group in memberships(gateway), 2, f"IPv{family}: membership is learnt all the same")
    router.older(LEAVE[family], group)
    router.query(LOWER[family], group, robustness=1, interval=3, suppress=True)
    time.sleep(2)
    case.check(group in memberships(gateway), f"IPv{family}: neither a leave nor a query with the S flag ends a group")
    router.query(LOWER[family], group, robustness=1, interval=3)
    case.wait_until(lambda: group not in memberships(gateway), 3, f"IPv{family}: the querier's query ends it")
    case.check(not router.queries(own), f"IPv{family}: no query from who is not the querier: {router.queries(own)}")


def run(case):
    line = Line(case)
    lan = Lan(case, line, ("host", "router"))
    router = lan.party("router")
    line.start_relay()
    gateway = line.start_gateway(4, "--downstream", "l0")
    own_addresses = {family: asks(case, router, family) for family in (4, 6)}
    for family, own in own_addresses.items():
        line.stream(family, ASM[family], rate=100)
        listener = lan.listener("host", family, ASM[family])
        case.wait_until(lambda: listener.count > 50, 15, f"IPv{family}: data")
        election(case, gateway, router, listener, family, own)
        listener.close()
