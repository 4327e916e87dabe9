"""What each LAN wants, and not a packet more: source filters of several hosts together, three LANs with overlapping
groups, TTL or Hop Limit lowered by one, groups of link scope never (P-a, P-f, I-d, I-o).

    sources ── relay ══ gateway ─┬─ l0 ── switch ── a, b, party (a double)
                                 ├─ l1 ── switch ── a
                                 └─ l2 ── switch ── a
"""

import time

from lib import packets
from lib.lan import PORT, Lan, memberships
from lib.multicast import RawSource, sequence_report
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}
GROUPS = {4: ["239.20.0.1", "239.20.0.2", "239.20.0.3"], 6: ["ff1e::20:1", "ff1e::20:2", "ff1e::20:3"]}
LINK_SCOPE = {4: "224.0.0.77", 6: "ff02::77"}
TO_EX, TO_IN = 4, 3


def sources_seen(party, group) -> set[str]:
    return {one.source for one in party.data(group)}


def becomes(case, party, group, wanted: set[str], what: str):
    """The LAN has packets of just these sources of `group`."""
    def settled():
        party.forget()
        time.sleep(0.3)
        return sources_seen(party, group) == wanted
    case.wait_until(settled, 8, f"{what}: {wanted}")


def filters(case, line, lan, gateway, party, family):
    one, two = (line.source_address(family, number) for number in (1, 2))
    group = ASM[family]
    for number in (1, 2):
        line.stream(family, group, number=number, stream=number, rate=100)
    a = lan.listener("a", family, group, [one])
    case.wait_until(lambda: a.count > 50, 15, f"IPv{family}: data")
    becomes(case, party, group, {one}, "only the one that was joined")
    b = lan.listener("b", family, group, [two])
    becomes(case, party, group, {one, two}, "two hosts, a source each")

    party.forget()
    b.close()
    case.wait_until(lambda: memberships(gateway)[group]["sources"] == [one], 6, f"IPv{family}: a source is left", poll=0.05)
    asked = party.specific(group)
    case.check(len(asked) == 2 and all(query.sources == [two] and not query.suppress for query in asked),
               f"IPv{family}: Q(G,S) twice: {asked}")
    becomes(case, party, group, {one}, "the other one stays")

    party.report(family, [packets.record(TO_EX, group, [one, two])])
    becomes(case, party, group, {one}, "all but both, and the one")
    party.report(family, [packets.record(TO_EX, group, [one])])
    becomes(case, party, group, {one, two}, "all but the one, and the one")
    party.report(family, [packets.record(TO_IN, group)])
    becomes(case, party, group, {one}, "and one only again")
    report = sequence_report(a.numbers(1))
    case.check(a.damaged == 0 and a.origins() == {one} and not any(report.values()), f"IPv{family}: for host a: {report}")
    a.close()


def several_lans(case, line, lans, gateway, family):
    """LAN number i wants groups i and i + 1, and gets these."""
    groups = GROUPS[family]
    parties = [lan.party("a") for lan in lans]
    streams = [line.stream(family, group, rate=50) for group in groups]
    listeners = [lan.listener("a", family, groups[number]) for number, lan in enumerate(lans)]
    for number, listener in enumerate(listeners):
        listener.join_group(groups[(number + 1) % 3])
    case.wait_until(lambda: all(len(party.data(groups[number])) > 50 and len(party.data(groups[(number + 1) % 3])) > 50
                                for number, party in enumerate(parties)), 20, f"IPv{family}: data on all LANs")
    for number, (lan, party) in enumerate(zip(lans, parties)):
        wanted = {groups[number], groups[(number + 1) % 3]}
        case.check({group for group in groups if party.data(group)} == wanted, f"IPv{family}: LAN {number} gets {wanted}")
        case.check(set(memberships(gateway, lan.interface)) & set(groups) == wanted, f"IPv{family}: status, LAN {number}")
    for thing in (*streams, *listeners):
        thing.close()


def hop_limits(case, line, lan, party, family):
    """16 at the source is 14 here; 3 just arrives; 2 ends at the gateway. Link scope ends at the source's link."""
    group, source = GROUPS[family][0], line.source_address(family)
    raw = case.closing(RawSource(line.source, "s0"))
    listener = lan.listener("a", family, group)
    listener.join_group(LINK_SCOPE[family])

    def send(ttl, to=group):
        raw.send(packets.udp_datagram(source, to, PORT, f"ttl {ttl}".encode(), ttl=ttl))

    def arrives():
        send(16)
        time.sleep(0.05)
        return party.data(group)
    case.wait_until(arrives, 15, f"IPv{family}: the group")
    party.forget()
    for _ in range(5):
        for ttl in (2, 3, 16):
            send(ttl)
            send(ttl, LINK_SCOPE[family])
    case.wait_until(lambda: len([one for one in party.data(group) if one.ttl == 14]) >= 5, 5, "the last ones")
    case.check(sorted(one.ttl for one in party.data(group)) == [1] * 5 + [14] * 5,
               f"IPv{family}: {sorted(one.ttl for one in party.data(group))}")
    case.check(not party.data(LINK_SCOPE[family]), f"IPv{family}: link scope")
    listener.close()


def run(case):
    line = Line(case, sources=2)
    lans = [Lan(case, line, ("a", "b", "party"))]
    lans += [Lan(case, line, ("a",), interface=f"l{number}", net=50 + number) for number in (1, 2)]
    party = lans[0].party("party")
    line.start_relay()
    gateway = line.start_gateway(4, *(word for lan in lans for word in ("--downstream", lan.interface)))
    for family in (4, 6):
        filters(case, line, lans[0], gateway, party, family)
        several_lans(case, line, lans, gateway, family)
        hop_limits(case, line, lans[0], party, family)
        case.check(LINK_SCOPE[family] not in memberships(gateway), f"{memberships(gateway)}")
