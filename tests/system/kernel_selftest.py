"""The topology of the Linux kernel's own test of its AMT driver (tools/testing/selftests/net/amt.sh), with our program in
both roles: any source, IPv4 and IPv6, through a bridge that is a querier itself, and a static multicast router.

    listener ── br0 (gateway's host, with amt0 as a port) ── gateway ══ relay (router mode) ── smcroute ── source
"""

from lib import netns, packets, routing
from lib.multicast import Capture, Listener, RawSource, payload, sequence_report
from lib.topology import PORT, Line

NEEDS = {"namespaces", "tun"}
GROUPS = {4: "239.0.0.1", 6: "ff0e::5:6"}
PACKETS = 400


def bridge_of_the_gateway(case, line):
    listener = case.host("listener")
    line.gateway.run("ip", "link", "add", "br0", "type", "bridge", "mcast_querier", "1")
    line.gateway.ip("link set br0 up")
    netns.link(line.gateway, "gateway0", listener, "listener0", [], ["192.168.0.2/24", "2001:db8:c0::2/64"])
    line.gateway.ip("link set gateway0 master br0")
    listener.ip("route add default dev listener0", "route add ::/0 dev listener0")
    return listener


def run(case):
    line = Line(case)
    host = bridge_of_the_gateway(case, line)
    relay = line.start_relay(upstream=("--interface", "amtr0"))
    routing.Smcroute(case, line.relay, ["phyint r0 enable", "phyint amtr0 enable",
                                        *(f"mgroup from r0 group {group}" for group in GROUPS.values()),
                                        *(f"mroute from r0 group {group} to amtr0" for group in GROUPS.values())])
    gateway = line.start_gateway(4, "--tap")
    line.gateway.ip("link set amt0 master br0")
    capture = case.closing(Capture(host, "listener0", outgoing=False))
    for family, group in GROUPS.items():
        stream = line.stream(family, group, rate=400)
        listener = case.closing(Listener(host, "listener0", family, PORT, group=group))
        case.wait_until(lambda: listener.count >= PACKETS, 30, f"IPv{family}: {PACKETS} packets (got {listener.count})")
        report = sequence_report(listener.numbers())
        case.check(listener.damaged == 0 and not any(report.values()), f"{listener.damaged} damaged, {report}")
        case.check(listener.origins() == {line.source_address(family)}, f"from {listener.origins()}")
        stream.close()
        # Octet for octet: the router before the relay takes one hop, the gateway's bridge port none. One hop is left then,
        # as in the kernel's test, and is enough.
        raw = case.closing(RawSource(line.source, "s0"))
        sent = packets.udp_datagram(line.source_address(family), group, PORT, payload(2, 7, 900), ttl=2, tos=0x28)
        expected = packets.forwarded(sent)
        raw.send(sent)
        case.wait_until(lambda: expected in capture.datagrams(), 5, f"IPv{family}: octet for octet, one hop less")
        case.figure(f"IPv{family} packets through bridge, tunnel and smcroute", listener.count, str(report))
        listener.close()
        case.wait_until(lambda: not any(one["group"] == group for one in gateway.snapshot()["memberships"]), 10, "left",
                        poll=0.1)
    case.check(not relay.snapshot()["tunnels"], "no tunnel without a listener")
