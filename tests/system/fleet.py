"""Ten relays behind one anycast address: the routes change in the middle of handshakes, and no Update is refused; keys change in
flight; a relay that drains ends when its viewers have moved; one that dies costs them less than two seconds. Argument: how many
relays, in place of ten.

    lib/fleet.py draws it
"""

import json
import signal

from lib.fake_gateway import FakeGateway
from lib.fleet import ANYCAST, SOURCE, Fleet
from lib.multicast import Source, Stream
from lib.patience import PATIENCE
from lib.topology import SSM, tunnels, url

NEEDS = {"namespaces"}
SIZE = 10
GATEWAYS = 40
VIEWERS = 12
RATE = 100
GAP_SECONDS_MAX = 2.0


def run(case):
    size = int(case.arguments[0]) if case.arguments else SIZE
    fleet = Fleet(case, size, options=["--query-interval", 2, "--workers", 1, "--max-tunnels-per-address", 1000,
                                       "--max-requests-per-address", 0])
    handshakes(case, fleet)
    drained(case, fleet)
    killed(case, fleet)


def handshakes(case, fleet) -> None:
    stream = case.closing(Stream(case.closing(Source(fleet.source, "lan", 4, address=SOURCE)), SSM[4], 5000, rate=50))
    gateways = [case.closing(FakeGateway(fleet.viewers, ANYCAST)) for _ in range(GATEWAYS)]
    size, half = len(fleet.relays), len(fleet.relays) // 2

    def join_all(served_by: list[int]) -> None:
        """Under the Queries that each has, whichever relay they came from."""
        for gateway in gateways:
            gateway.data.clear()
            gateway.join_channel(SSM[4], [SOURCE])
        names = {f"10.20.{number}.2" for number in served_by}
        case.wait_until(lambda: all(one.data for one in gateways), 10, "data for all")
        wanted = {one.endpoint for one in gateways}
        have = set().union(*(tunnels(fleet.relays[number]) for number in served_by))
        case.check(wanted <= have, f"tunnels at {names}: {wanted - have} have none")
    for gateway in gateways:
        gateway.request(4)
    # Those that lose their upstream are unhealthy, and their gateways come to others.
    for number in range(half):
        fleet.hosts[number].ip("link set eth1 down")
    fleet.wait_announced(size - half)
    join_all(list(range(half, size)))
    for number in range(half):
        fleet.hosts[number].ip("link set eth1 up")
    fleet.wait_announced(size)
    # The youngest key signs, and both are accepted, while half of the relays do not know it yet.
    fleet.write_keys("one - " + "k" * 20, "two 2020-01-01T00:00:00Z " + "m" * 20)
    for relay in fleet.relays:
        case.check(case.amt_once(["reload", "--control", relay.control]).returncode == 0, "keys reloaded")
    join_all(list(range(size)))
    for gateway in gateways:
        gateway.request(4)
    join_all(list(range(size)))
    case.check(not fleet.refusals(), f"refused: {fleet.refusals()}")
    case.figure("Updates after changes of routes and keys", 3 * GATEWAYS, "none refused")
    for gateway in gateways:
        gateway.close()
    stream.close()


class Viewers:
    """`amt receive`, each with nothing but the anycast address."""

    def __init__(self, case, fleet, name: str):
        self._case, self._fleet = case, fleet
        self._source = case.start(["send", f"{SSM[4]}:5000", "--interface", "lan", "--size", 200, "--rate", RATE * 200 * 8],
                                  f"send-{name}", fleet.source)
        self.processes = [case.start(["receive", url(SSM[4], SOURCE), "--discovery", ANYCAST, "--verify", "--stats", "json"],
                                     f"{name}{number}", fleet.viewers) for number in range(VIEWERS)]
        self.wait_served()

    def wait_served(self) -> None:
        self._case.wait_until(lambda: sum(self._fleet.tunnels()) == VIEWERS, 20, f"{VIEWERS} viewers: {self._fleet.tunnels()}", 0.2)

    def end(self) -> list[dict]:
        """What each has seen."""
        for process in self.processes:
            process.signal(signal.SIGTERM)
        seen = []
        for process in self.processes:
            process.wait(10)
            seen.append(json.loads(process.out))
        self._source.terminate()
        return seen


def drained(case, fleet) -> None:
    viewers = Viewers(case, fleet, "watches")
    busiest = fleet.busiest()
    relay, count = fleet.relays[busiest], fleet.tunnels()[busiest]
    done = case.amt_once(["drain", "--control", relay.control])
    case.check(done.returncode == 0, f"{done}")
    case.check(relay.wait(30) == 0 and "the last tunnel has gone" in relay.err, f"it ends when all have moved: {relay.err}")
    fleet.wait_announced(len(fleet.relays) - 1)
    viewers.wait_served()
    seen = viewers.end()
    case.check(all(one["lost"] <= 1 and one["duplicated"] == 0 for one in seen), f"{seen}")
    case.figure("viewers that moved from a relay that drained", count, f"lost {sum(one['lost'] for one in seen)} packets")
    fleet.start_again(busiest)
    fleet.wait_announced(len(fleet.relays))


def killed(case, fleet) -> None:
    viewers = Viewers(case, fleet, "stays")
    busiest = fleet.busiest()
    count = fleet.tunnels()[busiest]
    fleet.relays[busiest].kill()
    # Nobody is left to say so but the relay's helper.
    fleet.wait_announced(len(fleet.relays) - 1)
    viewers.wait_served()
    seen = viewers.end()
    gaps = sorted(one["lost"] / RATE for one in seen)
    case.check(gaps[-1] <= GAP_SECONDS_MAX * PATIENCE and not any(one["duplicated"] for one in seen), f"{seen}")
    case.figure("viewers of a relay that was killed", count, f"without a picture for {gaps[-1]:.2f} s at most")
