"""Programs on a host that speaks IGMPv2 and MLDv1 (RFC 3376 §7.3.2, RFC 3810 §8.3.2): the gateway's interface
understands them, and a leave takes effect.

    source ── relay ══ gateway ── amt0 (kernel forced to IGMPv2, MLDv1) ── listener
"""

from lib.topology import ASM, SSM, Line, tunnels

NEEDS = {"namespaces", "tun"}


def run(case):
    line = Line(case)
    for which in ("all", "default"):
        line.gateway.sysctl(f"net.ipv4.conf.{which}.force_igmp_version", 2)
        line.gateway.sysctl(f"net.ipv6.conf.{which}.force_mld_version", 1)
    relay = line.start_relay()
    gateway = line.start_gateway(6)
    for family in (4, 6):
        line.stream(family, ASM[family], rate=200)
        listener = line.listener(family, ASM[family])
        case.wait_until(lambda: listener.count >= 100, 15, f"IPv{family}: data")
        case.check(listener.damaged == 0, "damaged")
        listener.close()
        case.wait_until(lambda: not any(tunnel["groups"] for tunnel in tunnels(relay).values()), 10,
                        f"IPv{family}: left: {tunnels(relay)}", poll=0.1)
        case.figure(f"IPv{family} packets by the older protocol", listener.count)
    # What no older protocol can say is told for what it is, not as the application's fault.
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    case.wait_until(lambda: "this host speaks IGMPv2 or MLDv1 there" in gateway.err, 5, "the version is told")
    case.check("an application joined a source-specific group without" not in gateway.err, "and no application is blamed")
    listener.close()
