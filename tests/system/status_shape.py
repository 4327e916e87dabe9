"""`amt status --json` says what docs promise, of a relay and (where TUN interfaces can be made) of a gateway; `amt status`
says it to people.

    source ── relay ══ our own gateways; amt gateway
"""

import http.client
import json
import numbers
import socket
import urllib.parse

from lib.scenario import tun_problem
from lib.topology import ASM, SSM, Line, tunnels

NEEDS = {"namespaces"}


def common(case, shown: dict, role: str) -> None:
    case.check(shown["role"] == role, f"role {shown['role']}")
    case.check(isinstance(shown["version"], str) and shown["version"], "version")
    case.check(isinstance(shown["uptime_seconds"], numbers.Number) and 0 <= shown["uptime_seconds"] < 600, "uptime_seconds")
    case.check(len(shown["counters"]) > 10, "counters")
    case.check(all(isinstance(value, numbers.Number) for value in shown["counters"].values()), "counters are numbers")


def ask(case, daemon, *arguments) -> dict:
    done = case.amt_once(["status", "--json", "--control", daemon.control, *arguments])
    case.check(done.returncode == 0, f"{arguments}: {done}")
    return json.loads(done.stdout)


def get(daemon, target: str) -> tuple[int, dict]:
    """Over the socket itself, as a program would."""
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(daemon.control))
    connection.request("GET", target)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def lists(case, line, relay, endpoints) -> None:
    """One kind alone, filtered and sorted."""
    only = ask(case, relay, "tunnels")
    case.check(sorted(one["endpoint"] for one in only["tunnels"]) == endpoints, f"tunnels alone: {only}")
    case.check("channels" not in only and "counters" not in only and only["role"] == "relay", f"nothing else: {only}")
    first = ask(case, relay, "tunnels", "--sort", "address", "--top", 2)["tunnels"]
    case.check(len(first) == 2, f"two: {first}")

    def is_sorted() -> bool:
        packets = [one["packets"] for one in ask(case, relay, "tunnels", "--sort", "packets")["tunnels"]]
        # The stream goes on while the rows are read: a packet or two more may be counted in a later row, and many more where
        # the machine is busy with something else in between.
        return len(packets) == len(endpoints) and all(one + 5 >= later for one, later in zip(packets, packets[1:]))
    case.wait_until(is_sorted, 5, "sorted by packets")
    source = line.source_address(4)
    channels = ask(case, relay, "channels", "--address", source)["channels"]
    case.check([(one["group"], one["source"]) for one in channels] == [(SSM[4], source)], f"of a source: {channels}")
    wanted = ask(case, relay, "tunnels", "--group", f"{SSM[4]}/32")["tunnels"]
    case.check(len(wanted) == 2 and all(SSM[4] in json.dumps(one["groups"]) for one in wanted), f"by group: {wanted}")
    nobody = ask(case, relay, "tunnels", "--address", "203.0.113.0/24")
    case.check(nobody["tunnels"] == [] and nobody["tunnels_matched"] == 0 and nobody["tunnel_count"] == 4, f"{nobody}")
    for name in ("tunnels", "channels", "counters"):
        text = case.amt_once(["status", name, "--control", relay.control])
        case.check(text.returncode == 0 and len(text.stdout.splitlines()) > 3, f"{name} for people: {text}")
    for wrong in (["nonsense"], ["--sort", "bytes"], ["tunnels", "--top", "0"], ["tunnels", "--group", "x"]):
        case.check(case.amt_once(["status", *wrong, "--control", relay.control]).returncode == 2, f"usage: {wrong}")
    refused = case.amt_once(["status", "channels", "--sort", "idle", "--control", relay.control])
    case.check(refused.returncode == 1 and "channels have address" in refused.stderr, f"no such key: {refused}")


def pages(case, relay, endpoints) -> None:
    """As a page that is turned over."""
    status, first = get(relay, "/status?channels=0&limit=3")
    got = [one["endpoint"] for one in first["tunnels"]]
    case.check(status == 200 and len(got) == 3 and "channels" not in first, f"first page: {first}")
    status, rest = get(relay, f"/status?limit=3&after={urllib.parse.quote(got[-1])}")
    got += [one["endpoint"] for one in rest["tunnels"]]
    case.check(status == 200 and sorted(got) == endpoints and len(set(got)) == len(got), f"all pages: {got}")
    status, none = get(relay, "/status?tunnels=0")
    case.check(status == 200 and "tunnels" not in none and none["channels"], f"without tunnels: {none}")
    status, wrong = get(relay, "/status?limit=many")
    case.check(status == 400 and "limit=many" in wrong["error"], f"refused: {wrong}")


def gateway_status(case, line) -> None:
    """The same of a gateway."""
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
    [one] = [one for one in shown["memberships"] if one["group"] == SSM[4]]
    case.check(one["packets"] > 0 and one["bytes"] > one["packets"] * 20 and 0 <= one["idle_seconds"] < 5, f"use {one}")
    line.listener(4, ASM[4])
    case.wait_until(lambda: any(one["group"] == ASM[4] for one in gateway.snapshot()["memberships"]), 5, "the other group")
    [one] = [one for one in gateway.snapshot()["memberships"] if one["group"] == ASM[4]]
    case.check((one["packets"], one["bytes"], one["idle_seconds"]) == (0, 0, None), f"nothing came yet: {one}")
    only = ask(case, gateway, "memberships", "--group", SSM[4])
    case.check([one["group"] for one in only["memberships"]] == [SSM[4]] and "relays" not in only, f"one membership: {only}")
    text = case.amt_once(["status", "memberships", "--control", gateway.control])
    case.check(SSM[4] in text.stdout and "none yet" in text.stdout, f"for people: {text}")


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
        case.check(0 <= one["heard_seconds"] <= one["since_seconds"] < 600, f"ages {one}")
    channels = {(one["group"], one["source"]): one for one in shown["channels"]}
    for inner in (4, 6):
        ssm = channels[(SSM[inner], line.source_address(inner))]
        case.check(ssm["tunnels"] == 2 and ssm["packets"] > 0 and ssm["bytes"] > 0, f"channel {ssm}")
        case.check(channels[(ASM[inner], None)]["tunnels"] == 2, "source null where any is wanted")
    text = case.amt_once(["status", "--control", relay.control])
    case.check(text.returncode == 0 and all(endpoint in text.stdout for endpoint in expected), f"for people: {text}")
    lists(case, line, relay, sorted(expected))
    pages(case, relay, sorted(expected))
    case.figure("relay: tunnels and channels shown", f"{len(shown['tunnels'])}, {len(shown['channels'])}")

    if problem := tun_problem():
        case.note(f"gateway not shown: {problem}")
        return
    gateway_status(case, line)
