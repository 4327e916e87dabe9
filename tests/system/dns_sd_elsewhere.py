"""A host that moves to another network while a stream plays goes over to the relay that this one names by DNS-SD, in the domain
that the reverse zone of its subnet names (D-3.1.2-e, D-3.3.2-a).

    source, knot ── 10.1/16 ── two relays, unbound ── 10.2.0.0/24, then 10.2.5.0/24 ── amt receive
"""

from lib import dns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import SSM, Line, tunnels, url

NEEDS = {"namespaces"}
HOME, AWAY = "10.2.0.3", "10.2.5.3"
RATE = 200
ADVICE = "lb._dns-sd._udp.0.0 PTR home.example.\nlb._dns-sd._udp.0.5 PTR away.example.\n"


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case)
    line.relay.ip(f"addr add {HOME}/24 dev r1", "addr add 10.2.5.1/24 dev r1", f"addr add {AWAY}/24 dev r1")
    home = case.daemon(["relay", "--local", HOME, "--upstream", "r0"], "home", line.relay)
    away = case.daemon(["relay", "--local", AWAY, "--upstream", "r0"], "away", line.relay)
    hosts = f"ns A 10.1.0.1\nr.home A {HOME}\nr.away A {AWAY}\n"
    services = dns.services("home", (0, 2268, "r.home")) + dns.services("away", (0, 2268, "r.away"))
    found = dns.SignedZones(case, line, {"example.": hosts + services, "2.10.in-addr.arpa.": ADVICE, "1.10.in-addr.arpa.": ""})
    listener = line.listener(4, interface="lo", port=6000)
    receiver = case.start(["receive", url(SSM[4], line.source_address(4)), *found.options, "-o", "udp://127.0.0.1:6000"],
                          "receive", line.gateway)
    line.stream(4, SSM[4], rate=RATE)
    case.wait_until(lambda: listener.count >= RATE, 15, f"data by this network's relay: {receiver.err}")
    case.check(tunnels(home) and not tunnels(away), "by the relay of the first network")
    line.gateway.ip("addr add 10.2.5.2/24 dev g0", "addr del 10.2.0.2/24 dev g0", "route replace default via 10.2.5.1")
    case.wait_until(lambda: tunnels(away), 20, f"the other network's relay: {receiver.err}")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + 2 * RATE, 15, f"data by the other: {receiver.err}")
    case.check(f"through relay {AWAY}:2268 (DNS-SD)" in receiver.err, receiver.err)
    report = sequence_report(listener.numbers())
    case.check(report["duplicated"] == 0 and listener.damaged == 0, f"{report}")
