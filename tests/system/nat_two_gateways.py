"""Two gateways behind one NAT address, with the same own port, both receive (RFC 7450 §4.2.2: address and port;
R-5.3.3.4-i), each a copy of its own (R-5.3.3.6-a).

    source ── relay ══ r1 ── NAT (nftables masquerade) ─┬─ a0 gateway A ── amt0
                                                       └─ b0 gateway B ── amt0
"""

from lib import netns
from lib.multicast import Listener
from lib.topology import ASM, PORT, SSM, Line, tunnels

NEEDS = {"namespaces", "tun", "nft"}


def run(case):
    outer = int(case.arguments[0])
    line = Line(case)
    nat = line.gateway
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        nat.sysctl(key, 1)
    nat.run("nft", "-f", "-", text_input="""
        table inet nat {
          chain out { type nat hook postrouting priority srcnat; oifname "g0" masquerade; }
        }""")
    hosts = []
    for number, letter in ((1, "a"), (2, "b")):
        host = case.host(letter)
        netns.link(nat, f"n{letter}", host, f"{letter}0", [f"192.168.{number}.1/24", f"fd00:{number}::1/64"],
                   [f"192.168.{number}.2/24", f"fd00:{number}::2/64"])
        host.ip(f"route add default via 192.168.{number}.1", f"route add ::/0 via fd00:{number}::1")
        hosts.append(host)
    relay = line.start_relay()
    for host in hosts:
        case.daemon(["gateway", "--relay", line.relay_address(outer), "--gateway-port", 41000], host.name, host)
    for family in (4, 6):
        source = line.source_address(family)
        line.stream(family, SSM[family], rate=200)
        line.stream(family, ASM[family], rate=200, port=PORT + 1)
        # A wants both groups, B one: the NAT's address alone cannot tell them apart.
        listeners = {
            "A SSM": case.closing(Listener(hosts[0], "amt0", family, PORT, group=SSM[family], sources=[source])),
            "A ASM": case.closing(Listener(hosts[0], "amt0", family, PORT + 1, group=ASM[family])),
            "B SSM": case.closing(Listener(hosts[1], "amt0", family, PORT, group=SSM[family], sources=[source])),
        }
        for name, listener in listeners.items():
            case.wait_until(lambda one=listener: one.count >= 100, 15, f"IPv{family}: 100 packets at {name}")
            case.check(listener.damaged == 0, name)
            case.figure(f"IPv{family} {name}", listener.count, "packets")
    shown = tunnels(relay)
    addresses = {endpoint.rpartition(":")[0] for endpoint in shown}
    case.check(len(shown) == 2, f"two tunnels: {sorted(shown)}")
    case.check(addresses == {line.gateway_address(outer) if outer == 4 else f"[{line.gateway_address(6)}]"},
               f"one address: {addresses}")
    case.figure("tunnels", len(shown), f"endpoints {', '.join(sorted(shown))}")
