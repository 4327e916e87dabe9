"""`amt relay --take-over`: one process after the other takes over a running relay; no gateway loses a packet, gets one twice
or makes a new handshake, and counters, timers and events go on. A process that cannot take over harms nothing.
Arguments: how often (default 20), packets a second of each stream (default 700).

    source ── relay, relay, relay, ... ══ our own gateways, over IPv4 and IPv6
"""

import json

from lib.machine import queue_drops
from lib.multicast import Capture, sequence_report, upstream_leaves
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
GATEWAYS = 8
# What only a gateway that starts anew makes a relay count.
HANDSHAKE = ("requests_received", "queries_sent", "tunnels_created")
ENDS = ("tunnels_left", "tunnels_torn_down", "tunnels_expired", "tunnels_unreachable", "tunnels_shut_down")


class Relays:
    """One relay after the other, at one control socket."""

    def __init__(self, case, line):
        self.case, self.line, self.count = case, line, 0
        self.events = case.folder / "events.json"
        self.page = case.folder / "page.sock"
        self.options = ["--workers", 2, "--events", self.events, "--http", f"unix:{self.page}"]
        self.now = line.start_relay(*self.options)

    def take_over(self, *options) -> None:
        before, old = self.now.snapshot(), self.now
        self.count += 1
        self.now = self.line.start_relay(*self.options, *options, "--take-over", name=f"relay{self.count}", control=old.control)
        self.case.check(old.wait(10) == 0, f"status {old.status}: {old.err}")
        after = self.now.snapshot()
        self.case.check(self.page.is_socket(), "the page stays where it was")
        for name, value in before["counters"].items():
            self.case.check(after["counters"][name] >= value, f"{name} went back: {value}, {after['counters'][name]}")
        self.case.check(not set(HANDSHAKE + ENDS) & set(moved(before, after)), f"{moved(before, after)}")
        compare(self.case, before, after)

    def fail(self, why: str, *options) -> None:
        """A process that cannot: it says why, and the relay goes on."""
        self.count += 1
        failed = self.line.start_relay(*options, "--take-over", name=f"failed{self.count}", control=self.now.control, ready=False)
        self.case.check(failed.wait(10) == 1 and why in failed.err, f"{failed.status}: {failed.err}")
        self.case.wait_until(lambda: "this relay goes on" in self.now.err, 5, "the log says so")
        self.case.check(self.now.status is None, "the relay runs")

    def all_events(self) -> list[dict]:
        return [json.loads(text) for text in self.events.read_text(encoding="utf-8").splitlines()]


def compare(case, before: dict, after: dict) -> None:
    old = {one["endpoint"]: one for one in before["tunnels"]}
    new = {one["endpoint"]: one for one in after["tunnels"]}
    case.check(old.keys() == new.keys(), f"{old.keys() ^ new.keys()}")
    for endpoint, was in old.items():
        now = new[endpoint]
        case.check(now["groups"] == was["groups"], f"{endpoint}: {was['groups']}, {now['groups']}")
        case.check(now["packets"] >= was["packets"] and now["bytes"] >= was["bytes"], f"{endpoint}: {was}, {now}")
        case.check(now["since_seconds"] >= was["since_seconds"], f"{endpoint} began anew: {was}, {now}")
        case.check(now["expires_seconds"] <= was["expires_seconds"], f"{endpoint}: its timer began anew: {was}, {now}")
    used = {(one["group"], one["source"]): one["packets"] for one in before["channels"]}
    for one in after["channels"]:
        case.check(one["packets"] >= used[one["group"], one["source"]], f"{one}")


def numbers(gateway, group: str) -> list[int]:
    return [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner() if one.destination == group]


def run(case):
    rounds, rate = (int(one) for one in [*case.arguments, *("20", "700")[len(case.arguments):]])
    line = Line(case)
    relays = Relays(case, line)
    wanted = {4: (SSM[4], [line.source_address(4)]), 6: (ASM[6], [])}
    streams = [line.stream(family, group, rate=rate, sizes=(300,)) for family, (group, _) in wanted.items()]
    gateways = [line.fake_gateway(outer) for outer in (4, 6) for _ in range(GATEWAYS // 2)]
    for gateway in gateways:
        for group, sources in wanted.values():
            gateway.join_channel(group, sources)
    case.wait_until(lambda: all(len(one.data) > 10 for one in gateways), 10, "data for all")
    begun, dropped = relays.now.snapshot(), queue_drops()
    upstream = case.closing(Capture(line.source, "s0", outgoing=False))

    for _ in range(rounds):
        relays.take_over()
    # Under a Query of the relay before, the Update of one that asked just then is taken by the next one.
    newcomer = line.fake_gateway(4)
    newcomer.request(4)
    relays.take_over()
    newcomer.join_channel(*wanted[4])
    case.wait_until(lambda: newcomer.endpoint in tunnels(relays.now), 5, "a handshake across the change")
    relays.fail("nowhere", "--upstream", "nowhere")

    for stream in streams:
        stream.close()
    for gateway in gateways:
        gateway.catch_up(4)
    changes = moved(begun, relays.now.snapshot())
    excused = queue_drops() - dropped
    for gateway in gateways:
        for group, _ in wanted.values():
            report = sequence_report(numbers(gateway, group))
            case.check(report["duplicated"] == 0 and report["lost"] <= excused, f"{gateway.endpoint} {group}: {report}, {changes}")
    case.check(changes.get("upstream_drops", 0) == 0, f"{changes}")
    case.figure("packets to each gateway", sum(stream.sent for stream in streams), f"over {relays.count} changes of the relay")
    names = [one["event"] for one in relays.all_events()]
    case.check(names.count("tunnel-begin") == GATEWAYS + 1 and "tunnel-end" not in names, f"{names}")
    case.check(names.count("take-over") == names.count("hand-over") == rounds + 1, f"{names}")
    case.check(names.count("upstream") == 2, "upstream joins are told once")
    # Joins of the last relay but one have been let go by then.
    case.check(not upstream_leaves(upstream), f"no leave upstream: {upstream_leaves(upstream)}")
    relays.now.terminate()
    ended = [one for one in relays.all_events() if one["event"] == "tunnel-end"]
    case.check(len(ended) == GATEWAYS + 1, f"{len(ended)} ends")
