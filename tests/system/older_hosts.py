"""Programs on a host whose kernel is held to a version of IGMP and MLD (RFC 3376 §7.3.2, RFC 3810 §8.3.2): the gateway's
interface understands each. IGMPv1 has no leave; with the others a leave takes effect.

    source ── relay ══ gateway ── amt0 (kernel with force_igmp_version 1, 2, 3; force_mld_version 1, 2) ── listener
"""

from lib.multicast import sequence_report
from lib.topology import ASM, SSM, Line, tunnels

NEEDS = {"namespaces", "tun"}
# By the first argument, IGMP's version.
MLD = {1: 1, 2: 1, 3: 2}


def any_source(case, line, relay, family, version):
    listener = line.listener(family, ASM[family])
    case.wait_until(lambda: listener.count >= 100, 15, f"IPv{family}: data")
    report = sequence_report(listener.numbers())
    case.check(listener.damaged == 0 and not any(report.values()), f"IPv{family}: {listener.damaged} damaged, {report}")
    case.figure(f"IPv{family}, version {version}: packets", listener.count)
    listener.close()
    if (family, version) == (4, 1):
        return
    case.wait_until(lambda: not any(one["group"] == ASM[family] for tunnel in tunnels(relay).values() for one in tunnel["groups"]),
                    10, f"IPv{family}: left: {tunnels(relay)}", poll=0.1)


def one_source(case, line, gateway, version):
    """What no older protocol can say is told for what it is, not as the application's fault."""
    line.stream(4, SSM[4], rate=200)
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    if version == 3:
        case.wait_until(lambda: listener.count >= 100, 15, "data of one source")
        case.check("this host speaks" not in gateway.err, gateway.err)
    else:
        case.wait_until(lambda: "this host speaks IGMPv2 or MLDv1 there" in gateway.err, 5, "the version is told")
    case.check("an application joined a source-specific group without" not in gateway.err, "and no application is blamed")


def run(case):
    igmp = int(case.arguments[0])
    line = Line(case)
    for which in ("all", "default"):
        line.gateway.sysctl(f"net.ipv4.conf.{which}.force_igmp_version", igmp)
        line.gateway.sysctl(f"net.ipv6.conf.{which}.force_mld_version", MLD[igmp])
    relay = line.start_relay()
    gateway = line.start_gateway(6)
    for family, version in ((4, igmp), (6, MLD[igmp])):
        line.stream(family, ASM[family], rate=200)
        any_source(case, line, relay, family, version)
    one_source(case, line, gateway, igmp)
