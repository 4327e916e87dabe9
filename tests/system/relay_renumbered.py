"""The relay's host gets other addresses while it serves (another lease, another prefix): a relay without --local serves those
of the default routes as they are now; of one that was given, the log says when it is lost, and the relay is there again when
it comes back.

    source ── r0  relay  r1 ── gateways (doubles)
"""

from lib import fake_gateway
from lib.topology import SSM, Line, tunnels

NEEDS = {"namespaces"}
FIRST = {4: "10.2.0.1", 6: "2001:db8:2::1"}
SECOND = {4: "10.2.0.71", 6: "2001:db8:2::71"}


def advertised(line, address: str) -> str | None:
    """What an Advertisement from there names."""
    gateway = line.case.closing(fake_gateway.FakeGateway(line.gateway, address))
    answer = gateway.discover()
    return answer[1].relay if answer else None


def by_route(case, line):
    line.relay.ip("route add default via 10.2.0.2", "route add ::/0 via 2001:db8:2::2")
    relay = case.daemon(["relay", "--upstream", "r0"], "relay", line.relay)
    case.check({family: advertised(line, FIRST[family]) for family in (4, 6)} == FIRST, "the first addresses")
    for family, length in ((4, 24), (6, 64)):
        line.relay.ip(f"addr del {FIRST[family]}/{length} dev r1")
        line.relay.ip(f"addr add {SECOND[family]}/{length} dev r1" + (" nodad" if family == 6 else ""))
        line.relay.ip("route replace default via 10.2.0.2" if family == 4 else "route replace ::/0 via 2001:db8:2::2")
        case.wait_until(lambda: any("the relay serves" in text and SECOND[family] in text for text in relay.err.splitlines()), 10,
                        f"IPv{family}: the change is told")
        case.check(advertised(line, SECOND[family]) == SECOND[family], f"IPv{family}: the new address is served, and named")
    gateway = case.closing(fake_gateway.FakeGateway(line.gateway, SECOND[4]))
    gateway.join_channel(SSM[4], [line.source_address(4)])
    line.stream(4, SSM[4], rate=100)
    case.wait_until(lambda: len(gateway.data) > 20, 10, "data from the new address")
    case.check(gateway.endpoint in tunnels(relay), f"{tunnels(relay)}")
    relay.terminate()


def given(case, line):
    relay = case.daemon(["relay", "--local", SECOND[4], "--upstream", "r0"], "given", line.relay)
    case.check(advertised(line, SECOND[4]) == SECOND[4], "the address that was given")
    line.relay.ip(f"addr del {SECOND[4]}/24 dev r1")
    case.wait_until(lambda: f"{SECOND[4]} is no address of this host any more" in relay.err, 5, "the loss is told")
    line.relay.ip(f"addr add {SECOND[4]}/24 dev r1")
    case.wait_until(lambda: f"{SECOND[4]} is an address of this host again" in relay.err, 5, "and the return")
    case.check(advertised(line, SECOND[4]) == SECOND[4], "it is served again")
    relay.terminate()


def run(case):
    line = Line(case)
    by_route(case, line)
    given(case, line)
