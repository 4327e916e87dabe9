"""Router mode behind FRR: pimd takes the reports on the pseudo-interface, joins by PIM towards the source, and forwards.
Argument: the family inside (6 needs pim6d, which Debian 12 does not have).

    source          first router            relay's host                      gateway of ours
      s0 ───────── f0   FRR   f1 ──────── r0   FRR   amtr0 ── relay ════════════ g0
    10.1.0.1     10.1.255.254 10.6.0.1  10.6.0.2  198.18.0.1  10.2.0.1        10.2.0.2
                      (RP)                 └ ip igmp on amtr0
"""

import time

from lib import fake_gateway, multicast, netns, packets, routing
from lib.multicast import payload
from lib.topology import ASM, PORT, SSM

NEEDS = {"namespaces", "tun"}
SOURCE = {4: "10.1.0.1", 6: "2001:db8:1::1"}
RELAY = {4: "10.2.0.1", 6: "2001:db8:2::1"}
RP = {4: "10.6.0.1", 6: "2001:db8:6::1"}
DAEMON = {4: "pimd", 6: "pim6d"}
PACKETS = 200


class Network:
    def __init__(self, case, family: int):
        self.case, self.family = case, family
        self.source, self.first = case.host("source"), case.host("first")
        self.relay, self.gateway = case.host("relay"), case.host("gateway")
        netns.link(self.source, "s0", self.first, "f0", ["10.1.0.1/24", "2001:db8:1::1/64"],
                   ["10.1.0.254/24", "2001:db8:1::ffff/64"])
        netns.link(self.first, "f1", self.relay, "r0", ["10.6.0.1/24", "2001:db8:6::1/64"],
                   ["10.6.0.2/24", "2001:db8:6::2/64"])
        netns.link(self.relay, "r1", self.gateway, "g0", ["10.2.0.1/24", "2001:db8:2::1/64"],
                   ["10.2.0.2/24", "2001:db8:2::2/64"])
        self.source.ip("route add default via 10.1.0.254", "route add ::/0 via 2001:db8:1::ffff")
        self.relay.ip("route add 10.1.0.0/24 via 10.6.0.1", "route add 2001:db8:1::/64 via 2001:db8:6::1")
        for host in (self.first, self.relay):
            host.sysctl("net.ipv4.ip_forward", 1)
            host.sysctl("net.ipv6.conf.all.forwarding", 1)

    def start_relay(self) -> None:
        self.amt = self.case.daemon(["relay", "--local", "10.2.0.1", "--local", "2001:db8:2::1", "--interface", "amtr0"],
                                    "relay", self.relay)

    def start_frr(self) -> tuple[routing.Frr, routing.Frr]:
        ip = {4: "ip", 6: "ipv6"}[self.family]
        members = {4: "ip igmp", 6: "ipv6 mld"}[self.family]
        groups = {4: "239.0.0.0/8", 6: "ff1e::/16"}[self.family]

        def interface(name, *lines):
            return [f"interface {name}", *(f" {line}" for line in lines)]
        rp = f"{ip} pim rp {RP[self.family]} {groups}"
        routing.prepare_frr(self.case)
        pim = DAEMON[self.family]
        # By the tree of the RP alone: FRR holds on to a source's own tree for minutes after the last member left.
        shared = f"{ip} pim spt-switchover infinity-and-beyond"
        near = routing.Frr(self.case, self.relay, [rp, shared, *interface("r0", f"{ip} pim"),
                                                   *interface("amtr0", f"{ip} pim", members, f"{members} query-max-response-time 10",
                                                              f"{members} query-interval 3")], "near", pim)
        far = routing.Frr(self.case, self.first, [rp, *interface("f0", f"{ip} pim"), *interface("f1", f"{ip} pim")],
                          "far", pim)
        return near, far

    def stream(self, group: str, **options) -> multicast.Stream:
        sender = multicast.Source(self.source, "s0", self.family, address=SOURCE[self.family], ttl=16)
        self.case.closing(sender)
        return self.case.closing(multicast.Stream(sender, group, PORT, rate=100, **options))


def addresses(shown) -> set[str]:
    """Every key and text value of what `show ... json` printed."""
    if isinstance(shown, dict):
        return set(shown) | set().union(*(addresses(value) for value in shown.values()))
    if isinstance(shown, list):
        return set().union(*(addresses(value) for value in shown)) if shown else set()
    return {str(shown)}


def is_joined(router, ip: str, group: str) -> bool:
    """Does a PIM neighbour on f1 want the group? What it has pruned stays on the list for a while, as NOINFO."""
    channels = router.show(f"show {ip} pim join").get("f1", {}).get(group, {})
    return any(channel["channelJoinName"] == "JOIN" for channel in channels.values())


def check_channel(case, network, near, far, group: str, source: str | None):
    family = network.family
    igmp, ip = {4: ("ip igmp", "ip"), 6: ("ipv6 mld", "ipv6")}[family]
    sources = [source] if source else []
    gateway = case.closing(fake_gateway.FakeGateway(network.gateway, RELAY[4]))
    gateway.join_channel(group, sources)
    joined = time.monotonic()
    case.wait_until(lambda: group in addresses(near.show(f"show {igmp} groups")), 10, f"{group} among pimd's groups", 0.2)
    if source:
        case.wait_until(lambda: source in addresses(near.show(f"show {igmp} sources")), 10, f"{source} among its sources", 0.2)
    case.wait_until(lambda: is_joined(far, ip, group), 70, f"the PIM join of {group}", 0.2)
    case.figure(f"{group} join to PIM join", (time.monotonic() - joined) * 1000, "ms")

    stream = network.stream(group)
    case.wait_until(lambda: len(gateway.data) >= PACKETS, 30, f"{PACKETS} packets of {group}, got {len(gateway.data)}", 0.1)
    arrived = gateway.inner()[:PACKETS]
    for datagram in arrived:
        octets = datagram.payload[8:]
        number = int.from_bytes(octets[8:12], "big")
        case.check(datagram.header_ok and datagram.transport_ok(), "checksums")
        case.check((datagram.source, datagram.destination) == (SOURCE[family], group), f"{datagram}")
        case.check(octets == payload(1, number, len(octets)), f"packet {number} damaged")
        case.check(datagram.ttl == 14, f"two routers, hop limit 16 became {datagram.ttl}")
    case.figure(f"{group} from end to end", len(arrived), "packets")

    gateway.leave_channel(group, sources)
    left = time.monotonic()
    case.wait_until(lambda: group not in addresses(near.show(f"show {igmp} groups")), 20, f"{group} leaves pimd", 0.2)
    case.wait_until(lambda: not is_joined(far, ip, group), 20, f"the PIM prune of {group}", 0.2)
    case.figure(f"{group} leave to PIM prune", (time.monotonic() - left) * 1000, "ms")
    link = case.closing(multicast.Capture(network.relay, "r0", outgoing=False))
    before = stream.sent
    case.wait_until(lambda: stream.sent > before + 50, 10, "the source goes on")
    on_link = {packets.parse(octets).destination for octets in link.datagrams()}
    case.check(group not in on_link, "nothing crosses the link between the routers")
    link.close()
    stream.close()
    gateway.close()


def check_link_scope_stays(case, network):
    """Hellos, queries and whatever else the daemons and the kernel said on amtr0 is for nobody beyond it."""
    gateway = case.closing(fake_gateway.FakeGateway(network.gateway, RELAY[4]))
    gateway.join_channel(ASM[4])
    gateway.join_channel(ASM[6])
    outgoing = case.closing(multicast.Capture(network.relay, "amtr0"))

    def spoken():
        seen = [packets.parse(octets) for octets in outgoing.datagrams()]
        return {one.destination for one in seen if one.protocol in (packets.IGMP, packets.ICMPV6)}
    case.wait_until(lambda: spoken() & {"224.0.0.1", "ff02::1"}, 15, "the daemon's queries")
    case.check(not gateway.data, f"{gateway.inner()}")
    gateway.leave_channel(ASM[4])
    gateway.leave_channel(ASM[6])
    gateway.close()


def check_older_version(case, network, near):
    """A daemon that is configured for IGMPv2 is spoken to in its version."""
    near.configure("interface amtr0", "ip igmp version 2")
    case.wait_until(lambda: "speaks IGMPv2" in network.amt.err, 20, "the relay notices an IGMPv2 querier")
    gateway = case.closing(fake_gateway.FakeGateway(network.gateway, RELAY[4]))
    incoming = case.closing(multicast.Capture(network.relay, "amtr0", outgoing=False))
    gateway.join_channel(ASM[4])

    def reported():
        seen = [packets.parse(octets) for octets in incoming.datagrams()]
        return [one for one in seen if one.protocol == packets.IGMP and one.payload[0] == 0x16]
    case.wait_until(reported, 10, "an IGMPv2 report")
    case.check({one.destination for one in reported()} == {ASM[4]}, "to the group")
    case.wait_until(lambda: ASM[4] in addresses(near.show("show ip igmp groups")), 10, "among pimd's groups", 0.2)
    gateway.close()


def run(case):
    family = int(case.arguments[0])
    routing.need(routing.FRR / DAEMON[family])
    network = Network(case, family)
    near, far = network.start_frr()
    network.start_relay()  # pimd takes the interface as it comes
    case.wait_until(lambda: network.amt.snapshot()["upstreams"][0]["queries"] > 0, 20, "pimd queries")
    check_link_scope_stays(case, network)
    check_channel(case, network, near, far, SSM[family], SOURCE[family])
    network.relay.ip("link del amtr0")
    case.wait_until(lambda: "upstream amtr0 is back" in network.amt.err, 5, "the interface is made anew")
    check_channel(case, network, near, far, ASM[family], None)  # pimd goes on by itself
    if family == 4:
        check_older_version(case, network, near)
