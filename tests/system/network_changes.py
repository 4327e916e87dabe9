"""The gateway's host gets another address while a stream plays: relays are looked for anew, and reception goes on (D-3.3.2-a).

    source, knot ── 10.1/16 ── relay, unbound ── 10.2.0.0/24 ── amt receive
"""

import time

from lib import dns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import SSM, Line, tunnels, url

NEEDS = {"namespaces"}
RATE = 200


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case)
    relay = line.start_relay()
    found = dns.SignedZones(case, line, {"1.10.in-addr.arpa.": f"1.0 {dns.amtrelay(10, line.relay_address(4))}\n"})
    listener = line.listener(4, interface="lo", port=6000)
    receiver = case.start(["receive", url(SSM[4], line.source_address(4)), *found.options, "-o", "udp://127.0.0.1:6000"],
                          "receive", line.gateway)
    line.stream(4, SSM[4], rate=RATE)
    case.wait_until(lambda: listener.count >= RATE, 15, "data")
    line.gateway.ip("addr add 10.2.0.7/24 dev g0", "addr del 10.2.0.2/24 dev g0")
    line.gateway.ip("addr replace 10.2.0.7/24 dev g0", "route replace default via 10.2.0.1")
    changed, count = time.monotonic(), listener.count
    case.wait_until(lambda: listener.count >= count + 2 * RATE, 20, f"data to the new address: {receiver.err}")
    case.wait_until(lambda: "the network changed" in receiver.err, 5, "it was noticed")
    arrivals = [at for at, *_ in listener.arrivals]
    case.figure("no data for", max(b - a for a, b in zip(arrivals, arrivals[1:]) if b > changed), "s")
    case.check(sequence_report(listener.numbers())["duplicated"] == 0 and listener.damaged == 0, "nothing twice")
    case.check(any(one.startswith("10.2.0.7:") for one in tunnels(relay)), str(tunnels(relay)))
