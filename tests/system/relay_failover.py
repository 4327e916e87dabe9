"""The relay in use dies while a stream plays: `amt receive` goes on through the next that the DNS names, and nothing reaches the
listener twice (D-3.3.2-a, D-3.3.7-a). Argument: `killed` (the host still says by ICMP that nobody is there) or `stopped`
(silence).

    source, knot ── 10.1/16 ── two relays, unbound ── 10.2.0.0/24 ── amt receive
"""

import signal
import time

from lib import dns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import SSM, Line, tunnels, url

NEEDS = {"namespaces"}
FIRST, SECOND = "10.2.0.3", "10.2.0.4"
RATE = 200


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    [how] = case.arguments
    line = Line(case)
    line.relay.ip(f"addr add {FIRST}/24 dev r1", f"addr add {SECOND}/24 dev r1")
    first = case.daemon(["relay", "--local", FIRST, "--upstream", "r0"], "first", line.relay)
    second = case.daemon(["relay", "--local", SECOND, "--upstream", "r0"], "second", line.relay)
    found = dns.SignedZones(case, line, {"1.10.in-addr.arpa.": f"1.0 {dns.amtrelay(10, FIRST)}\n"
                                                               f"1.0 {dns.amtrelay(20, SECOND, direct=False)}\n"})
    listener = line.listener(4, interface="lo", port=6000)
    case.start(["receive", url(SSM[4], line.source_address(4)), *found.options, "-o", "udp://127.0.0.1:6000"], "receive",
               line.gateway)
    line.stream(4, SSM[4], rate=RATE)
    case.wait_until(lambda: listener.count >= RATE, 15, "data by the first relay")
    case.check(len(tunnels(first)) == 1 and not tunnels(second), "the first alone is used")
    first.signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)
    died, count = time.monotonic(), listener.count
    case.wait_until(lambda: listener.count >= count + 2 * RATE, 30, "data by the second relay")
    arrivals = [at for at, *_ in listener.arrivals]
    gap = max(after - before for before, after in zip(arrivals, arrivals[1:]) if after > died)
    report = sequence_report(listener.numbers())
    case.figure(f"{how}: no data for", gap, "s")
    case.figure(f"{how}: packets lost at {RATE} a second", report["lost"])
    case.check(report["duplicated"] == 0 and report["reordered"] == 0 and listener.damaged == 0, f"{report}")
    case.check(len(tunnels(second)) == 1, "by the second relay")
