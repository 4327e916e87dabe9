"""Two relays behind one anycast address, with one set of keys: the route changes in the middle of handshakes, and no Update is
refused; a relay that drains hands a viewer over to the other.

              ┌─ a0  relay A  ra ─┐
    source ───┤                   router ══ our own gateways, `amt receive`
              └─ b0  relay B  rb ─┘        192.52.193.1 is on lo of both relays; the router knows the way to one
"""

import time

from lib import netns
from lib.fake_gateway import FakeGateway
from lib.multicast import Source, Stream
from lib.topology import SSM, tunnels, url

NEEDS = {"namespaces"}
ANYCAST = "192.52.193.1"
GATEWAYS = 40


class Fleet:
    def __init__(self, case):
        self.case = case
        self.router, self.viewer, self.source = case.host("router"), case.host("viewer"), case.host("source")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        netns.link(self.router, "v0", self.viewer, "g0", ["10.2.0.1/24"], ["10.2.0.2/24"])
        self.viewer.ip("route add default via 10.2.0.1")
        keys = case.folder / "keys"
        keys.write_text(f"# amt keys\none - {'k' * 20}\n", encoding="ascii")
        keys.chmod(0o600)
        self.relays = {}
        for net, name in ((21, "a"), (22, "b")):
            host = case.host(name)
            netns.link(self.router, f"r{name}", host, "out", [f"10.{net}.0.1/24"], [f"10.{net}.0.2/24"])
            netns.link(self.source, f"s{name}", host, "u0", [f"10.{net + 10}.0.1/24"], [f"10.{net + 10}.0.2/24"])
            host.ip("link set lo up", f"addr add {ANYCAST}/32 dev lo", f"route add default via 10.{net}.0.1",
                    f"route add 10.1.0.1/32 dev u0")
            self.relays[name] = case.daemon(
                ["relay", "--local", f"10.{net}.0.2", "--discovery", ANYCAST, "--upstream", "u0", "--secret-file", keys,
                 "--max-tunnels-per-address", 1000, "--max-requests-per-address", 0], f"relay-{name}", host)
        self.source.ip("addr add 10.1.0.1/32 dev lo", "link set lo up")
        self.lead_to("a")
        for name in "ab":
            sender = case.closing(Source(self.source, f"s{name}", 4, address="10.1.0.1"))
            case.closing(Stream(sender, SSM[4], 5000, rate=200))

    def lead_to(self, name: str) -> None:
        self.router.ip(f"route replace {ANYCAST}/32 via 10.{21 if name == 'a' else 22}.0.2")

    def gateway(self) -> FakeGateway:
        return self.case.closing(FakeGateway(self.viewer, ANYCAST))


def run(case):
    fleet = Fleet(case)
    handshakes(case, fleet)
    hand_over(case, fleet)


def handshakes(case, fleet) -> None:
    gateways = [fleet.gateway() for _ in range(GATEWAYS)]
    for number, gateway in enumerate(gateways):
        gateway.request(4)
        if number % 2:
            continue
        gateway.join_channel(SSM[4], ["10.1.0.1"])
    case.wait_until(lambda: len(tunnels(fleet.relays["a"])) == GATEWAYS // 2, 10, "half of them at one relay")
    fleet.lead_to("b")
    for gateway in gateways:
        gateway.join_channel(SSM[4], ["10.1.0.1"])
    case.wait_until(lambda: len(tunnels(fleet.relays["b"])) == GATEWAYS, 10, "all of them at the other")
    case.wait_until(lambda: all(one.data for one in gateways), 10, "data for all")
    for name, relay in fleet.relays.items():
        refused = {key: value for key, value in relay.snapshot()["counters"].items() if key.startswith("reject_") and value}
        case.check(not refused, f"relay {name} refused {refused}")
    case.figure("Updates after a change of the route", GATEWAYS, "none refused")
    for gateway in gateways:
        gateway.teardown(4)
    fleet.lead_to("a")
    for gateway in gateways:
        gateway.teardown(4)
    case.wait_until(lambda: not any(tunnels(relay) for relay in fleet.relays.values()), 10, "torn down at both")


def hand_over(case, fleet) -> None:
    path = case.folder / "payload"
    receiver = case.start(["receive", url(SSM[4], "10.1.0.1"), "--discovery", ANYCAST, "-o", path], "receive", fleet.viewer)
    case.wait_until(lambda: path.exists() and path.stat().st_size > 10_000, 15, "a picture through relay A")
    case.check(len(tunnels(fleet.relays["a"])) == 1, "by relay A")
    fleet.lead_to("b")
    done = case.amt_once(["drain", "--timeout", "1s", "--control", fleet.relays["a"].control])
    case.check(done.returncode == 0, done.stderr)
    case.check(fleet.relays["a"].wait(20) == 0, "relay A has ended")
    size, since = path.stat().st_size, time.monotonic()
    case.wait_until(lambda: len(tunnels(fleet.relays["b"])) == 1, 20, "the viewer is at relay B")
    case.wait_until(lambda: path.stat().st_size > size, 10, "the picture goes on")
    case.figure("without a picture", time.monotonic() - since, "s")
    receiver.terminate()
