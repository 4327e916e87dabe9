"""`--events`: each tunnel and each channel of it begins and ends once, with the right reason; the sums over the file are the
counters, and what gateways received; the file is opened anew on SIGHUP, and a disk that is full stops nothing.

    source ── relay (--workers 4) ══ our own gateways, and `amt bench`
"""

import collections
import json
import signal
import time

from lib import amt, flows, packets
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
LIMITS = ["--max-requests-per-address", 0, "--max-updates-per-address", 0, "--max-tunnels-per-address", 100_000]
GATEWAYS = 300
REASONS = {"left": "tunnels_left", "torn-down": "tunnels_torn_down", "expired": "tunnels_expired",
           "unreachable": "tunnels_unreachable", "moved": "tunnels_moved", "drained": "tunnels_drained"}


def read_events(*paths) -> list[dict]:
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines]


def of_kind(events, kind: str, **wanted) -> list[dict]:
    return [one for one in events if one["event"] == kind and all(one[key] == value for key, value in wanted.items())]


def total(events, key: str) -> int:
    return sum(one[key] for one in events)


def check_books(case, events, counters) -> None:
    """What holds of the file of any relay that has ended, and its counters before."""
    begins, ends = of_kind(events, "tunnel-begin"), of_kind(events, "tunnel-end")
    case.check(len(begins) == len(ends) == counters["tunnels_created"], f"tunnels: {len(begins)} begin, {len(ends)} end")
    by_reason = collections.Counter(one["reason"] for one in ends)
    for reason, counter in REASONS.items():
        case.check(by_reason[reason] == counters[counter], f"{reason}: {by_reason[reason]}, counted {counters[counter]}")
    for key, counter in (("packets", "data_packets_sent"), ("bytes", "data_bytes_sent")):
        for kind in ("tunnel-end", "channel-end"):
            summed = total(of_kind(events, kind), key)
            case.check(summed == counters[counter], f"{kind} {key}: {summed}, counted {counters[counter]}")
    refused = collections.Counter()
    for one in of_kind(events, "refused"):
        refused[one["reason"]] += one["count"]
    for name, value in counters.items():
        if name.startswith("reject_"):
            case.check(refused[name.removeprefix("reject_")] == value, f"{name}: {value}, told {refused}")
    open_channels = collections.Counter()
    for one in events:
        if one["event"] in ("channel-begin", "channel-end"):
            open_channels[one["endpoint"], one["group"], one["source"]] += 1 if one["event"] == "channel-begin" else -1
            case.check(min(open_channels.values()) >= 0, f"ends before it begins: {one}")
    case.check(not any(open_channels.values()), f"channels that never end: {open_channels}")


def endings(case) -> None:
    line = Line(case)
    line.gateway.sysctl("net.ipv4.icmp_ratelimit", 0)
    path, rotated = case.folder / "events.json", case.folder / "events.json.1"
    relay = line.start_relay("--workers", 4, "--query-interval", 2, "--robustness", 1, "--events", path)
    sources = [line.source_address(4)]
    streams = [line.stream(4, SSM[4], rate=200, sizes=(300,)), line.stream(6, ASM[6], rate=100, sizes=(500,))]
    names = ("left", "torn-down", "expired", "unreachable", "shut-down", "zaps")
    gateways = {name: line.fake_gateway(4) for name in names}
    for gateway in gateways.values():
        gateway.join_channel(SSM[4], sources)
    gateways["zaps"].join_channel(ASM[6])
    case.wait_until(lambda: all(one.data for one in gateways.values()), 10, "data for all")
    case.wait_until(lambda: len(of_kind(read_events(path), "channel-begin")) == len(names) + 1, 5, "all have begun")
    for _ in range(3):
        gateways["left"].send(amt.update(bytes(6), 7, packets.report([], 4)))
    case.wait_until(lambda: of_kind(read_events(path), "refused", reason="bad_mac"), 5, "refusals are told at once")

    path.rename(rotated)
    relay.signal(signal.SIGHUP)
    case.wait_until(path.exists, 5, "a new file")
    gateways["left"].leave_channel(SSM[4], sources)
    gateways["torn-down"].teardown(4)
    gateways["zaps"].leave_channel(SSM[4], sources)
    gateways["unreachable"].close()
    silent = time.monotonic()
    stay = (gateways["shut-down"], gateways["zaps"])
    records = ([packets.record(packets.IS_IN, SSM[4], sources)], [packets.record(packets.IS_EX, ASM[6])])

    def lives_on() -> bool:
        for gateway, family, wanted in zip(stay, (4, 6), records):
            gateway.report(family, wanted)
        return {one.endpoint for one in stay} == set(tunnels(relay))
    case.wait_until(lives_on, 30, "only those that report are left", poll=0.5)
    case.figure("the silent one expired after", time.monotonic() - silent, "s")
    for stream in streams:
        stream.close()
    for gateway in stay:
        gateway.catch_up(4)
    counters = relay.snapshot()["counters"]
    relay.terminate()

    events = read_events(rotated, path)
    for name in names:
        gateway = gateways[name]
        [end] = of_kind(events, "tunnel-end", endpoint=gateway.endpoint)
        case.check(end["reason"] == ("shut-down" if name == "zaps" else name), f"{name}: {end}")
        channel_ends = of_kind(events, "channel-end", endpoint=gateway.endpoint)
        case.check(total(channel_ends, "packets") == end["packets"] and total(channel_ends, "bytes") == end["bytes"],
                   f"{name}: the channels {channel_ends} are the tunnel {end}")
        if name != "unreachable":
            case.check(len(gateway.data) == end["packets"], f"{name}: received {len(gateway.data)}, told {end}")
            case.check(sum(len(inner) for _, _, inner in gateway.data) == end["bytes"], f"{name}: octets: {end}")
    zaps = of_kind(events, "channel-end", endpoint=gateways["zaps"].endpoint)
    case.check([(one["reason"], one["group"], one["source"]) for one in zaps]
               == [("left", SSM[4], sources[0]), ("shut-down", ASM[6], None)], f"the zapper's channels: {zaps}")
    received = collections.Counter(one.destination for one in gateways["zaps"].inner())
    for one in zaps:
        case.check(received[one["group"]] == one["packets"], f"of each channel its own: {received}, {one}")
    case.check([one["change"] for one in of_kind(events, "upstream", group=SSM[4])] == ["joined", "left"], "upstream")
    check_books(case, events, counters)


def many(case) -> None:
    """Gateways of the load tool join, zap and leave; others die; more are refused. Argument: how many there are in all."""
    gateways = int(case.arguments[1]) if len(case.arguments) > 1 else GATEWAYS
    watching, dying, refused = gateways * 7 // 10, gateways // 10, gateways // 5
    line = Line(case)
    path, source = case.folder / "many.json", line.source_address(4)
    collector = flows.Collector(case, line.source, source)
    relay = line.start_relay("--workers", 4, *LIMITS, "--max-channels-per-address", 100_000, "--max-tunnels", watching + dying,
                             "--query-interval", 2, "--robustness", 1, "--events", path, *collector.options,
                             "--ipfix-active-timeout", 2, name="many")

    def load(name: str, count: int, channel: str, *options):
        return case.start(["bench", "--relay", line.relay_address(4), "--gateways", count, "--group", f"{source}@{channel}", "--json",
                           *options], name, line.gateway)

    def tunnel_count() -> int:
        return relay.snapshot()["counters"]["tunnels_created"]
    # Nothing is sent to these, so nobody needs to count what they received when they died.
    dies = load("dies", dying, "232.1.2.1", "--duration", 600)
    case.wait_until(lambda: tunnel_count() == dying, 20, "those that will die", poll=0.2)
    for number in range(1, 5):
        case.start(["send", f"232.1.1.{number}:5000", "--interface", "s0", "--source", source, "--rate", "80000", "--size",
                    200, "--count", 200], f"send{number}", line.source)
    zaps = load("zaps", watching, "232.1.1.1", "--channels", 4, "--zap", 1, "--duration", 6 + gateways // 500)
    case.wait_until(lambda: tunnel_count() == dying + watching, 20, "all tunnels", poll=0.2)
    comes_late = load("late", refused, "232.1.2.2", "--duration", 1)
    case.check(comes_late.wait(60) == 1 and "refused (L flag)" in comes_late.err, comes_late.err)
    # Not before: who takes the port of one that died goes on with its tunnel.
    dies.kill()
    # The streams end first, so some joins bring nothing: status 1.
    case.check(zaps.wait(60) in (0, 1) and zaps.out, zaps.err)
    case.wait_until(lambda: not tunnels(relay), 40, "all have left or expired", poll=0.2)
    counters = relay.snapshot()["counters"]
    relay.terminate()
    events, got, late = read_events(path), json.loads(zaps.out), json.loads(comes_late.out)
    check_books(case, events, counters)
    by_reason = collections.Counter(one["reason"] for one in of_kind(events, "tunnel-end"))
    case.check(by_reason["expired"] == dying and by_reason.total() == watching + dying, f"{by_reason}")
    case.check(counters["reject_tunnel_limit"] >= refused == late["counters"]["queries_with_limit"], f"{late}")
    # Nothing is on its way when the last gateway goes.
    summed = {key: total(of_kind(events, "channel-end"), key) for key in ("packets", "bytes")}
    received = got["packets"] + got["counters"]["unwanted"]
    case.check(summed["packets"] == received and got["lost"] == 0, f"sent {summed}, received {received}: {got}")
    case.check(len(of_kind(events, "channel-begin")) == got["joins"] + dying, f"{got}")
    records = collector.end()
    exported = {"packets": total(records, "in_packets"), "bytes": total(records, "in_bytes")}
    case.check(exported == summed, f"IPFIX {exported}, events {summed}")
    case.figure("gateways that watched, died, were refused", f"{watching}, {dying}, {refused}", f"{len(events)} events")
    case.figure("packets by the events and IPFIX", summed["packets"], f"by the load tool {received}")


def full_disk(case) -> None:
    line = Line(case)
    relay = line.start_relay("--events", "/dev/full", name="full")
    line.stream(4, SSM[4], rate=200, sizes=(300,))
    gateway = line.fake_gateway(4)
    gateway.join_channel(SSM[4], [line.source_address(4)])
    case.wait_until(lambda: len(gateway.data) > 20, 10, "data all the same")
    before = relay.snapshot()
    gateway.leave_channel(SSM[4], [line.source_address(4)])
    case.wait_until(lambda: moved(before, relay.snapshot()).get("tunnels_left") == 1, 5, "it goes on")
    relay.terminate()
    case.check("--events /dev/full" in relay.err and "No space left" in relay.err, "the log names the option and why")
    for where, why in (("/nowhere/events", "No such file"), ("/", "Is a directory")):
        refused = case.amt_once(["relay", "--local", line.relay_address(4), "--events", where], line.relay)
        case.check(refused.returncode == 2 and why in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr)


def run(case):
    {"endings": endings, "many": many, "full_disk": full_disk}[case.arguments[0]](case)
