"""`amt bench`: simulated gateways make the handshake, receive, change channels and leave; what it reports is what the relay saw.

    amt send (a channel each) ── relay ══ amt bench
"""

import json
import signal

from lib.topology import Line, tunnels

NEEDS = {"namespaces"}
GATEWAYS = 100
CHANNELS = 4
LIMITS = ["--max-requests-per-address", 0, "--max-updates-per-address", 0, "--max-tunnels-per-address", 1000]
FIRST_GROUP = {4: "232.1.1.1", 6: "ff3e::8000:1"}
LATENCY = {"count", "p50", "p90", "p99", "p999", "max"}
KEYS = {"relay", "task", "gateways", "channels", "complete", "seconds", "joining_seconds", "cpu_seconds", "handshakes",
        "handshakes_per_second", "channel_changes_per_second", "packets", "packets_per_second", "bits_per_second", "lost",
        "joins", "joins_served", "handshake_milliseconds", "join_milliseconds", "data_milliseconds", "counters"}


def channel(family: int) -> str:
    group = FIRST_GROUP[family]
    return f"{Line.source_address(family)}@{group}" if family == 4 else f"[{Line.source_address(family)}]@[{group}]"


def send_all(case, line, family: int) -> None:
    for number in range(CHANNELS):
        group = FIRST_GROUP[family][:-1] + str(1 + number)
        target = f"{group}:5000" if family == 4 else f"[{group}]:5000"
        case.start(["send", target, "--interface", "s0", "--source", line.source_address(family), "--rate", "80000",
                    "--size", 200], f"send{family}-{number}", line.source)


def bench(case, line, outer: int, *options, name: str):
    return case.start(["bench", "--relay", line.relay_address(outer), *(["--yes-it-is-mine"] if outer == 6 else []),
                       *options], name, line.gateway)


def report(case, process, timeout=40) -> dict:
    case.check(process.wait(timeout) == 0, f"status {process.status}: {process.err}")
    got = json.loads(process.out)
    case.check(KEYS <= got.keys(), f"keys missing: {KEYS - got.keys()}")
    for key in ("handshake_milliseconds", "join_milliseconds", "data_milliseconds"):
        case.check(LATENCY <= got[key].keys(), f"{key}: {got[key]}")
    return got


def no_tunnels(case, relay) -> None:
    case.wait_until(lambda: not relay.snapshot()["tunnels"] and not relay.snapshot()["channels"], 3, "all tunnels gone")


def interrupted(case, line, relay) -> None:
    """A person's report, ended by a signal; the tunnels go all the same."""
    process = bench(case, line, 4, "--gateways", 10, "--group", channel(4), "--duration", 60, name="interrupted")
    case.wait_until(lambda: len(tunnels(relay)) == 10, 5, "10 tunnels")
    had = relay.snapshot()["counters"]["data_packets_sent"]
    case.wait_until(lambda: relay.snapshot()["counters"]["data_packets_sent"] > had + 100, 5, "data for the ten")
    process.signal(signal.SIGINT)
    case.check(process.wait(10) == 0, f"status {process.status}: {process.err}")
    for words in ("10 gateways", "handshakes", "Update to data", "packets", "of one core"):
        case.check(words in process.out.decode(), f"{words!r} in the report: {process.out}")
    no_tunnels(case, relay)


def refusals(case, line, relay) -> None:
    """Other people's relays, limits that were not raised, a relay that is not there."""
    # Whose relay is it?
    arguments = ["bench", "--relay", line.relay_address(6), "--group", channel(6), "--duration", 1]
    done = case.amt_once(arguments, namespace=line.gateway)
    case.check(done.returncode == 2 and "--yes-it-is-mine" in done.stderr and not done.stdout, f"refused: {done}")
    done = case.amt_once(["bench", "--relay", "192.0.2.1", "--group", channel(4)], namespace=line.gateway)
    case.check(done.returncode == 2, f"refused: {done}")

    # Limits that were not raised are named, and so is a relay that is not there.
    relay.terminate()
    done = case.amt_once(["bench", "--relay", line.relay_address(4), "--group", channel(4), "--duration", 1.5],
                         namespace=line.gateway)
    case.check(done.returncode == 1 and "does not answer" in done.stderr, f"no relay: {done}")
    line.start_relay("--max-requests-per-address", 10, name="limited")
    done = case.amt_once(["bench", "--relay", line.relay_address(4), "--group", channel(4), "--duration", 2.5],
                         namespace=line.gateway)
    case.check(done.returncode == 1, f"what was not served is a failure: {done}")
    case.check("--max-requests-per-address" in done.stderr and "--max-requests-per-address" in done.stdout, f"limits: {done}")


def run(case):
    line = Line(case)
    relay = line.start_relay(*LIMITS)
    for family in (4, 6):
        send_all(case, line, family)

    for outer, inner in ((4, 4), (4, 6), (6, 4), (6, 6)):
        process = bench(case, line, outer, "--gateways", GATEWAYS, "--group", channel(inner), "--duration", 3, "--json",
                        name=f"stay{inner}in{outer}")
        case.wait_until(lambda: len(tunnels(relay)) == GATEWAYS, 5, f"{GATEWAYS} tunnels")
        got = report(case, process)
        case.figure(f"IPv{inner} in IPv{outer}: {GATEWAYS} gateways", f"{got['packets']} packets, {got['lost']} lost")
        case.check(got["complete"] and got["handshakes"] == GATEWAYS, f"all handshakes: {got}")
        case.check(got["joins"] == got["joins_served"] == GATEWAYS, f"all joined: {got}")
        case.check(got["handshake_milliseconds"]["count"] == GATEWAYS, f"{got}")
        case.check(got["join_milliseconds"]["count"] == GATEWAYS, f"{got}")
        case.check(got["lost"] == 0 and got["counters"]["duplicated"] == 0 and got["counters"]["damaged"] == 0, f"{got}")
        case.check(got["packets"] > 10 * GATEWAYS, f"data: {got}")
        case.check(got["data_milliseconds"]["count"] == got["packets"], f"one clock: {got}")
        no_tunnels(case, relay)

    before = relay.snapshot()["counters"]
    got = report(case, bench(case, line, 4, "--gateways", GATEWAYS, "--group", channel(4), "--channels", CHANNELS, "--zap", 2,
                             "--duration", 4, "--json", name="zap"))
    after = relay.snapshot()["counters"]
    case.figure("channel changes", got["counters"]["channel_changes"], f"join p99 {got['join_milliseconds']['p99']:.1f} ms")
    case.check(got["channels"] == CHANNELS and got["counters"]["channel_changes"] > 2 * GATEWAYS, f"{got}")
    # What changed within a packet's distance of the next change, or of the end, brings nothing.
    case.check(got["joins_served"] > 0.7 * got["joins"], f"{got}")
    case.check(got["lost"] == 0, f"{got}")
    case.check(after["updates_accepted"] - before["updates_accepted"] >= got["counters"]["updates_sent"],
               f"the relay saw every Update: {before} {after} {got}")
    no_tunnels(case, relay)

    got = report(case, bench(case, line, 4, "--gateways", 20, "--group", channel(4), "--repeat", "requests", "--duration", 1,
                             "--json", name="requests"))
    case.check(got["counters"]["queries_received"] > 20 and got["handshakes"] == 0, f"{got}")
    case.check(relay.snapshot()["counters"]["updates_accepted"] == after["updates_accepted"], "nothing was joined")
    got = report(case, bench(case, line, 4, "--gateways", 20, "--group", channel(4), "--repeat", "handshakes", "--duration", 1,
                             "--json", name="handshakes"))
    case.figure("handshakes a second", got["handshakes_per_second"])
    case.check(got["handshakes"] > 20 and got["counters"]["teardowns_sent"] > 20, f"{got}")
    no_tunnels(case, relay)

    interrupted(case, line, relay)
    refusals(case, line, relay)
