"""`amt receive` with no relay named: it finds one by the AMTRELAY records of the source (RFC 8777) in a signed zone, of every
type, in order of precedence, behind a CNAME; passes over what is dead, full, or delivers nothing; falls back to the
well-known anycast address; and says in one line why where there is none (D-2.1-a, D-3.1.2-a, D-3.1.2-b, D-3.2.1-a, D-3.2.3-a,
D-3.3.4.1-a, D-3.3.5-a, D-3.4-a, D-3.4-b, D-4.2.1-a, D-4.2.2-a, D-4.2.2-b, D-4.2.4-a, D-4.2.4-b, D-6.2-a).

    sources, knot ── 10.1/16 ── relays, unbound ── 10.2.0.0/24 ── amt receive
"""

from lib import dns, fake_gateway
from lib.scenario import Skipped
from lib.topology import ASM, SSM, Line, url

NEEDS = {"namespaces"}
GOOD, FULL, IDLE, AROUND, DEAD = "10.2.0.1", "10.2.0.3", "10.2.0.4", "10.2.0.5", "10.2.0.99"
ANYCAST = "192.52.193.1"
RECORDS = f"""
1.0   {dns.amtrelay(10, GOOD)}
1.0   {dns.amtrelay(20, DEAD)}
2.0   {dns.amtrelay(10, "2001:db8:2::1", direct=False)}
3.0   {dns.amtrelay(10, "relays.example.net")}
4.0   {dns.amtrelay(10, None)}
5.0   CNAME channel.example.net.
6.0   {dns.amtrelay(5, DEAD)}
6.0   {dns.amtrelay(10, GOOD)}
7.0   {dns.amtrelay(5, FULL)}
7.0   {dns.amtrelay(10, GOOD)}
8.0   {dns.amtrelay(5, IDLE)}
8.0   {dns.amtrelay(10, GOOD)}
"""
NAMES = f"""
ns       A 10.1.0.1
relays   A {GOOD}
relays   AAAA 2001:db8:2::1
channel  {dns.amtrelay(10, GOOD)}
"""
# Source, by which relay, what else is said
FOUND = {1: ("10.2.0.1:2268 (DRIAD, precedence 10)", ""), 2: ("[2001:db8:2::1]:2268", ""), 3: ("", "(DRIAD, precedence 10)"),
         5: ("10.2.0.1:2268", ""), 6: ("10.2.0.1:2268", ""), 7: ("10.2.0.1:2268", f"relay {FULL} refuses new gateways (L flag)"),
         8: ("10.2.0.1:2268", "than 10.2.0.4:2268: the relay delivers nothing")}
MISSING = {4: "the owner of 10.1.0.4 says that no relay is to be used", 9: "no AMTRELAY record for 10.1.0.9 in 9.0.1.10.in-addr.arpa."}


def without_dns(case, line) -> None:
    """No name server to ask: the anycast address all the same, unless somebody insists."""
    def unresolved(name: str, *options):
        words = [case.amt, "receive", url(SSM[4], "10.1.0.9"), "-o", case.folder / name, "--count", 30, "--timeout", 15, *options]
        return case.program(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc && exec "$@"', "sh",
                             *(str(word) for word in words)], name, line.gateway)

    process = unresolved("unresolved")
    case.check(process.wait(20) == 0 and f"through relay {AROUND}:2268 (anycast)" in process.err, process.err)
    case.check("the DNS is not asked for relays: /etc/resolv.conf: " in process.err, process.err)
    process = unresolved("insists", "--dnssec", "require")
    case.check(process.wait(20) != 0 and process.err.count("\n") <= 2 and "/etc/resolv.conf" in process.err, process.err)

    # A resolver that is silent, and no way to a relay: what is known of either, in one line.
    process = case.start(["receive", url(SSM[4], "10.1.0.9"), "--resolver", DEAD, "--discover-order", "driad", "-o",
                          case.folder / "silent", "--timeout", 3], "silent", line.gateway)
    case.check(process.wait(20) == 1 and "nothing arrived for 3 s: the DNS has not answered yet" in process.err, process.err)
    line.gateway.ip("route del default")
    process = case.start(["receive", url(SSM[4], "10.1.0.9"), "--relay", "192.0.2.1", "-o", case.folder / "no_route",
                          "--timeout", 3], "no_route", line.gateway)
    case.check(process.wait(20) == 1, process.err)
    told = [one for one in process.err.splitlines() if "192.0.2.1:2268 cannot be reached from here: Network is unreachable" in one]
    case.check(len(told) == 2 and "nothing arrived" in told[1], process.err)


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case, sources=9)
    line.relay.ip(f"addr add {FULL}/24 dev r1", f"addr add {IDLE}/24 dev r1", f"addr add {AROUND}/24 dev r1",
                  f"addr add {ANYCAST}/32 dev lo",
                  "link add idle0 type veth peer name idle1", "link set idle0 up", "link set idle1 up")
    good = line.start_relay()
    case.daemon(["relay", "--local", FULL, "--upstream", "r0", "--max-tunnels", 1], "full", line.relay)
    case.daemon(["relay", "--local", IDLE, "--upstream", "idle0"], "idle", line.relay)
    full = case.closing(fake_gateway.FakeGateway(line.gateway, FULL))
    full.request(4)
    full.join_channel(ASM[4])
    found = dns.SignedZones(case, line, {"1.10.in-addr.arpa.": RECORDS, "example.net.": NAMES,
                                         "9.10.in-addr.arpa.": f"1.0 {dns.amtrelay(10, GOOD)}"}, wrong="9.10.in-addr.arpa.")
    for number in {*FOUND, *MISSING}:
        line.stream(4, SSM[4], number=number, rate=100)

    def receive(source: str | None, name: str, *options, group=SSM[4], timeout=15):
        return case.start(["receive", url(group, source), *found.options, "-o", case.folder / name, "--count", 30, "--timeout",
                           timeout, *options], name, line.gateway)

    started = {number: receive(line.source_address(4, number), f"source{number}") for number in FOUND}
    for number, process in started.items():
        relay, said = FOUND[number]
        case.check(process.wait(40) == 0, f"source {number}: {process.err}")
        case.check(f"10.1.0.{number} through relay {relay}" in process.err and said in process.err, f"{number}: {process.err}")
    case.figure("sources received through relays that were found", len(started))
    case.wait_until(lambda: not good.snapshot()["tunnels"], 5, "all relays are let go")

    for number, said in MISSING.items():
        process = receive(line.source_address(4, number), f"missing{number}", timeout=3)
        case.check(process.wait(20) == 1 and said in process.err, f"source {number}: {process.err}")
        case.check(any("nothing arrived" in one and said in one for one in process.err.splitlines()), f"one line: {process.err}")
    process = receive("10.9.0.1", "wrong", timeout=3)
    case.check(process.wait(20) == 1 and "the signatures are wrong" in process.err, process.err)

    # Whoever has no record, and any source: the relay at the anycast address.
    case.daemon(["relay", "--local", AROUND, "--discovery", ANYCAST, "--upstream", "r0"], "anycast", line.relay)
    line.stream(4, ASM[4], rate=100)
    default = [receive("10.1.0.9", "default"), receive(None, "any", group=ASM[4]),
               receive("10.1.0.1", "anycast_first", "--discover-order", "anycast,driad")]
    for process in default:
        case.check(process.wait(20) == 0 and f"through relay {AROUND}:2268 (anycast)" in process.err, process.err)
    process = receive("10.1.0.9", "without", "--discover-order", "driad", timeout=3)
    case.check(process.wait(20) == 1 and MISSING[9] in process.err, process.err)

    without_dns(case, line)
