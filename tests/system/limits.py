"""What one subscriber may have of a relay, and that it is the relay's limit, not each worker's: tunnels, channels, groups.
Each refusal has its counter and is told in the log with whose it was. A newcomer gets in where a big holder is refused.

    relay --workers 2 ══ our own gateways on two hosts; on the first, addresses of several /64, /56 and a /48
"""

from lib import packets
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}

SITE = "2001:db8:aaaa"
# One /56 has the first two, the other one is another customer's of the same /48.
LINES = [f"{SITE}::2", f"{SITE}:1::2", f"{SITE}:100::2"]


def start(line, name, *options):
    return line.start_relay("--workers", 2, *options, name=name)


def gateway_at(line, address, number=0):
    return line.fake_gateway(6 if ":" in address else 4, number=number, local=address)


def open_tunnels(case, line, relay, address, count, number=0):
    """Each by a Request and an Update of its own; returns how many there are of this address once all are handled."""
    family = 6 if ":" in address else 4
    gateways = [gateway_at(line, address, number) for _ in range(count)]
    for gateway in gateways:
        gateway.join_channel(SSM[4], ["10.1.0.1"])
    for gateway in gateways:
        gateway.catch_up(family)
    held = set(tunnels(relay))
    return sum(gateway.endpoint in held for gateway in gateways), gateways


def log_says(case, relay, *words):
    case.wait_until(lambda: any(all(word in text for word in words) for text in relay.err.splitlines()), 5,
                    f"a line with {words}")


def tunnels_of_one(case, line):
    relay = start(line, "tunnels", "--max-tunnels-per-address", 5)
    held, _ = open_tunnels(case, line, relay, line.gateway_address(4), 9)
    case.check(held == 5, f"5 tunnels of one address over both workers, not {held}")
    case.check(relay.snapshot()["counters"]["reject_tunnel_per_address_limit"] == 4, "counted")
    log_says(case, relay, "tunnel_per_address_limit", line.gateway_address(4))
    held, _ = open_tunnels(case, line, relay, line.gateway_address(4, 1), 3, number=1)
    case.check(held == 3, "another address is not concerned")
    case.figure("tunnels of one address", 5, "held")
    relay.terminate()


def prefixes(case, line):
    relay = start(line, "prefixes", "--max-tunnels-per-address", 2)
    totals = []
    for address in LINES:
        held, _ = open_tunnels(case, line, relay, address, 4)
        totals.append(held)
    case.check(totals == [2, 2, 2], f"2 for each /64: {totals}")
    for number in range(2, 5):
        line.gateway.ip(f"addr add {SITE}:{number}::2/128 dev g0 nodad")
        # The kernel makes the route of a new address a moment later.
        case.wait_until(lambda new=f"{SITE}:{number}::2": line.gateway.run("ip", "-6", "route", "get", new).startswith("local"), 5,
                        "the address is the host's")
        held, _ = open_tunnels(case, line, relay, f"{SITE}:{number}::2", 3)
        totals.append(held)
    case.check(totals[3:] == [2, 2, 0], f"8 for a /56: {totals}")
    log_says(case, relay, "tunnel_per_prefix_limit", "/56")
    case.figure("tunnels of a /56", sum(totals) - 2)
    relay.terminate()


def newcomer(case, line):
    relay = start(line, "newcomer", "--max-tunnels", 80)
    held, _ = open_tunnels(case, line, relay, line.gateway_address(4), 70)
    case.check(20 <= held < 70, f"one address has not all of 80: {held}")
    query = gateway_at(line, line.gateway_address(4)).request(4)
    case.check(query.limit, "L flag for the one that has most")
    late, _ = open_tunnels(case, line, relay, line.gateway_address(4, 1), 1, number=1)
    case.check(late == 1, "the newcomer has its tunnel")
    case.check(len(tunnels(relay)) == held + 1, "nobody lost one")
    case.figure("of 80 tunnels for one address", held)
    relay.terminate()


def channels(case, line):
    relay = start(line, "channels", "--max-channels", 6, "--max-channels-per-address", 4)
    first, second = gateway_at(line, line.gateway_address(4)), gateway_at(line, line.gateway_address(4))
    for number in range(1, 4):
        # One after the other, though they may be of two workers.
        for name, gateway in enumerate((first, second)):
            gateway.join_channel(f"232.9.{name}.{number}", ["10.1.0.1"])
            gateway.catch_up(4)
    case.wait_until(lambda: relay.snapshot()["counters"]["reject_channel_per_address_limit"] == 2, 5, "4 for an address")
    other = line.fake_gateway(4, number=1)
    before = relay.snapshot()
    for number in range(1, 4):
        other.join_channel(f"232.9.2.{number}", ["10.1.0.1"])
    case.wait_until(lambda: "reject_channel_limit" in moved(before, relay.snapshot()), 5, "6 in all")
    third = line.fake_gateway(6, number=1)
    third.join_channel("232.9.0.1", ["10.1.0.1"])
    case.wait_until(lambda: third.endpoint in tunnels(relay), 5, "a channel that is there is for everybody")
    status = relay.snapshot()
    case.check(len(status["channels"]) == 6, f"channels {len(status['channels'])}")
    log_says(case, relay, "channel_limit", "--max-channels")
    # What was held is given back.
    first.teardown(4)
    fresh = line.fake_gateway(6, number=1)
    case.wait_until(lambda: first.endpoint not in tunnels(relay), 5, "gone")
    fresh.join_channel("232.9.7.7", ["10.1.0.1"])
    case.wait_until(lambda: fresh.endpoint in tunnels(relay), 5, "room again")
    case.figure("channels in all", 6, "held")
    relay.terminate()


def groups(case, line):
    relay = start(line, "groups", "--allow-group", "232.0.0.0/8", "--allow-group", "ff3e::/32")
    gateway = line.fake_gateway(4)
    gateway.join_channel(ASM[4])
    gateway.join_channel(SSM[4], ["10.1.0.1"])
    case.wait_until(lambda: gateway.endpoint in tunnels(relay), 5, "an allowed group")
    case.check([one["group"] for one in tunnels(relay)[gateway.endpoint]["groups"]] == [SSM[4]], "only that one")
    case.check(relay.snapshot()["counters"]["reject_group_not_allowed"] == 1, "counted")
    log_says(case, relay, "group_not_allowed", line.gateway_address(4), "--allow-group")
    case.figure("groups allowed", 1)
    relay.terminate()


def defaults(case, line):
    """The defaults leave room: 8 tunnels for one address, 60 groups and 32 sources a group for one gateway."""
    relay = start(line, "defaults")
    held, gateways = open_tunnels(case, line, relay, line.gateway_address(4), 8)
    case.check(held == 8, f"8 tunnels: {held}")
    gateway = gateways[0]
    for number in range(60):
        sources = [f"10.1.1.{source}" for source in range(1, 33)]
        gateway.report(4, [packets.record(packets.ALLOW, f"232.8.0.{number + 1}", sources)])
    gateway.catch_up(4)
    mine = [one for one in tunnels(relay)[gateway.endpoint]["groups"] if one["group"].startswith("232.8.")]
    case.check(len(mine) == 60 and all(len(one["sources"]) == 32 for one in mine),
               f"60 groups of 32 sources: {[len(one['sources']) for one in mine]}")
    case.figure("sources of one gateway by default", sum(len(one["sources"]) for one in mine))
    relay.terminate()


def run(case):
    line = Line(case, gateways=2)
    line.gateway.ip(*[f"addr add {address}/128 dev g0 nodad" for address in LINES])
    line.relay.ip(f"route add {SITE}::/48 via {line.gateway_address(6)}")
    for part in (tunnels_of_one, prefixes, newcomer, channels, groups, defaults):
        part(case, line)
