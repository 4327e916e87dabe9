"""A forged ICMP error that claims a narrow path (RFC 7450 §6.1) keeps no report of a gateway from leaving: Updates that are longer
than what was claimed reach the relay.

    relay (double, and a forger) ══ gateway, many groups
"""

import socket

from lib import amt, fake_relay, packets
from lib.topology import Line

NEEDS = {"namespaces", "tun"}
GROUPS, PER_SOCKET = 100, 10
CLAIMED = 552  # the least that Linux takes for IPv4


def forge(line: Line, endpoint: tuple[str, int]) -> None:
    relay = line.relay_address(4)
    quoted = packets.udp(endpoint[0], relay, endpoint[1], amt.PORT, bytes(1200))
    quote = packets.ipv4(endpoint[0], relay, packets.UDP, quoted, fragment=0x4000)[:500]
    with line.relay.enter():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, packets.ICMP)
    with raw:
        raw.sendto(packets.parse(packets.too_big(relay, endpoint[0], CLAIMED, quote)).payload, (endpoint[0], 0))


def run(case):
    line = Line(case)
    relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(4)))
    relay.interval = 2
    line.start_gateway(4)
    listeners = [line.listener(4) for _ in range(GROUPS // PER_SOCKET)]
    for number in range(GROUPS):
        listeners[number // PER_SOCKET].join_group(f"232.7.0.{number + 1}", [line.source_address(4)])
    case.wait_until(lambda: any(len(groups) == GROUPS for groups in relay.tunnels.values()), 20, "all groups at the relay")
    endpoint = next(iter(relay.tunnels))

    def believed() -> bool:
        forge(line, endpoint)
        return f"mtu {CLAIMED}" in line.gateway.run("ip", "route", "get", line.relay_address(4))

    case.wait_until(believed, 10, "the gateway's kernel believes the forger")
    before = len(relay.events)

    def long_updates() -> list:
        return [one for one in list(relay.events)[before:]
                if one.message.kind == amt.UPDATE and len(one.message.octets) > CLAIMED]

    case.wait_until(lambda: len(long_updates()) >= 2, 20, "long Updates come all the same")
    case.check(believed(), "while the kernel still believes it")
    case.check(relay.problems() == [], f"and all is well: {relay.problems()}")
