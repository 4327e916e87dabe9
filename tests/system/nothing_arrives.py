"""The gateway says why nothing arrives: a group that the relay does not take, a firewall on this host that lets nothing in.

    source ── relay ══ gateway (nft) ── amt0 ── listener
"""

from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces", "tun", "nft"}
DROP = """table inet filter {
  chain input { type filter hook input priority 0; policy drop; iifname "lo" accept; udp sport 2268 accept;
                icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
}
"""


def firewall(case, line, gateway, family):
    source, group = line.source_address(family), SSM[family]
    line.gateway.run("nft", "-f", "-", text_input=DROP)
    line.stream(family, group, rate=100)
    listener = line.listener(family, group, [source])
    case.wait_until(lambda: "a firewall on this host drops it" in gateway.err, 25, f"IPv{family}: the firewall is told")
    for rule in ('nft insert rule inet filter input iifname "amt0" accept', "ufw allow in on amt0",
                 "firewall-cmd --zone=trusted --add-interface=amt0"):
        case.check(rule in gateway.err, f"with the rule: {rule}")
    case.check(listener.count == 0, "nothing came")
    line.gateway.run("nft", "insert", "rule", "inet", "filter", "input", "iifname", "amt0", "accept")
    case.wait_until(lambda: listener.count > 50, 10, "the rule that was named helps")
    line.gateway.run("nft", "flush", "ruleset")
    listener.close()


def run(case):
    line = Line(case)
    line.start_relay("--max-groups", "1")
    for family in (4, 6):
        gateway = line.start_gateway(4, name=f"gateway-v{family}")
        firewall(case, line, gateway, family)
        gateway.terminate()
    gateway = line.start_gateway(4, name="missing")
    line.stream(4, ASM[4], rate=100)
    line.stream(4, "239.66.66.66", rate=100)
    comes = line.listener(4, ASM[4])
    case.wait_until(lambda: comes.count > 20, 10, "the group that the relay takes")
    silent = line.listener(4, "239.66.66.66")
    case.wait_until(lambda: "1 of 2 groups that are wanted do not come: 239.66.66.66" in gateway.err, 25, "who does not come")
    case.check("the tunnel works, 1 come" in gateway.err, "and why")
    case.check(comes.count > 100 and silent.count == 0, "and so it is")
    case.check("firewall" not in gateway.err, "and no firewall is blamed")
