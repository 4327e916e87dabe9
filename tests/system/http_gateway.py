"""A gateway with `--http`: its page's facts, metrics that add up with its status, and its health.

    source ── relay ══ amt gateway (HTTP on [::1]:8080 there)
"""

import json

from lib.http_client import Http
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces"}


def run(case):
    case.need_tun()
    line = Line(case)
    relay = line.start_relay()
    gateway = line.start_gateway(4, "--http", "[::1]:8080")
    http = Http(line.gateway, "::1")
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    line.listener(4, ASM[4])
    line.stream(4, SSM[4], rate=200, sizes=(400,))
    case.wait_until(lambda: listener.count > 50, 10, "data")
    case.check(http.get("/")[0] == 200 and http.get("/nothing")[0] == 404, "paths")
    status = http.json("/status.json")
    case.check(status["role"] == "gateway" and len(status["memberships"]) == 2, f"status {status}")
    only = http.json("/status.json?list=memberships&sort=bytes&top=1&offset=1")["memberships"]
    case.check([one["group"] for one in only] == [ASM[4]], f"the second: {only}")
    case.check(http.json("/history.json")["columns"][2] == "memberships", "history")
    before, samples, after = http.json("/status.json")["counters"], http.samples(), http.json("/status.json")["counters"]
    for name, counter in (('amt_gateway_messages_total{type="request",direction="out"}', "requests_sent"),
                          ('amt_gateway_data_packets_total{direction="in"}', "data_received"),
                          ('amt_gateway_data_bytes_total{direction="out"}', "data_bytes_delivered"),
                          ('amt_gateway_rejects_total{reason="wrong_nonce"}', "reject_wrong_nonce")):
        case.check(before[counter] <= samples[name] <= after[counter], f"{name} {samples[name]}, {counter} {before[counter]}")
    case.check(samples["amt_gateway_memberships"] == 2 and samples["amt_gateway_memberships_silent"] == 1, f"{samples}")
    case.check(samples[f'amt_gateway_relay_connected{{relay="{line.relay_address(4)}:2268"}}'] == 1, f"{samples}")
    case.check(http.get("/healthz")[0] == 200 and http.get("/readyz")[0] == 200, "healthy")
    shown = case.amt_once(["top", "--once", "--control", gateway.control])
    case.check(shown.returncode == 0 and SSM[4] in shown.stdout and "nothing yet" in shown.stdout, f"top: {shown}")
    relay.kill()
    status, _, body = case.wait_until(lambda: (got := http.get("/healthz"))[0] == 503 and got, 60, "unhealthy without a relay")
    failed = [one["name"] for one in json.loads(body)["checks"] if not one["ok"]]
    case.check(failed == ["a relay answers"], f"failed: {failed}")
