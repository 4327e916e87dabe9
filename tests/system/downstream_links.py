"""What a LAN may hang on: a VLAN of a link that carries others, too, or a bridge with snooping. Argument: which.

    source ── relay ══ gateway ── l0.7 (VLAN 7 of l0) ── host: h0.7     `vlan`
                       gateway ── br0: port l0 ── host: h0              `bridge`
"""

import time

from lib import netns, packets
from lib.multicast import Capture, Listener, RawSource, sequence_report
from lib.scenario import Skipped
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}
PACKETS = 300


def vlan(case, line, host):
    netns.link(line.gateway, "l0", host, "h0")
    probe = case.host("probe")
    try:
        probe.run("ip", "link", "add", "link", "lo", "name", "lo.7", "type", "vlan", "id", "7")
    except RuntimeError as problem:
        if "Unknown device type" in str(problem):
            raise Skipped("this kernel makes no VLAN interfaces") from None
    for space, parent, last in ((line.gateway, "l0", 1), (host, "h0", 9)):
        space.ip(f"link add link {parent} name {parent}.7 type vlan id 7", f"addr add 192.168.7.{last}/24 dev {parent}.7",
                 f"link set {parent}.7 up")
    return "l0.7", "h0.7"


def bridge(case, line, host):
    netns.link(line.gateway, "l0", host, "h0", [], ["192.168.7.9/24"])
    line.gateway.run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "1")
    line.gateway.ip("link set l0 master br0", "addr add 192.168.7.1/24 dev br0", "link set br0 up")
    return "br0", "h0"


def run(case):
    [kind] = case.arguments
    line = Line(case)
    host = case.host("host")
    downstream, device = {"vlan": vlan, "bridge": bridge}[kind](case, line, host)
    host.ip("route add default via 192.168.7.1", f"route add ::/0 dev {device}")
    line.start_relay()
    gateway = line.start_gateway(4, "--downstream", downstream)
    for family in (4, 6):
        stream = line.stream(family, ASM[family], rate=300)
        listener = case.closing(Listener(host, device, family, 5000, group=ASM[family]))
        case.wait_until(lambda: listener.count >= PACKETS, 20, f"IPv{family}: {PACKETS} packets (got {listener.count})")
        stream.close()
        report = sequence_report(listener.numbers())
        case.check(listener.damaged == 0 and not any(report.values()), f"{listener.damaged} damaged, {report}")
        case.figure(f"IPv{family} packets by {downstream}", listener.count, str(report))
        listener.close()
        case.wait_until(lambda: not gateway.snapshot()["memberships"], 10, "left", poll=0.1)
    if kind == "vlan":
        # The same report outside the VLAN, from the parent of the host's interface, is another LAN's.
        raw = case.closing(RawSource(host, "h0"))
        outside = case.closing(Capture(line.gateway, "l0", outgoing=False))
        report = packets.report([packets.record(packets.TO_EX, "239.9.9.9")], 4, source="192.168.7.9")
        raw.send(report)
        case.wait_until(lambda: report in outside.datagrams(), 5, "it arrived on the parent")
        time.sleep(0.3)
        case.check(not gateway.snapshot()["memberships"], "another VLAN's report is nothing here")
