"""`amt relay --descriptor-store`: at the end it gives sockets and tunnels to systemd (played by this test), and the relay that
is started next goes on with them: no gateway loses a packet, or makes a new handshake.

    source ── relay, stopped and started again ══ our own gateways
"""

import json
import os

from lib.machine import queue_drops
from lib.multicast import Capture, sequence_report, upstream_leaves
from lib.service_manager import Manager
from lib.topology import ASM, SSM, Line, moved

NEEDS = {"namespaces"}
ROUNDS = 5


def numbers(gateway, group: str) -> list[int]:
    return [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner() if one.destination == group]


def snapshot(case, control) -> dict:
    return json.loads(case.amt_once(["status", "--json", "--control", control]).stdout)


def run(case):
    line, manager = Line(case), Manager(case, "amt-relay")
    control = case.folder / "relay.sock"
    options = ["relay", "--local", line.relay_address(4), "--local", line.relay_address(6), "--upstream", "r0", "--workers", 2,
               "--control", control, "--descriptor-store"]
    relay = manager.start("relay0", line.relay, options)
    manager.handle_until("READY=1")
    wanted = {4: (SSM[4], [line.source_address(4)]), 6: (ASM[6], [])}
    gateways = [line.fake_gateway(outer) for outer in (4, 6, 4, 6)]
    streams = [line.stream(family, group, rate=1000, sizes=(300,)) for family, (group, _) in wanted.items()]
    for gateway in gateways:
        for group, sources in wanted.values():
            gateway.join_channel(group, sources)
    case.wait_until(lambda: all(len(one.data) > 10 for one in gateways), 10, "data for all")
    before, dropped = snapshot(case, control), queue_drops()
    upstream = case.closing(Capture(line.source, "s0", outgoing=False))
    for number in range(1, ROUNDS + 1):
        relay = manager.restart(relay, f"relay{number}", line.relay, options)
        seen = len(gateways[0].data)
        case.wait_until(lambda: len(gateways[0].data) > seen + 100, 10, "data goes on")
    for stream in streams:
        stream.close()
    changes = moved(before, snapshot(case, control))
    for gateway in gateways:
        gateway.catch_up(4)
    excused = queue_drops() - dropped
    case.check(not {"requests_received", "tunnels_created", "upstream_drops"} & changes.keys(), f"{changes}")
    for gateway in gateways:
        for group, _ in wanted.values():
            report = sequence_report(numbers(gateway, group))
            case.check(report["duplicated"] == 0 and report["lost"] <= excused, f"{gateway.endpoint} {group}: {report}")
    case.figure("packets to each gateway", sum(one.sent for one in streams), f"over {ROUNDS} restarts")

    case.check(not upstream_leaves(upstream), f"no leave upstream: {upstream_leaves(upstream)}")

    # Systemd starts none, or cannot keep anything: the relay ends as ever.
    os.unlink(manager.path)
    relay.signal(15)
    case.check(relay.wait(5) == 0 and "the tunnels end" in relay.err, relay.err)
    case.check(not control.exists(), "nothing is left")
