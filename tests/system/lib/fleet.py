"""Relays behind one anycast address, with one set of keys. Each relay's host announces the address by OSPF while its relay wants
gateways, with the files of docs/operating.md as they stand there: FRR on one, BIRD on the next. The router in front (FRR) shares
gateways out over all that announce it, by addresses and ports.

                       ┌ eth1  relay 0  eth0 ─ 10.20.0.0/24 ┐
    source ─ 10.1.0.0/16 ┤        ...                        router ── 10.2.0.0/24 ── viewers
                       └ eth1  relay N  eth0 ─ 10.20.N.0/24 ┘
"""

import pathlib
import re

from . import netns, routing
from .topology import tunnels

ANYCAST = "192.52.193.1"
SOURCE = "10.1.0.1"
ROUTER_ID = "10.20.0.2"
GUIDE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "operating.md"


def documented(path: str) -> str:
    """The file with this path in docs/operating.md: the block of code after the place that names it."""
    after = GUIDE.read_text(encoding="utf-8").split(f"`{path}`", 1)
    block = re.search(r"^```\n(.*?)^```", after[1], re.M | re.S) if len(after) == 2 else None
    if not block:
        raise AssertionError(f"docs/operating.md has no {path}")
    return block[1]


def documented_command(start: str) -> str:
    lines = [line[4:] for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("    ")]
    return next(line for line in lines if line.startswith(start))


class Fleet:
    def __init__(self, case, size: int, options=()):
        self.case, self.options = case, list(options)
        routing.prepare_frr(case, "ospfd")
        self.router, self.viewers, self.source = case.host("router"), case.host("viewers"), case.host("source")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv4.fib_multipath_hash_policy", 1)
        netns.link(self.router, "v0", self.viewers, "g0", ["10.2.0.1/24"], ["10.2.0.2/24"])
        self.viewers.ip("route add default via 10.2.0.1")
        # One network behind all relays, so that each packet comes to every one.
        self.source.ip("link add lan up type bridge mcast_snooping 0", f"addr add {SOURCE}/16 dev lan")
        self.keys = case.folder / "keys"
        self.write_keys("one - " + "k" * 20)
        self.hook = case.folder / "announce"
        self.hook.write_text(documented("/etc/amt/announce"), encoding="ascii")
        self.hook.chmod(0o755)
        self.hosts = [self._host(number) for number in range(size)]
        self.daemons = [self._routing_daemon(number) for number in range(size)]
        interfaces = [line for number in range(size) for line in self._ospf_interface(f"r{number}")]
        self.frr = routing.Frr(case, self.router, [*interfaces, "router ospf", " ospf router-id 10.2.0.1"], "router", "ospfd")
        self.relays = [self._relay(number) for number in range(size)]
        self.wait_announced(size)

    def write_keys(self, *lines: str) -> None:
        self.keys.write_text("# amt keys\n" + "".join(f"{line}\n" for line in lines), encoding="ascii")
        self.keys.chmod(0o600)

    @staticmethod
    def _ospf_interface(name: str) -> list[str]:
        return [f"interface {name}", " ip ospf area 0", " ip ospf network point-to-point", " ip ospf hello-interval 1",
                " ip ospf dead-interval 4"]

    def _host(self, number: int):
        host = self.case.host(f"relay{number}")
        netns.link(self.router, f"r{number}", host, "eth0", [f"10.20.{number}.1/24"], [f"10.20.{number}.2/24"])
        netns.link(self.source, f"s{number}", host, "eth1", [], [f"10.1.1.{number}/16"])
        self.source.ip(f"link set s{number} master lan")
        host.ip(f"route add default via 10.20.{number}.1")
        host.run(*documented_command("ip route replace local").split())
        return host

    def _routing_daemon(self, number: int):
        def of_this_host(text: str) -> str:
            return text.replace(ROUTER_ID, f"10.20.{number}.2")
        host = self.hosts[number]
        if number % 2:
            return routing.Bird(self.case, host, of_this_host(documented("/etc/bird/bird.conf")), f"bird{number}")
        frr = routing.Frr(self.case, host, [], f"frr{number}", "ospfd")
        frr.load(of_this_host(documented("/etc/frr/frr.conf")))
        return frr

    def _relay(self, number: int, name=""):
        return self.case.daemon(
            ["relay", "--local", f"10.20.{number}.2", "--discovery", ANYCAST, "--upstream", "eth1", "--secret-file", self.keys,
             "--announce", self.hook, *self.options], name or f"amt{number}", self.hosts[number])

    def start_again(self, number: int) -> None:
        self.relays[number] = self._relay(number, f"amt{number}-again")

    def next_hops(self) -> list[str]:
        """The relays that the router shares gateways out over."""
        return re.findall(r"via (10\.20\.\d+\.2)", self.router.run("ip", "route", "show", ANYCAST))

    def wait_announced(self, count: int) -> None:
        self.case.wait_until(lambda: len(self.next_hops()) == count, 30, f"{count} relays announced: {self.next_hops()}", 0.1)

    def tunnels(self) -> list[int]:
        return [len(tunnels(relay)) if relay.status is None else 0 for relay in self.relays]

    def busiest(self) -> int:
        counts = self.tunnels()
        return counts.index(max(counts))

    def refusals(self) -> dict[str, int]:
        """Of all relays, by reason."""
        sums: dict[str, int] = {}
        for relay in self.relays:
            for name, value in relay.snapshot()["counters"].items() if relay.status is None else ():
                if name.startswith("reject_") and value:
                    sums[name] = sums.get(name, 0) + value
        return sums
