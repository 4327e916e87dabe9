"""`amt relay --take-over` under many gateways: `amt bench` sees no packet lost or twice, and makes each handshake once.
Arguments: gateways (default 200), copies a second in all (default 10000), how often a relay takes over (default 5), seconds
(default 10).

    amt send ── relay, relay, ... ══ amt bench
"""

import json

from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
DEFAULTS = (200, 10_000, 5, 10)
PAYLOAD = 200
OPTIONS = ["--max-requests-per-address", 0, "--max-updates-per-address", 0, "--max-tunnels-per-address", 100_000,
           "--max-channels-per-address", 100_000, "--workers", 2]


def run(case):
    gateways, copies, rounds, seconds = (int(one) for one in [*case.arguments, *DEFAULTS[len(case.arguments):]])
    line = Line(case)
    relay = line.start_relay(*OPTIONS)
    rate = max(1, copies // gateways)
    case.start(["send", f"{SSM[4]}:5000", "--interface", "s0", "--source", line.source_address(4), "--rate",
                rate * PAYLOAD * 8, "--size", PAYLOAD], "send", line.source)
    bench = case.start(["bench", "--relay", line.relay_address(4), "--gateways", gateways, "--group",
                        f"{line.source_address(4)}@{SSM[4]}", "--duration", seconds, "--json"], "bench", line.gateway)
    case.wait_until(lambda: len(tunnels(relay)) == gateways, 10, f"{gateways} tunnels")
    before = relay.snapshot()
    for number in range(rounds):
        old = relay
        relay = line.start_relay(*OPTIONS, "--take-over", name=f"relay{number}", control=old.control)
        case.check(old.wait(10) == 0, f"{old.status}: {old.err}")
        had = relay.snapshot()["counters"]["data_packets_sent"]
        case.wait_until(lambda now=relay, at=had: now.snapshot()["counters"]["data_packets_sent"] > at + gateways, 10, "data")
    changes = moved(before, relay.snapshot())
    case.check(bench.status is None, f"the bench still runs, so that it saw each change: {bench.out}")
    case.check(not {"requests_received", "tunnels_created", "upstream_drops"} & changes.keys(), f"{changes}")
    case.check(bench.wait(seconds + 20) == 0, f"{bench.status}: {bench.err}")
    got = json.loads(bench.out)
    case.check(got["lost"] == 0 and got["counters"]["duplicated"] == 0 and got["counters"]["damaged"] == 0, f"{got}")
    case.check(got["handshakes"] == gateways and got["complete"], f"{got}")
    case.figure(f"packets to {gateways} gateways", got["packets"], f"over {rounds} changes, {got['lost']} lost")
    case.figure("the longest way of a packet", got["data_milliseconds"]["max"], "ms")
