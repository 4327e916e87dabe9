"""The LAN behind a gateway gets its address late, goes down, comes up, is deleted and made anew: what it wanted ends with
it, and its hosts are asked again when it is back.

    source ── relay ══ gateway ── l0 ── host
"""

from lib import netns
from lib.multicast import Listener
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}


def wanted(gateway) -> list[str]:
    return [one["group"] for one in gateway.snapshot()["memberships"]]


def lan(gateway) -> dict:
    return next(one for one in gateway.snapshot()["downstreams"] if one["interface"] == "l0")


def run(case):
    line = Line(case)
    host = case.host("host")
    line.start_relay()
    netns.link(line.gateway, "l0", host, "h0", [], ["192.168.0.9/24"])
    gateway = line.start_gateway(4, "--downstream", "l0", "--query-interval", "60")
    for family in (4, 6):
        line.stream(family, ASM[family], rate=100)

    def all_arrives(when):
        """Two programs on the host, one of each family, that only join; nothing else tells the gateway of them."""
        listeners = [case.closing(Listener(host, "h0", family, 5000, group=ASM[family])) for family in (4, 6)]
        case.wait_until(lambda: all(one.count > 50 for one in listeners), 15, f"data {when}")
        return listeners

    listeners = all_arrives("before there is an address")
    case.check(lan(gateway)["querier_address"]["ipv4"] is None, "no address, no IGMP queries")
    case.check("no IGMP queries" in gateway.err, "which is told")
    line.gateway.ip("addr add 192.168.0.1/24 dev l0")
    case.wait_until(lambda: lan(gateway)["querier_address"]["ipv4"] == "192.168.0.1", 6, "the address is taken up")

    line.gateway.ip("link set l0 down")
    case.wait_until(lambda: not wanted(gateway) and not lan(gateway)["up"], 6, "down: nothing is wanted")
    before = [one.count for one in listeners]
    line.gateway.ip("link set l0 up")
    # The hosts joined long ago: only a query brings them to say so again.
    case.wait_until(lambda: sorted(wanted(gateway)) == sorted(ASM.values()), 30, "up: the hosts are asked", poll=0.1)
    case.wait_until(lambda: all(one.count > 50 + was for one, was in zip(listeners, before)), 10, "data again")
    case.check(all(one.damaged == 0 for one in listeners), "every octet")
    for one in listeners:
        one.close()

    line.gateway.ip("link del l0")
    case.wait_until(lambda: not wanted(gateway), 6, "deleted: nothing is wanted")
    case.wait_until(lambda: "l0 is gone" in gateway.err, 2, "the loss is told")
    netns.link(line.gateway, "l0", host, "h0", ["192.168.0.1/24"], ["192.168.0.9/24"])
    case.wait_until(lambda: "l0 is back" in gateway.err, 6, "the return is told")
    all_arrives("on the new interface")
    case.check(gateway.status is None, "it lived through all that")
