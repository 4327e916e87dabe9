"""One network has many prefixes: four /64s of one /48, 256 tunnels each. Newcomers get in all the same, over IPv4 too.

    relay --max-tunnels 1000 ══ 1024 tunnels of 2001:db8:99::/48
                             ══ newcomers from elsewhere
"""

from arena import SECONDS, arena

NEEDS = {"namespaces"}
PREFIXES, TUNNELS_EACH = 4, 256
# Until all have asked and joined.
SETTING_UP_SECONDS = 6


def run(case):
    with arena(case, "--max-tunnels", 1000) as place:
        addresses = [f"2001:db8:99:{number:x}::2" for number in range(PREFIXES)]
        place.attacker.ip(*(f"addr add {one}/64 dev g0 nodad" for one in addresses))
        place.line.relay.ip(f"route add 2001:db8:99::/48 via {place.line.gateway_address(6, 1)}")
        place.withstand("networks", lambda: place.attack(
            "membership", seconds=SECONDS + SETTING_UP_SECONDS, family=6, local=",".join(addresses),
            tunnels=PREFIXES * TUNNELS_EACH, groups=1, act="hold"), under_way=True)
        place.recover("networks")
        place.stop("networks")
