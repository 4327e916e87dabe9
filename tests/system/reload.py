"""SIGHUP and `amt reload`: each option that can change does, while gateways watch and lose nothing; what only a restart takes up
is named; a file that cannot be used changes nothing, and says why.

    source s0 ── r0  relay (--workers 2, --config)  r1 ══ our own gateways
    other  o0 ── r2
"""

import json
import os
import re
import signal
import tomllib

from lib import netns, packets
from lib.machine import queue_drops
from lib.multicast import Source, Stream, sequence_report
from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
GATEWAYS = 40
OTHER = "10.9.0.1"
# Values other than the default, for options whose example is the default.
NOT_THE_DEFAULT = {"relay-port": 2269, "query-interval": 60, "robustness": 3, "gateway-fields": "never", "mtu": 1400, "workers": 3,
                   "ipfix": "10.1.0.1:4739", "ipfix-active-timeout": 30, "ipfix-idle-timeout": 5}
# The first stands on the command line here, the others exclude --upstream.
NOT_HERE = {"control", "interface", "interface-address"}


class Relay:
    def __init__(self, case, line):
        self.case, self.line = case, line
        self.path = case.folder / "relay.toml"
        self.options = {"local": [line.relay_address(4), line.relay_address(6)], "upstream": ["r0"], "workers": 2,
                        "events": str(case.folder / "events.json")}
        self.changed: set[str] = set()
        self.write()
        self.daemon = case.daemon(["relay", "--config", self.path], "relay", line.relay)

    def write(self, text: str | None = None) -> None:
        self.path.write_text(text or "".join(f"{key} = {json.dumps(value)}\n" for key, value in self.options.items()),
                             encoding="utf-8")

    def reload(self, **options):
        """`amt reload` with these options changed (None: gone from the file)."""
        for key, value in options.items():
            self.options[key.replace("_", "-")] = value
        self.options = {key: value for key, value in self.options.items() if value is not None}
        self.write()
        return self.case.amt_once(["reload", "--control", self.daemon.control], self.line.relay)

    def rest(self) -> dict[str, object]:
        """The options that were not changed, with the values that `amt example-config` has."""
        text = self.case.amt_once(["example-config", "relay"]).stdout
        every = tomllib.loads("\n".join(line[1:] for line in text.splitlines() if re.match(r"#[a-z-]+ = ", line)))
        return {name: value for name, value in every.items() if name not in self.changed}

    def change(self, **options) -> None:
        done = self.reload(**options)
        names = [name.replace("_", "-") for name in options]
        self.changed.update(names)
        self.case.check(done.returncode == 0 and all(name in done.stdout for name in names),
                        f"{names}: {done.stdout}{done.stderr}")
        self.case.check("restart" not in done.stdout, f"{names}: {done.stdout}")


def run(case):
    line = Line(case)
    other = case.host("other")
    netns.link(other, "o0", line.relay, "r2", [f"{OTHER}/24"], ["10.9.0.254/24"])
    relay = Relay(case, line)
    sources = [line.source_address(4)]
    stream = line.stream(4, SSM[4], rate=500, sizes=(300,))
    watching = [line.fake_gateway(4) for _ in range(GATEWAYS)]
    for gateway in watching:
        gateway.join_channel(SSM[4], sources)
    case.wait_until(lambda: all(one.data for one in watching), 10, "data for all")

    before, dropped = relay.daemon.snapshot(), queue_drops()
    limits(case, line, relay)
    addresses(case, line, relay)
    upstreams(case, line, relay, other)
    keys_and_events(case, line, relay)
    refusals(case, relay)
    the_others(case, relay)

    stream.close()
    for gateway in watching:
        gateway.catch_up(4)
    # What is lost before the relay can do anything is the machine's.
    changes = moved(before, relay.daemon.snapshot())
    excused = queue_drops() - dropped + changes.get("upstream_drops", 0)
    for gateway in watching:
        report = sequence_report([int.from_bytes(one.payload[16:20], "big") for one in gateway.inner()])
        case.check(report["duplicated"] == 0 and report["lost"] <= excused, f"{gateway.endpoint}: {report}, {changes}")
    case.figure("packets that each gateway received meanwhile", len(watching[0].data), f"{excused} lost by the machine")
    counters = relay.daemon.snapshot()["counters"]
    case.check(counters["tunnels_expired"] == counters["tunnels_unreachable"] == 0, "no tunnel was lost")
    relay.daemon.terminate()


def limits(case, line, relay) -> None:
    newcomer = line.fake_gateway(4)
    relay.change(max_tunnels=GATEWAYS)
    case.check(newcomer.request(4).limit, "full: L flag")
    relay.change(max_tunnels=None)
    case.check(not newcomer.request(4).limit, "room again")
    relay.change(allow_group=["232.0.0.0/8"])
    before = relay.daemon.snapshot()
    newcomer.join_channel("239.9.9.9")
    case.wait_until(lambda: "reject_group_not_allowed" in moved(before, relay.daemon.snapshot()), 5, "group refused")
    relay.change(allow_group=None)
    newcomer.join_channel("239.9.9.9")
    case.wait_until(lambda: newcomer.endpoint in tunnels(relay.daemon), 5, "group allowed")
    relay.change(max_groups=1)
    newcomer.join_channel("239.9.9.8")
    case.wait_until(lambda: "reject_group_limit" in moved(before, relay.daemon.snapshot()), 5, "one group")
    relay.change(max_groups=None, max_sources=10, max_channels=100, max_channels_per_address=50, max_unreachable=4,
                 max_tunnels_per_address=200, max_answers=4000, max_answers_per_prefix=900, max_discoveries_per_address=90,
                 max_updates_per_address=900, max_tunnel_rate="1G", max_rate="2G")
    relay.change(max_requests_per_address=1)
    before = relay.daemon.snapshot()
    for number in range(9):
        newcomer.send(b"\x03\0\0\0" + bytes([1, 2, 3, number]))
    case.wait_until(lambda: "reject_request_rate_limit" in moved(before, relay.daemon.snapshot()), 5, "rate limit")
    relay.change(max_requests_per_address=None, max_tunnel_rate=None, max_rate=None)
    relay.change(log_level="debug")
    newcomer.join_channel("239.9.9.7")
    case.wait_until(lambda: "upstream 239.9.9.7 is now" in relay.daemon.err, 5, "the log is more talkative")
    relay.change(log_level=None, strict=True, no_ecn=True, batch_delay=500, log_json=True)
    case.wait_until(lambda: '"level":' in relay.daemon.err, 5, "the log is JSON")
    relay.change(log_json=None)
    before = relay.daemon.snapshot()
    newcomer.report(4, [packets.record(packets.TO_IN, "239.9.9.9")], router_alert=False)
    case.wait_until(lambda: "reject_inner_no_router_alert" in moved(before, relay.daemon.snapshot()), 5, "strict")
    relay.change(strict=None, no_ecn=None)
    newcomer.teardown(4)
    case.wait_until(lambda: newcomer.endpoint not in tunnels(relay.daemon), 5, "torn down")


def addresses(case, line, relay) -> None:
    line.relay.ip("addr add 10.2.0.7/32 dev r1", "addr add 192.52.193.1/32 dev lo")
    asker = line.fake_gateway(4)
    case.check(asker.discover("192.52.193.1", timeout=0.2) is None, "not served yet")
    relay.change(discovery=["192.52.193.1"])
    _, advertised = asker.discover("192.52.193.1")
    case.check(advertised.relay == line.relay_address(4), f"{advertised}")
    relay.change(local=[line.relay_address(4), line.relay_address(6), "10.2.0.7"], advertise=["203.0.113.5"])
    _, advertised = asker.discover("192.52.193.1")
    case.check(advertised.relay == "203.0.113.5", f"{advertised}")
    added = line.fake_gateway(4)
    added.relay = "10.2.0.7"
    added.join_channel(SSM[4], [line.source_address(4)])
    case.wait_until(lambda: len(added.data) > 10, 5, "data from the address that was added")
    # An address that goes takes no new gateways; who is there stays.
    relay.change(local=[line.relay_address(4), line.relay_address(6)], advertise=None, discovery=None)
    case.check(asker.discover("192.52.193.1", timeout=0.2) is None, "not served any more")
    late = line.fake_gateway(4)
    late.relay = "10.2.0.7"
    case.check(late.request(4).limit, "L flag at an address that is given up")
    seen = len(added.data)
    case.wait_until(lambda: len(added.data) > seen + 10, 5, "data goes on")
    added.teardown(4)


def upstreams(case, line, relay, other) -> None:
    case.closing(Stream(case.closing(Source(other, "o0", 4, address=OTHER)), "232.7.7.7", 5000, rate=200))
    gateway = line.fake_gateway(4)
    gateway.join_channel("232.7.7.7", [OTHER])
    case.wait_until(lambda: gateway.endpoint in tunnels(relay.daemon), 5, "tunnel")
    case.check(not gateway.data, "not by that interface")
    relay.change(upstream=["r0", "r2"])
    case.wait_until(lambda: len(gateway.data) > 10, 5, "data from the interface that was added")
    relay.change(upstream=["r0"])
    case.wait_until(lambda: [one["interface"] for one in relay.daemon.snapshot()["upstreams"]] == ["r0"], 5, "removed")
    gateway.catch_up(4)
    seen = len(gateway.data)
    gateway.catch_up(4)
    case.check(len(gateway.data) == seen, "nothing comes from it any more")
    relay.change(upstream=["r0", "r2"])
    case.wait_until(lambda: len(gateway.data) > seen + 10, 5, "and again")
    gateway.teardown(4)


def keys_and_events(case, line, relay) -> None:
    done = relay.reload(secret_file=str(case.folder / "secret"))
    case.check(done.returncode == 1 and "secret" in done.stderr and done.stderr.count("\n") == 1, done.stderr)
    relay.options.pop("secret-file")
    first, second = case.folder / "events.json", case.folder / "second.json"
    before = first.read_text(encoding="utf-8")
    relay.change(events=str(second))
    gateway = line.fake_gateway(4)
    gateway.join_channel(SSM[4], [line.source_address(4)])
    case.wait_until(lambda: gateway.endpoint in second.read_text(encoding="utf-8"), 5, "events in the new file")
    gateway.teardown(4)
    case.check(gateway.endpoint not in first.read_text(encoding="utf-8"), "and not in the old one")
    case.check('"event":"reload"' in before, "reloads are events")


def the_others(case, relay) -> None:
    """Each option either was changed above or waits for a restart, so that none goes untested."""
    secret = case.folder / "secret"
    secret.write_bytes(bytes(range(32)))
    secret.chmod(0o600)
    rest = {name: value for name, value in relay.rest().items() if name not in NOT_HERE}
    before = dict(relay.options)
    for name, value in {**rest, **NOT_THE_DEFAULT, "secret-file": str(secret)}.items():
        done = relay.reload(**{name.replace("-", "_"): value})
        case.check(done.returncode == 0 and re.search(rf"only a restart takes up .*\b{name}\b", done.stdout), f"{name}: {done}")
        relay.options = dict(before)
    relay.reload()
    case.figure("options that were changed", len(relay.changed), f"{len(rest)} others wait for a restart")


def refusals(case, relay) -> None:
    before = relay.daemon.snapshot()
    good = dict(relay.options)
    for bad, why in (({"max_tunnels": 0}, "max-tunnels"), ({"upstream": ["r0", "nowhere"]}, "nowhere"),
                     ({"local": ["10.2.0.1", "10.99.0.1"]}, "10.99.0.1"), ({"workrs": 3}, "unknown key"),
                     ({"upstream": ["r2", "nowhere"]}, "nowhere"), ({"events": "/"}, "Is a directory")):
        done = relay.reload(**bad)
        case.check(done.returncode == 1 and why in done.stderr and done.stderr.count("\n") == 1 and not done.stdout,
                   f"{bad}: {done.returncode} {done.stdout}{done.stderr}")
        relay.options = dict(good)
    relay.write("this is no TOML")
    done = case.amt_once(["reload", "--control", relay.daemon.control])
    case.check(done.returncode == 1 and "not valid TOML" in done.stderr, done.stderr)
    relay.daemon.signal(signal.SIGHUP)
    case.wait_until(lambda: relay.daemon.err.count("not valid TOML") >= 2, 5, "the log says so")
    checked = case.amt_once(["relay", "--config", relay.path, "--check-config"])
    case.check(checked.returncode == 2 and "not valid TOML" in checked.stderr, checked.stderr)
    after = relay.daemon.snapshot()
    case.check([one["interface"] for one in after["upstreams"]] == [one["interface"] for one in before["upstreams"]],
               "the same upstreams")
    done = relay.reload(workers=3)
    case.check(done.returncode == 0 and "only a restart takes up workers" in done.stdout, done.stdout)
    case.check(len(relay.daemon.snapshot()["workers"]) == 2, "two workers")
    checked = case.amt_once(["relay", "--config", relay.path, "--check-config"])
    case.check(checked.returncode == 0 and "can be used" in checked.stdout, f"{checked}")
    relay.reload(workers=2)
    relay.daemon.signal(signal.SIGHUP)
    case.wait_until(lambda: "no option has changed" in relay.daemon.err, 5, "SIGHUP reloads, too")
    case.check(relay.daemon.status is None and os.path.exists(relay.daemon.control), "it runs")
