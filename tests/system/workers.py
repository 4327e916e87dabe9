"""Many gateways, divided among the relay's workers: each gets its data once and whole, whichever worker serves it; status
is the sum of all workers; a leave ends a tunnel at once, and so does a Teardown that another worker receives (R-5.3.3.5-e);
the native join goes with the last tunnel of all. What is forged is not handed on.

    source ── relay (--workers N) ══ two hosts with many of our own gateways
"""

import random

from lib import amt
from lib.multicast import sequence_report
from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
GATEWAYS = 48


def numbers(gateway) -> list[int]:
    return [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner()]


def check_sums(case, status, workers: int) -> None:
    shown = status["workers"]
    case.check(len(shown) == workers, f"{workers} workers in status: {shown}")
    case.check(sum(one["tunnels"] for one in shown) == len(status["tunnels"]), f"tunnels add up: {shown}")
    case.check(sum(one["packets"] for one in shown) == status["counters"]["data_packets_sent"], f"packets add up: {shown}")
    case.check(all(one["receive_drops"] == 0 and one["upstream_drops"] == 0 for one in shown), f"nothing dropped: {shown}")


def joined(case, line, relay, family: int) -> list:
    gateways = [line.fake_gateway(family, number=n % 2) for n in range(GATEWAYS)]
    for gateway in gateways:
        gateway.join_channel(SSM[family], [line.source_address(family)])
    case.wait_until(lambda: {one.endpoint for one in gateways} <= set(tunnels(relay)), 10, "all have a tunnel", poll=0.1)
    return gateways


def torn_down_by_others(case, line, relay, family: int, gateways, workers: int) -> None:
    stranger = line.fake_gateway(family)
    before = relay.snapshot()
    for gateway in gateways:
        query = gateway.queries[family]
        stranger.send(amt.teardown(bytes(6), query.nonce, gateway.address, gateway.port))
    case.wait_until(lambda: moved(before, relay.snapshot()).get("reject_bad_mac") == len(gateways), 5, "forged: refused")
    case.check("handed_over" not in moved(before, relay.snapshot()), "and not handed on")
    for gateway in gateways:
        query = gateway.queries[family]
        stranger.send(amt.teardown(query.mac, query.nonce, gateway.address, gateway.port))
    case.wait_until(lambda: not set(tunnels(relay)) & {one.endpoint for one in gateways}, 5, "torn down")
    changes = moved(before, relay.snapshot())
    case.check(changes["teardowns_accepted"] == len(gateways), f"each once: {changes}")
    case.check(changes["teardowns_received"] == 2 * len(gateways), f"each counted once: {changes}")
    case.check("hand_over_lost" not in changes, f"none lost: {changes}")
    case.check((changes.get("handed_over", 0) > 0) == (workers > 1), f"by the worker whose tunnel it was: {changes}")
    case.figure(f"IPv{family}: of {len(gateways)} Teardowns handed over", changes.get("handed_over", 0))


def run(case):
    workers = int(case.arguments[0])
    line = Line(case, gateways=2)
    relay = line.start_relay("--workers", workers)
    for family in (4, 6):
        stream = line.stream(family, SSM[family], rate=200, sizes=(200,))
        gateways = joined(case, line, relay, family)
        case.wait_until(lambda: all(len(one.data) > 100 for one in gateways), 15, "data for all", poll=0.1)
        status = relay.snapshot()
        shares = [one["tunnels"] for one in status["workers"]]
        case.check(all(share > 0 for share in shares), f"each worker has some: {shares}")
        case.figure(f"IPv{family}: tunnels by worker", " ".join(map(str, shares)))
        channel, = status["channels"]
        case.check(channel["tunnels"] == GATEWAYS, f"one channel, for all: {channel}")
        case.check(channel["packets"] <= stream.sent, f"{stream.sent} sent, none counted twice: {channel}")

        random.shuffle(gateways)
        leaving, staying = gateways[:GATEWAYS // 2], gateways[GATEWAYS // 2:]
        for gateway in leaving:
            gateway.leave_channel(SSM[family], [line.source_address(family)])
        case.wait_until(lambda: set(tunnels(relay)) == {one.endpoint for one in staying}, 5, "gone at once")
        for one in leaving:
            one.drain()
        ends = [len(one.data) for one in leaving]
        more = [len(one.data) for one in staying]
        case.wait_until(lambda: all(len(one.data) > had + 50 for one, had in zip(staying, more)), 5, "others go on")
        case.check([len(one.data) for one in leaving] == ends, "no data after a leave")
        stream.close()
        for gateway in gateways:
            report = sequence_report(numbers(gateway))
            case.check(not any(report.values()), f"{gateway.endpoint}: {report}")
        torn_down_by_others(case, line, relay, family, staying, workers)
        case.wait_until(lambda: SSM[family] not in line.relay.run("ip", f"-{family}", "maddr", "show", "dev", "r0"), 10,
                        "the native join is left", poll=0.1)
        check_sums(case, relay.snapshot(), workers)
        for gateway in gateways:
            gateway.close()

    for gateway in (4, 6):
        joined(case, line, relay, gateway)
    case.figure("stopped with tunnels of all workers", relay.terminate() * 1000, "ms")
    for family in (4, 6):
        case.check(SSM[family] not in line.relay.run("ip", f"-{family}", "maddr", "show", "dev", "r0"), "left at the end")
