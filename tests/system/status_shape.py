"""`amt status --json` says what docs promise, of a relay and (where TUN interfaces can be made) of a gateway; `amt status`
says it to people.

    source ── relay ══ our own gateways; amt gateway
"""

import json
import numbers

from lib.scenario import tun_problem
from lib.topology import ASM, SSM, Line, tunnels

NEEDS = {"namespaces"}


def common(case, shown: dict, role: str) -> None:
    case.check(shown["role"] == role, f"role {shown['role']}")
    case.check(isinstance(shown["version"], str) and shown["version"], "version")
    case.check(isinstance(shown["uptime_seconds"], numbers.Number) and 0 <= shown["uptime_seconds"] < 600, "uptime_seconds")
    case.check(len(shown["counters"]) > 10, "counters")
    case.check(all(isinstance(value, numbers.Number) for value in shown["counters"].values()), "counters are numbers")


def run(case):
    line = Line(case)
    relay = line.start_relay()
    empty = relay.snapshot()
    common(case, empty, "relay")
    case.check(empty["tunnels"] == [] and empty["channels"] == [], "empty lists at the start")
    expected = {}
    for outer in (4, 6):
        for inner in (4, 6):
            gateway = line.fake_gateway(outer)
            source = line.source_address(inner)
            gateway.join_channel(SSM[inner], [source])
            gateway.join_channel(ASM[inner])
            expected[gateway.endpoint] = (outer, {SSM[inner]: ("include", [source]), ASM[inner]: ("exclude", [])}, gateway)
            line.stream(inner, SSM[inner], rate=100, sizes=(400,))
    case.wait_until(lambda: set(tunnels(relay)) == set(expected), 5, f"tunnels {sorted(expected)}")
    case.wait_until(lambda: all(len(gateway.data) > 10 for *_, gateway in expected.values()), 5, "data")
    case.wait_until(lambda: all(one["packets"] > 10 for one in tunnels(relay).values()), 3, "packets of every tunnel")
    shown = relay.snapshot()
    for one in shown["tunnels"]:
        outer, groups, _ = expected[one["endpoint"]]
        case.check(str(one["family"]) in (str(outer), f"ipv{outer}", f"IPv{outer}"), f"family {one['family']}")
        got = {group["group"]: (group["mode"], group["sources"]) for group in one["groups"]}
        case.check(got == groups, f"groups {got}, expected {groups}")
        case.check(one["bytes"] >= one["packets"] * 400, f"bytes {one['bytes']} of {one['packets']} packets")
        case.check(0 < one["expires_seconds"] <= 300, f"expires_seconds {one['expires_seconds']}")
    channels = {(one["group"], one["source"]): one for one in shown["channels"]}
    for inner in (4, 6):
        ssm = channels[(SSM[inner], line.source_address(inner))]
        case.check(ssm["tunnels"] == 2 and ssm["packets"] > 0 and ssm["bytes"] > 0, f"channel {ssm}")
        case.check(channels[(ASM[inner], None)]["tunnels"] == 2, "source null where any is wanted")
    text = case.amt_once(["status", "--control", relay.control])
    case.check(text.returncode == 0 and all(endpoint in text.stdout for endpoint in expected), f"for people: {text}")
    case.figure("relay: tunnels and channels shown", f"{len(shown['tunnels'])}, {len(shown['channels'])}")

    if problem := tun_problem():
        case.note(f"gateway not shown: {problem}")
        return
    gateway = line.start_gateway(4)
    source = line.source_address(4)
    listener = line.listener(4, SSM[4], [source])
    case.wait_until(lambda: listener.count > 50, 10, "data")
    shown = gateway.snapshot()
    common(case, shown, "gateway")
    [one] = shown["relays"]
    case.check(one["address"].split(":")[0] == line.relay_address(4), f"address {one['address']}")
    case.check(isinstance(one["state"], str) and one["packets"] > 0 and one["bytes"] > 0, f"relay {one}")
    case.check(SSM[4] in json.dumps(shown["memberships"]) and source in json.dumps(shown["memberships"]),
               f"memberships {shown['memberships']}")
    case.figure("gateway: state", one["state"])
