"""The DNS names another relay, and when the old record's life ends the source moves there: no packet is lost, none comes twice,
and the old relay is left afterwards (R-5.2.3.4.4-e, D-3.2.3-a).

    source, knot ── 10.1/16 ── two relays, unbound ── 10.2.0.0/24 ── amt receive
"""

from lib import dns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import SSM, Line, tunnels, url

NEEDS = {"namespaces"}
FIRST, SECOND = "10.2.0.3", "10.2.0.4"
ZONE = "1.10.in-addr.arpa."
RATE = 300


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case)
    line.relay.ip(f"addr add {FIRST}/24 dev r1", f"addr add {SECOND}/24 dev r1")
    first = case.daemon(["relay", "--local", FIRST, "--upstream", "r0"], "first", line.relay)
    second = case.daemon(["relay", "--local", SECOND, "--upstream", "r0"], "second", line.relay)
    found = dns.SignedZones(case, line, {ZONE: f"1.0 2 {dns.amtrelay(10, FIRST)}\n"})
    listener = line.listener(4, interface="lo", port=6000)
    receiver = case.start(["receive", url(SSM[4], line.source_address(4)), *found.options, "-o", "udp://127.0.0.1:6000"],
                          "receive", line.gateway)
    line.stream(4, SSM[4], rate=RATE)
    case.wait_until(lambda: listener.count >= RATE, 15, "data by the first relay")
    case.check(len(tunnels(first)) == 1 and not tunnels(second), "the first alone is used")
    found.knot.replace(ZONE, f"1.0 2 {dns.amtrelay(10, SECOND)}\n")
    case.wait_until(lambda: tunnels(second), 40, f"the second is used: {receiver.err}")
    case.wait_until(lambda: not tunnels(first), 15, "the first is left")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 5, "data by the second alone")
    report = sequence_report(listener.numbers())
    case.check(not any(report.values()) and listener.damaged == 0, f"{report}")
    case.check("the DNS names others now" in receiver.err, receiver.err)
    case.figure("packets lost, duplicated, reordered in the move", sum(report.values()))
