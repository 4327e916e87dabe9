"""Hosts of every version on one LAN: IGMPv1, IGMPv2 and MLDv1 kernels beside new ones (RFC 3376 §7.3.2, RFC 3810 §8.3.2;
I-d, I-g, I-h). The last one's leave ends the stream after two queries; a leave while somebody else listens costs that
one nothing.

    source ── relay ══ gateway ── l0 ── switch ─┬─ new, old, oldest: kernels of IGMPv3, v2, v1
                                                └─ party (a double)
"""

import time

from lib.lan import IGMPV1_REPORT, IGMPV2_LEAVE, IGMPV2_REPORT, MLDV1_DONE, MLDV1_REPORT, Lan, memberships
from lib.multicast import sequence_report
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}
PHANTOM = {4: "239.5.5.5", 6: "ff1e::5:5"}


def fast_leave(case, gateway, party, lan, family):
    """LMQT: 2 queries, 1 s apart, and 1 s for the last answer."""
    group = ASM[family]
    listener = lan.listener("old", family, group)
    case.wait_until(lambda: listener.count > 100, 15, f"IPv{family}: data for the older host")
    case.check(listener.damaged == 0 and not any(sequence_report(listener.numbers()).values()), "every octet")
    party.forget()
    left = time.monotonic()
    listener.close()
    case.wait_until(lambda: group not in memberships(gateway), 6, f"IPv{family}: left", poll=0.05)
    case.figure(f"IPv{family} leave of the last listener", round(time.monotonic() - left, 2), "s")
    asked = party.specific(group)
    case.check(len(asked) == 2 and not any(one.suppress or one.sources for one in asked), f"IPv{family}: asked {asked}")
    case.check(all(one.datagram.destination == group and one.datagram.router_alert and one.datagram.ttl == 1
                   for one in asked), f"{asked}")
    party.capture.drain()
    last = len(party.data(group))
    time.sleep(0.5)
    case.check(len(party.data(group)) - last <= 1, f"IPv{family}: {len(party.data(group)) - last} packets after the leave")


def one_of_two(case, gateway, party, lan, family):
    """The other one, of the newer version, answers the query."""
    group = ASM[family]
    old, new = lan.listener("old", family, group), lan.listener("new", family, group)
    case.wait_until(lambda: old.count > 50 and new.count > 50, 15, f"IPv{family}: data for both")
    party.forget()
    before = new.count
    old.close()
    case.wait_until(lambda: party.specific(group), 5, f"IPv{family}: the leave is asked about")
    # The second query, and the time for an answer to it.
    time.sleep(3)
    case.wait_until(lambda: new.count - before > 200, 3, f"IPv{family}: data for who stayed")
    case.check( not any(sequence_report(new.numbers()).values()),
               f"IPv{family}: {new.count - before} packets, {sequence_report(new.numbers())} for who stayed")
    new.close()
    case.wait_until(lambda: group not in memberships(gateway), 6, f"IPv{family}: the second leave", poll=0.05)


def oldest(case, gateway, party, lan):
    """IGMPv1 has no leave, so while one of its hosts may be there, the leaves of others are ignored."""
    group = ASM[4]
    listener = lan.listener("oldest", 4, group)
    case.wait_until(lambda: listener.count > 50, 15, "data for the IGMPv1 host")
    party.forget()
    party.older(IGMPV2_REPORT, group)
    party.older(IGMPV2_LEAVE, group)
    before = listener.count
    case.wait_until(lambda: listener.count - before > 300, 6, "three seconds' packets for the IGMPv1 host")
    case.check(not party.specific(group) and group in memberships(gateway), "leave of a group with an IGMPv1 host")
    listener.close()


def refused(case, gateway, party):
    """I-k: TTL or Hop Limit 1, and for MLD Router Alert and a link-local source."""
    party.older(IGMPV2_REPORT, PHANTOM[4], ttl=2)
    for options in ({"ttl": 2}, {"router_alert": False}):
        party.older(MLDV1_REPORT, PHANTOM[6], **options)
    for source in ("2001:db8:99::1", "::"):
        party.older(MLDV1_REPORT, PHANTOM[6], source=source)
    # The proof that all of these have been seen: what follows is in order, and counts.
    for group in ("239.6.6.6", "ff1e::6:6"):
        party.older(IGMPV2_REPORT if ":" not in group else MLDV1_REPORT, group)
        case.wait_until(lambda: group in memberships(gateway), 3, group)
    case.check(not set(PHANTOM.values()) & set(memberships(gateway)), f"{memberships(gateway)}")
    party.older(IGMPV2_LEAVE, "239.6.6.6")
    party.older(MLDV1_DONE, "ff1e::6:6")
    case.wait_until(lambda: "ff1e::6:6" not in memberships(gateway) and "239.6.6.6" not in memberships(gateway), 5, "left")
    # Older reports for SSM and link-scope groups are nobody's membership (S-e, P-i, I-o).
    for group in ("232.1.2.3", "224.0.0.77"):
        party.older(IGMPV2_REPORT, group)
        party.older(IGMPV1_REPORT, group, router_alert=False)
    for group in ("ff3e::8000:5", "ff02::77"):
        party.older(MLDV1_REPORT, group)
    time.sleep(0.5)
    case.check(not set(memberships(gateway)) & {"232.1.2.3", "224.0.0.77", "ff3e::8000:5", "ff02::77"},
               f"{memberships(gateway)}")


def run(case):
    line = Line(case)
    lan = Lan(case, line, ("new", "old", "oldest", "party"))
    lan.older("old", 2)
    lan.older("oldest", 1)
    party = lan.party("party")
    line.start_relay()
    gateway = line.start_gateway(4, "--downstream", "l0")
    for family in (4, 6):
        line.stream(family, ASM[family], rate=100)
        fast_leave(case, gateway, party, lan, family)
        one_of_two(case, gateway, party, lan, family)
    refused(case, gateway, party)
    oldest(case, gateway, party, lan)
