"""Of two sources over one relay that relay loses one, upstream. The gateway misses it although the other is as busy as ever, says
so, and finds it at the next relay; the other stays where it is and loses nothing (D-3.3.4.1-a, D-3.3.4.1-b, D-3.3.7-a).

    sources, knot ══ 10.1/16 ══ two relays, each with an upstream of its own, unbound ── 10.2.0.0/24 ── amt gateway, listener
"""

import time

from lib import dns, multicast, netns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import PORT, SSM, Line, tunnels

NEEDS = {"namespaces"}
FIRST, SECOND = "10.2.0.3", "10.2.0.4"
RATE = 150
STEADY, LOST = 1, 2


def run(case):
    case.need_tun()
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case, sources=2)
    netns.link(line.source, "s9", line.relay, "r9", [], [])
    line.relay.ip(f"addr add {FIRST}/24 dev r1", f"addr add {SECOND}/24 dev r1")
    first = case.daemon(["relay", "--local", FIRST, "--upstream", "r9"], "first", line.relay)
    second = case.daemon(["relay", "--local", SECOND, "--upstream", "r0"], "second", line.relay)
    found = dns.SignedZones(case, line, {"1.10.in-addr.arpa.": "".join(
        f"{number}.0 {dns.amtrelay(10, FIRST)}\n{number}.0 {dns.amtrelay(20, SECOND)}\n" for number in (STEADY, LOST))})
    gateway = case.daemon(["gateway", *found.options], "gateway", line.gateway)
    sources = {number: line.source_address(4, number) for number in (STEADY, LOST)}

    def stream(number: int, device: str, name: int) -> multicast.Stream:
        sender = case.closing(multicast.Source(line.source, device, 4, address=sources[number]))
        return case.closing(multicast.Stream(sender, SSM[4], PORT, stream=name, rate=RATE))

    listener = line.listener(4, SSM[4], list(sources.values()))
    stream(STEADY, "s9", STEADY)
    dying = stream(LOST, "s9", LOST)
    stream(LOST, "s0", 10 + LOST)
    case.wait_until(lambda: all(len(listener.numbers(number)) >= 3 * RATE for number in (STEADY, LOST)), 20, "both sources")
    case.check(len(tunnels(first)) == 1 and not tunnels(second), "by the first relay")
    dying.close()
    stopped = time.monotonic()
    case.wait_until(lambda: len(listener.numbers(10 + LOST)) >= RATE, 30, f"the one by the second relay: {gateway.err}")
    case.figure("the lost source was back after", time.monotonic() - stopped - 1, "s")
    case.check(f"looking for another relay for {sources[LOST]} than {FIRST}:2268: the relay delivers nothing" in gateway.err,
               gateway.err)
    case.check(f"for {sources[STEADY]} than" not in gateway.err, gateway.err)

    def wanted_of(relay) -> list:
        return [tunnel["groups"][0]["sources"] for tunnel in tunnels(relay).values()]
    # The first is asked to go on for a second after the second delivers.
    case.wait_until(lambda: (wanted_of(first), wanted_of(second)) == ([[sources[STEADY]]], [[sources[LOST]]]), 10,
                    "each relay has its own source")
    case.check(not any(sequence_report(listener.numbers(STEADY)).values()), "the steady one noticed nothing")
