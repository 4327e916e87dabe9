"""What hosts and switches of real LANs send, other than the RFCs have it, and who is believed there: no Router Alert, odd
destinations, auxiliary data, padding, priority tags; queries from where no router of the LAN can be (RFC 9776 §4.2.15,
§6.6.2, §9.1, §9.2).

    relay ══ gateway ── l0 192.168.50.100/24 ── switch ── party (a double)
"""

import struct

from lib import packets
from lib.lan import IGMPV1_REPORT, IGMPV2_LEAVE, IGMPV2_REPORT, MLDV1_DONE, MLDV1_REPORT, Lan, downstream, is_querier, memberships
from lib.topology import Line

NEEDS = {"namespaces", "tun"}
TO_EX, TO_IN = 4, 3
HOST, GATEWAY = "192.168.50.180", "192.168.50.100"


def counters(gateway) -> dict[str, int]:
    return downstream(gateway)["counters"]


def joins(case, gateway, group: str, what: str, send, leave) -> None:
    send()
    case.wait_until(lambda: group in memberships(gateway), 3, f"{what}: joined", poll=0.05)
    leave()
    case.wait_until(lambda: group not in memberships(gateway), 6, f"{what}: left", poll=0.1)


def older(kind: int, group: str, destination: str, *, trailing=b"", **options) -> bytes:
    message = packets.with_checksum(struct.pack("!BBH", kind, 0, 0) + packets.address(group) + trailing)
    return packets.igmp_datagram(message, destination, source=HOST, **options)


def without_router_alert(case, gateway, party):
    joins(case, gateway, "239.9.0.1", "IGMPv2 without Router Alert",
          lambda: party.older(IGMPV2_REPORT, "239.9.0.1", router_alert=False),
          lambda: party.older(IGMPV2_LEAVE, "239.9.0.1", router_alert=False))
    joins(case, gateway, "239.9.0.2", "IGMPv3 without Router Alert",
          lambda: party.report(4, [packets.record(TO_EX, "239.9.0.2")], router_alert=False),
          lambda: party.report(4, [packets.record(TO_IN, "239.9.0.2")], router_alert=False))
    case.check(counters(gateway)["igmp_reports_without_router_alert"] == 4, f"{counters(gateway)}")
    # RFC 9777 §7.4: "If any of these checks fails, the packet is dropped."
    party.older(MLDV1_REPORT, "ff1e::9:1", router_alert=False)
    case.wait_until(lambda: counters(gateway)["mld_reject_no_router_alert"] == 1, 3, "MLD without Router Alert is counted")
    case.check("MLD message refused: no Router Alert, from fe80::180" in gateway.err, "and told")
    # A hop-by-hop header without the option: only padding.
    message = struct.pack("!BBHHH", MLDV1_REPORT, 0, 0, 0, 0) + packets.address("ff1e::9:1")
    alert = packets.mld_datagram(message, "ff1e::9:1", source="fe80::180")
    party.send(alert.replace(packets.ROUTER_ALERT_V6, bytes.fromhex("00010400000000")))
    case.wait_until(lambda: counters(gateway)["mld_reject_no_router_alert"] == 2, 3, "likewise with an empty hop-by-hop header")
    case.check("ff1e::9:1" not in memberships(gateway), "and refused")
    # RFC 9776 §9.2: queries need it.
    query = packets.with_checksum(struct.pack("!BBH", 0x11, 10, 0) + bytes(4) + struct.pack("!BBH", 2, 125, 0))
    party.send(packets.igmp_datagram(query, "224.0.0.1", source="192.168.50.1", router_alert=False))
    case.wait_until(lambda: counters(gateway)["igmp_reject_no_router_alert"] == 1, 3, "a query without it is counted")
    case.check(is_querier(gateway, 4), "and takes no role")


def groups_out_of_range(case, gateway, party):
    for family, link, unicast in ((4, "224.0.0.77", "10.1.2.3"), (6, "ff02::77", "2001:db8::77")):
        protocol = {4: "igmp", 6: "mld"}[family]
        before = counters(gateway)
        party.report(family, [packets.record(TO_EX, link), packets.record(TO_EX, unicast)])
        case.wait_until(lambda: all(counters(gateway)[f"{protocol}_{name}"] == before[f"{protocol}_{name}"] + 1
                                    for name in ("link_scope_groups", "groups_not_multicast")), 3,
                        f"IPv{family}: groups out of range are counted")
        case.check(not {link, unicast} & set(memberships(gateway)), f"{memberships(gateway)}")
    case.check("host 192.168.50.180 reports a group that is no multicast address; that gives it nothing" in gateway.err and
               "host fe80::180 reports a group" in gateway.err, "which is told")


def odd_destinations(case, line, gateway, party):
    l0 = line.gateway.run("cat", "/sys/class/net/l0/address", check=False).strip() or mac_of(line.gateway, "l0")
    for group, destination in (("239.9.1.1", "224.0.0.2"), ("239.9.1.2", GATEWAY)):
        def send():
            datagram = older(IGMPV2_REPORT, group, destination)
            if destination == GATEWAY:
                party.send_frame(bytes.fromhex(l0.replace(":", "")), b"\x08\x00" + datagram)
            else:
                party.send(datagram)
        joins(case, gateway, group, f"a report to {destination}", send, lambda: party.older(IGMPV2_LEAVE, group))
    party.send(older(IGMPV2_REPORT, "239.9.1.3", "239.9.1.4"))
    case.wait_until(lambda: counters(gateway)["igmp_reject_bad_destination"] == 1, 3, "to another group: refused")
    case.check("IGMP message refused: wrong destination address, from 192.168.50.180" in gateway.err, "and told")


def mac_of(space, device: str) -> str:
    return space.run("ip", "-o", "link", "show", device).split("link/ether ")[1].split()[0]


def odd_shapes(case, gateway, party):
    group, target = "239.9.2.1", b"\x01\x00\x5e\x09\x02\x01"
    leave = lambda: party.older(IGMPV2_LEAVE, group)
    report = older(IGMPV2_REPORT, group, group)
    joins(case, gateway, group, "octets behind the message",
          lambda: party.send(older(IGMPV2_REPORT, group, group, trailing=bytes(10))), leave)
    joins(case, gateway, group, "a padded frame", lambda: party.send_frame(target, b"\x08\x00" + report.ljust(46, b"\xaa")),
          leave)
    joins(case, gateway, group, "a priority tag (VLAN 0)",
          lambda: party.send_frame(target, b"\x81\x00\xe0\x00\x08\x00" + report.ljust(46, b"\0")), leave)
    auxiliary = bytes([TO_EX, 2]) + struct.pack("!H", 0) + packets.address(group) + b"AUXILIAR"
    joins(case, gateway, group, "auxiliary data", lambda: party.report(4, [auxiliary]), leave)
    joins_of_mld(case, gateway, party)
    # Of another VLAN, and no report of this LAN's.
    party.send_frame(target, b"\x81\x00\x00\x07\x08\x00" + report)
    party.older(IGMPV1_REPORT, "239.9.2.9", router_alert=False)
    case.wait_until(lambda: "239.9.2.9" in memberships(gateway), 3, "what was sent behind it")
    case.check(group not in memberships(gateway), "nothing of VLAN 7")


def joins_of_mld(case, gateway, party):
    group, target = "ff1e::9:2", b"\x33\x33\x00\x09\x00\x02"
    leave = lambda: party.older(MLDV1_DONE, group)
    message = struct.pack("!BBHHH", MLDV1_REPORT, 0, 0, 0, 0) + packets.address(group)
    report = packets.mld_datagram(message, group, source="fe80::180")
    joins(case, gateway, group, "MLD: a padded frame",
          lambda: party.send_frame(target, b"\x86\xdd" + report + b"\xaa" * 20), leave)
    joins(case, gateway, group, "MLD: a priority tag (VLAN 0)",
          lambda: party.send_frame(target, b"\x81\x00\xe0\x00\x86\xdd" + report), leave)
    joins(case, gateway, group, "MLD: octets behind the message",
          lambda: party.send(packets.mld_datagram(message + bytes(12), group, source="fe80::180")), leave)
    auxiliary = bytes([TO_EX, 2]) + struct.pack("!H", 0) + packets.address(group) + b"AUXILIAR"
    joins(case, gateway, group, "MLD: auxiliary data", lambda: party.report(6, [auxiliary]), leave)
    joins(case, gateway, group, "MLD: a report to all routers",
          lambda: party.send(packets.mld_datagram(message, "ff02::2", source="fe80::180")), leave)


def forged_queries(case, gateway, party):
    for source in ("10.9.9.9", "192.168.50.0", "192.168.49.255"):
        party.query(source)
    party.query("0.0.0.0")
    party.query(GATEWAY)
    party.query("fe80::")
    case.wait_until(lambda: counters(gateway)["mld_reject_query_from_elsewhere"] == 1, 3, "queries are counted")
    counted = counters(gateway)
    case.check(counted["igmp_reject_query_from_elsewhere"] == 3 and counted["igmp_reject_query_of_no_address"] == 1 and
               counted["igmp_reject_own_query"] == 1, f"{counted}")
    # RFC 9777 §10: what comes from beyond the link has no link-local source, or has passed a router, or lacks Router Alert.
    # What is left is a host of this LAN, and nothing in a query tells it from a router.
    counted = counters(gateway)
    general = struct.pack("!BBHHH", 130, 0, 0, 1000, 0) + bytes(16) + struct.pack("!BBH", 2, 125, 0)
    for options in ({"source": "2001:db8:9::1"}, {"source": "fe80::1", "ttl": 2}, {"source": "fe80::1", "ttl": 255},
                    {"source": "fe80::1", "router_alert": False}):
        party.send(packets.mld_datagram(general, "ff02::1", **options))
    wanted = {"mld_reject_bad_source": 1, "mld_reject_bad_hop_limit": 2, "mld_reject_no_router_alert": 1}
    case.wait_until(lambda: all(counters(gateway)[name] - counted[name] == more for name, more in wanted.items()), 3,
                    f"MLD queries from beyond the link are counted: {counted}")
    case.check(is_querier(gateway, 4) and is_querier(gateway, 6), "nobody took the querier's role")
    case.check("query from outside the LAN's subnets, from 10.9.9.9" in gateway.err, "which is told")
    party.query("192.168.50.1")
    case.wait_until(lambda: not is_querier(gateway, 4), 3, "a router of the LAN does take it")
    case.wait_until(lambda: "192.168.50.1 is now the IGMP querier" in gateway.err, 3, "which is told, too")


def run(case):
    line = Line(case)
    lan = Lan(case, line, ("party",))
    party = lan.party("party")
    line.start_relay()
    gateway = line.start_gateway(4, "--downstream", "l0")
    case.wait_until(lambda: party.queries(), 5, "the gateway is the querier")
    without_router_alert(case, gateway, party)
    groups_out_of_range(case, gateway, party)
    odd_destinations(case, line, gateway, party)
    odd_shapes(case, gateway, party)
    forged_queries(case, gateway, party)
