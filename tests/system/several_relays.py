"""One gateway, two sources, two relays at once, each found by its source's record; with its last source a relay is left
(D-3.3.7-a, D-2.1-a). A LAN program notices nothing of it.

    sources, knot ── 10.1/16 ── two relays, unbound ── 10.2.0.0/24 ── amt gateway, listeners
"""

from lib import dns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import SSM, Line, tunnels

NEEDS = {"namespaces"}
RELAYS = {1: "10.2.0.3", 2: "10.2.0.4"}


def run(case):
    case.need_tun()
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case, sources=2)
    relays = {}
    for number, address in RELAYS.items():
        line.relay.ip(f"addr add {address}/24 dev r1")
        relays[number] = case.daemon(["relay", "--local", address, "--upstream", "r0"], f"relay{number}", line.relay)
    found = dns.SignedZones(case, line, {"1.10.in-addr.arpa.": "".join(
        f"{number}.0 {dns.amtrelay(10, address)}\n" for number, address in RELAYS.items())})
    gateway = case.daemon(["gateway", *found.options], "gateway", line.gateway)
    case.check(gateway.snapshot()["relays"] == [], "nobody is asked before something is wanted")
    sources = [line.source_address(4, number) for number in RELAYS]
    listener = line.listener(4, SSM[4], sources)
    for number in RELAYS:
        line.stream(4, SSM[4], number=number, stream=number, rate=150)
    case.wait_until(lambda: all(len(listener.numbers(number)) >= 150 for number in RELAYS), 20, "both sources")
    for number, relay in relays.items():
        [tunnel] = tunnels(relay).values()
        case.check(tunnel["groups"] == [{"group": SSM[4], "mode": "include", "sources": [sources[number - 1]]}], str(tunnel))
        case.check(sequence_report(listener.numbers(number)) == {"lost": 0, "duplicated": 0, "reordered": 0}, "sequence")
    shown = {one["address"]: one for one in gateway.snapshot()["relays"]}
    case.check(set(shown) == set(RELAYS.values()), str(shown))
    case.check(all(one["state"] == "connected" and one["groups"] == 1 and one["packets"] > 100 for one in shown.values()),
               str(shown))
    case.figure("relays in use at once", len(shown))

    listener.leave_group(SSM[4], [sources[0]])
    case.wait_until(lambda: not tunnels(relays[1]), 5, "the first relay is left")
    case.wait_until(lambda: len(gateway.snapshot()["relays"]) == 1, 15, "and its tunnel is gone")
    count = len(listener.numbers(2))
    case.wait_until(lambda: len(listener.numbers(2)) >= count + 100, 5, "the other goes on")
    case.check(sequence_report(listener.numbers(2)) == {"lost": 0, "duplicated": 0, "reordered": 0}, "sequence")
    gateway.terminate()
    case.wait_until(lambda: not tunnels(relays[2]), 5, "the second is left at the end")
