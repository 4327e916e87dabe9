"""The gateway's interface as a port of a bridge: the bridge's snooping takes it for a router's port, hosts on the bridge
get every octet of what they join, others nothing, and the bridge's own traffic is nothing to the gateway.

    source ── relay ══ tunnel ══ gateway: br0 ─┬─ amt0 (TAP)
                                               ├─ p0 ── host a, joins
                                               └─ p1 ── host b, does not
    `alone`: amt0 is no port of a bridge, and a program joins on it.
"""

import socket
import time

from lib import netns, packets
from lib.multicast import Capture, Listener, sequence_report
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces", "tun"}
PACKETS = 400
OTHER = {4: "239.7.7.7", 6: "ff1e::7:7"}


def data(capture, group) -> list:
    return [one for one in map(packets.parse, capture.datagrams())
            if one.protocol == packets.UDP and one.destination == group]


def bridge(case, line):
    line.gateway.run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "1")
    line.gateway.ip("addr add 192.168.0.1/24 dev br0", "link set br0 up")
    hosts = {}
    for number, name in enumerate("ab"):
        hosts[name] = host = case.host(name)
        netns.link(line.gateway, f"p{number}", host, "h0", [], [f"192.168.0.{number + 10}/24"])
        line.gateway.ip(f"link set p{number} master br0")
        host.ip("route add default via 192.168.0.1", "route add ::/0 dev h0")
    return hosts


def macs(space, device) -> set[str]:
    return {line.split()[0] for line in space.run("bridge", "fdb", "show", "dev", device).splitlines()
            if "permanent" not in line}


def wait_for_snooping(case, line, hosts, idle):
    """After the first query a bridge floods for one Query Response Interval, lest it cut off whom it does not know yet."""
    for family in (4, 6):
        group = OTHER[family]
        stream = line.stream(family, group, rate=100)
        listener = case.closing(Listener(hosts["a"], "h0", family, 5000, group=group))
        case.wait_until(lambda: listener.count > 20, 15, f"IPv{family} data by flooding or snooping")

        def is_quiet():
            before = len(data(idle, group))
            time.sleep(0.4)
            return len(data(idle, group)) == before
        case.wait_until(is_quiet, 25, f"IPv{family}: only ports that joined get data")
        listener.close()
        stream.close()


def exchange(case, hosts):
    """Hosts talk to each other past the gateway: ARP, unicast."""
    with hosts["b"].enter():
        receiver = case.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        receiver.bind(("192.168.0.11", 7000))
        receiver.settimeout(5)
    with hosts["a"].enter(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"to b", ("192.168.0.11", 7000))
    case.check(receiver.recv(100) == b"to b", "unicast between hosts")


def every_octet(case, line, make_listener, capture, family, ttl):
    source = line.source_address(family)
    for kind, group, sources in (("SSM", SSM[family], [source]), ("ASM", ASM[family], [])):
        stream = line.stream(family, group, rate=400)
        listener = make_listener(family, group, sources)
        case.wait_until(lambda: listener.count >= PACKETS, 20, f"{PACKETS} packets of {kind} {group} (got {listener.count})")
        report = sequence_report(listener.numbers())
        case.check(listener.damaged == 0 and listener.origins() == {source} and not any(report.values()),
                   f"{kind}: {listener.damaged} damaged, from {listener.origins()}, {report}")
        seen = data(capture, group)
        case.check({one.ttl for one in seen} == {ttl} and all(one.header_ok and one.transport_ok() for one in seen),
                   "handed on as they came out of the tunnel, as the kernel's driver does")
        case.figure(f"IPv{family} {kind} packets", len(seen))
        listener.close()
        case.wait_until(lambda: not any(one["group"] == group for one in case.gateway.snapshot()["memberships"]), 8,
                        f"{group} is left", poll=0.1)
        stream.close()


def on_bridge(case, line):
    hosts = bridge(case, line)
    case.gateway = line.start_gateway(4, "--tap")
    line.gateway.ip("link set amt0 master br0")
    # The bridge has seen a query of each protocol from amt0 when it takes it for a router's port.
    case.wait_until(lambda: "amt0" in line.gateway.run("bridge", "-d", "mdb", "show").split("router ports on br0:")[-1], 10,
                    f"router port: {line.gateway.run('bridge', 'mdb', 'show')}", poll=0.1)
    captures = {name: case.closing(Capture(host, "h0", outgoing=False)) for name, host in hosts.items()}
    exchange(case, hosts)
    wait_for_snooping(case, line, hosts, captures["b"])
    for family in (4, 6):
        every_octet(case, line, lambda *what: case.closing(Listener(hosts["a"], "h0", what[0], 5000, group=what[1],
                                                                    sources=what[2])), captures["a"], family, 15)
        case.check(not data(captures["b"], SSM[family]) and not data(captures["b"], ASM[family]), "nothing for host b")
        # A program on the gateway's host that joins on the bridge itself
        line.stream(family, ASM[family], rate=200)
        own = case.closing(Listener(line.gateway, "br0", family, 5000, group=ASM[family]))
        case.wait_until(lambda: own.count > 50, 10, f"IPv{family} on br0 (got {own.count})")
        own.close()
    learned = macs(line.gateway, "amt0")
    case.check(len(learned) == 1 and int(next(iter(learned))[:2], 16) & 3 == 2, f"one local address behind amt0: {learned}")
    case.gateway.terminate()
    case.gateway = line.start_gateway(4, "--tap", name="again")
    line.gateway.ip("link set amt0 master br0")
    case.wait_until(lambda: macs(line.gateway, "amt0"), 10, "queries again")
    case.check(macs(line.gateway, "amt0") == learned, "the same address after a restart")
    [shown] = case.gateway.snapshot()["downstreams"]
    case.check(shown["kind"] == "tap" and shown["querier"] == {"ipv4": True, "ipv6": True}, f"status {shown}")


def alone(case, line):
    case.gateway = line.start_gateway(4, "--tap")
    capture = case.closing(Capture(line.gateway, "amt0", outgoing=False))
    for family in (4, 6):
        every_octet(case, line, lambda *what: line.listener(*what), capture, family, 15)
    case.check("link/ether" in line.gateway.run("ip", "link", "show", "amt0"), "an Ethernet interface")
    line.gateway.run("ip", "link", "del", "amt0")
    case.check(case.gateway.wait(5) == 1, f"deleted: status {case.gateway.status}")


def run(case):
    line = Line(case)
    line.start_relay()
    (alone if case.arguments == ["alone"] else on_bridge)(case, line)
