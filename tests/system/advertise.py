"""A relay behind 1:1 NAT names in its Advertisements the address by which gateways reach it, once for each family.

    gateway (a double) ── relay
"""

from lib.topology import Line

NEEDS = {"namespaces"}
NAMED = {4: "198.51.100.7", 6: "2001:db8:7::7"}


def run(case):
    line = Line(case)
    line.start_relay("--advertise", NAMED[4], "--advertise", NAMED[6])
    for family in (4, 6):
        answer = line.fake_gateway(family).discover()
        case.check(answer and answer[1].relay == NAMED[family], f"IPv{family}, the advertised address: {answer}")
    done = case.amt_once(["relay", "--advertise", NAMED[4], "--advertise", "198.51.100.8"], line.relay)
    case.check(done.returncode == 2 and "--advertise" in done.stderr and "198.51.100.8" in done.stderr, done.stderr)
