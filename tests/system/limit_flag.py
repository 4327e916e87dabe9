"""A relay at --max-tunnels sets the L flag in Queries to newcomers (R-5.3.3.8-a) and refuses their tunnels; the others go
on. --max-groups bounds one gateway; what it has goes on (R-5.3.3.8-b).

    relay --max-tunnels 1 --max-groups 3 ══ two of our own gateways
"""

from lib import packets
from lib.topology import Line, moved, tunnels

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    relay = line.start_relay("--max-tunnels", 1, "--max-groups", 3, "--max-sources", 2)
    first, second = line.fake_gateway(4), line.fake_gateway(4)
    case.check(not first.request(4).limit, "room: no L flag")
    first.join_channel("239.5.0.1")
    case.wait_until(lambda: first.endpoint in tunnels(relay), 2, "first tunnel")
    case.check(second.request(4).limit, "full: L flag for a newcomer")
    before = relay.snapshot()
    second.join_channel("239.5.0.1")
    case.wait_until(lambda: "reject_tunnel_limit" in moved(before, relay.snapshot()), 2, "refused and counted")
    case.check(set(tunnels(relay)) == {first.endpoint}, "one tunnel")

    before = relay.snapshot()
    for number in range(2, 7):
        first.join_channel(f"239.5.0.{number}")
    case.wait_until(lambda: moved(before, relay.snapshot()).get("reject_group_limit", 0) >= 3, 2, "groups refused")
    case.check(len(tunnels(relay)[first.endpoint]["groups"]) == 3, "three groups")
    first.leave_channel("239.5.0.2")
    first.report(4, [packets.record(packets.ALLOW, "232.5.0.9", [f"10.1.0.{n}" for n in range(1, 6)])])
    case.wait_until(lambda: any(one["group"] == "232.5.0.9" for one in tunnels(relay)[first.endpoint]["groups"]), 2,
                    "room again after a leave")
    [group] = [one for one in tunnels(relay)[first.endpoint]["groups"] if one["group"] == "232.5.0.9"]
    case.check(len(group["sources"]) <= 2, f"sources {group['sources']}")
    first.teardown(4)
    case.wait_until(lambda: not tunnels(relay), 2, "torn down")
    case.check(not second.request(4).limit, "room again: no L flag")
    case.figure("limits", 3, "held")
