"""Another router on the LAN has the lower address: it is the querier from its first query on (I-i), and the gateway leaves
the forwarding to it (P-g), for IPv4 as for IPv6. With --forward-always the gateway forwards all the same.

    source ── relay ══ gateway ── l0 ── LAN: a host, and the other router's queries
"""

import time

from lib import netns, packets
from lib.multicast import Listener, RawSource
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}
# Below the gateway's own 192.168.0.2, and below every address that a kernel gives itself.
OTHER = {4: "192.168.0.1", 6: "fe80::1"}


def querier(gateway) -> dict:
    return next(one for one in gateway.snapshot()["downstreams"] if one["interface"] == "l0")["querier"]


def run(case):
    line = Line(case)
    host = case.host("host")
    line.start_relay()
    netns.link(line.gateway, "l0", host, "h0", ["192.168.0.2/24"], ["192.168.0.9/24"])
    router = case.closing(RawSource(host, "h0"))
    for family in (4, 6):
        line.stream(family, ASM[family], rate=200, sizes=(100,))
    for options in ([], ["--forward-always"]):
        gateway = line.start_gateway(4, "--downstream", "l0", *options, name="always" if options else "default")
        for family, version in ((4, "ipv4"), (6, "ipv6")):
            listener = case.closing(Listener(host, "h0", family, 5000, group=ASM[family]))
            case.wait_until(lambda: listener.count > 50, 20, f"{version}: data while the gateway is the querier")
            case.check(querier(gateway)[version], f"{version}: it is")
            router.send(packets.general_query(family, source=OTHER[family]))
            case.wait_until(lambda: not querier(gateway)[version], 3, f"{version}: it gives way")
            time.sleep(0.2)
            listener.drain()
            before = listener.count
            if options:
                case.wait_until(lambda: listener.count > before + 50, 2, f"{version}: data beside another querier")
            time.sleep(1)
            more = listener.count - before
            case.figure(f"{version} {' '.join(options) or 'default'}: packets in a second beside another querier", more)
            case.check(more > 50 if options else more == 0, f"{version} {options}: {more} packets")
            case.check(ASM[family] in [one["group"] for one in gateway.snapshot()["memberships"]],
                       f"{version}: what the host wants stays known")
            listener.close()
        gateway.terminate()
