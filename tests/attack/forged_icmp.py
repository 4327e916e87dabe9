"""What ICMP says is hearsay: a host that is on nobody's path reports that datagrams to others were too big, or that nobody
listens there. Those others lose nothing, and the source is told nothing.

    sweep        all ports of the watchers' host in turn, "fragmentation needed" with MTU 552 (IPv6: 1280)
    quote        the watchers' own ports, quoting what the attacker sees of the same channel, right to the last octet
    large        the same for one watcher, with packets of more than 1400 octets: the others lose nothing
    closed       all ports in turn, "port unreachable"
    quote_closed like `quote`, "port unreachable"
"""

from arena import SECONDS, arena

from lib import multicast, packets
from lib.topology import tunnels

NEEDS = {"namespaces"}
MTU = {4: 552, 6: 1280}
LARGE_PAYLOAD_OCTETS = 1420


def run(case):
    act, family = case.arguments[0], int(case.arguments[1])
    large = act == "large"
    name = f"{act}_v{family}"
    with arena(case, **({"payload": LARGE_PAYLOAD_OCTETS} if large else {})) as place:
        capture = case.closing(multicast.Capture(place.line.source, "s0", outgoing=False))
        ports = place.watcher_ports(family)
        aims = dict(list(ports.items())[:1]) if large else ports
        options = {"relay": place.line.relay_address(family, 0), "victim": place.line.gateway_address(family, 0),
                   "mtu": 0 if act.endswith("closed") else MTU[family]}
        if act in ("sweep", "closed"):
            options |= {"act": "sweep"}
        else:
            options |= {"act": "quote", "own_relay": place.line.relay_address(family, 1),
                        "ports": ",".join(map(str, aims.values())), **place.channel("232.1.2.3")}
        before = set(tunnels(place.relay))
        # Twice: a port is given up no sooner than a few seconds after the first error.
        for _ in range(2 if act.endswith("closed") else 1):
            place.withstand(name, lambda: place.attack("icmp", seconds=SECONDS, family=family, **options),
                            spared=aims if large else ())
        missing = {one for one in before - set(tunnels(place.relay)) if not one.startswith(("10.4.", "[2001:db8:4:"))}
        place.require(not missing, f"tunnels ended: {missing}")
        told = [one for one in map(packets.parse_too_big, capture.datagrams()) if one]
        place.require(not told, f"the source was told {len(told)} times: {told[:1]}")
        place.recover(name)
        place.stop(name)
