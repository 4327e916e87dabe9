"""`amt receive` with no relay named finds the one that its own network names by DNS-SD, in a domain that was given, that the host
looks names up in, or that its subnet's reverse zone names: in order of SRV priority, past what is dead, at the record's port,
for any source, and before the relay of the source's owner; goes to that one where its network's delivers nothing; moves when the
records change; and says in one line why where there is none (D-3.1.1-a, D-3.1.2-a, D-3.1.2-e, D-3.2.2-b, D-3.3.2-b,
D-3.3.4.1-a).

    sources, knot ── 10.1/16 ── relays, unbound ── 10.2.0.0/24 ── amt receive
"""

import json

from lib import dns
from lib.multicast import sequence_report
from lib.scenario import Skipped
from lib.topology import ASM, SSM, Line, tunnels, url

NEEDS = {"namespaces"}
OWNER, FIRST, SECOND, ELSEWHERE, IDLE, DEAD = "10.2.0.1", "10.2.0.3", "10.2.0.4", "10.2.0.5", "10.2.0.6", "10.2.0.99"
PORT = 22680
HOSTS = f"""
ns         A 10.1.0.1
first      A {FIRST}
first      AAAA 2001:db8:2::3
second     A {SECOND}
elsewhere  A {ELSEWHERE}
idle       A {IDLE}
dead       A {DEAD}
"""


def zone(moving: str) -> str:
    return (HOSTS + dns.services("site", (20, 2268, "second"), (10, 2268, "first")) + dns.services("dead", (1, 2268, "dead"), (2, 2268, "second"))
            + dns.services("port", (0, PORT, "elsewhere")) + dns.services("idle", (0, 2268, "idle")) + dns.services("gone", (0, 0, "first"))
            + dns.services("nameless", (0, 2268, "nobody")) + dns.services("moving", (0, 2268, moving), ttl=10)
            + "lb._dns-sd._udp.list PTR site\n")


# Domain, by which relay
FOUND = {"site": FIRST, "dead": SECOND, "port": f"{ELSEWHERE}:{PORT}", "idle": OWNER}
MISSING = {"none": "no relay by DNS-SD: no _amt._udp in none.example.",
           "gone": r"relay\032no\.0._amt._udp.gone.example.: says that no relay is there",
           "nameless": r"relay\032no\.0._amt._udp.nameless.example.: no such name"}


def moved_records(case, line, first, second, found, receive) -> None:
    """Other records: the relay that is named now is moved to, without loss or duplicate, once the old record's life has ended."""
    listener = line.listener(4, interface="lo", port=6000)
    receive("moving", "--dns-sd-domain", "moving.example", number=2, output="udp://127.0.0.1:6000")
    case.wait_until(lambda: listener.count >= 200, 15, "data by the first")
    case.check(len(tunnels(first)) == 1 and not tunnels(second), "the first alone is used")
    found.knot.replace("example.", zone("second"))
    case.wait_until(lambda: tunnels(second) and not tunnels(first), 40, "the second is used alone")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + 200, 15, "data by the second")
    report = sequence_report(listener.numbers())
    case.check(not any(report.values()) and listener.damaged == 0, f"{report}")


def discover_report(case, line, found) -> None:
    """What `amt discover` says of it"""
    def discover(*words) -> str:
        return case.amt_once(["discover", *found.options, "--timeout", "1s", *words], line.gateway, timeout=60).stdout

    report = json.loads(discover("10.1.0.1", "--json", "--dns-sd-domain", "dead.example", "--dns-sd-domain", "none.example"))
    service = report["dns_sd"]
    case.check([(one["name"], one["instances"], one["dnssec"]) for one in service["domains"]] ==
               [("dead.example.", 2, "secure"), ("none.example.", 0, "secure")], str(service))
    case.check({(one["srv"], *one["addresses"]) for one in service["instances"]} ==
               {("1 0 2268 dead.example.", DEAD), ("2 0 2268 second.example.", SECOND)}, str(service))
    asked = [(one["target"], one["origin"], one["state"]) for one in report["relays"]]
    case.check(asked == [(f"{DEAD}:2268", "DNS-SD", "no_advertisement"), (f"{SECOND}:2268", "DNS-SD", "serves"),
                         (f"{OWNER}:2268", "DRIAD", "serves")], str(asked))
    case.check(report["chosen"] == f"{SECOND}:2268", str(report["chosen"]))
    text = discover("--dns-sd-domain", "port.example")
    case.check(f"{ELSEWHERE}:{PORT} (DNS-SD, relay" in text and f"would use {ELSEWHERE}:{PORT}" in text, text)
    text = discover("10.1.0.2", "--dns-sd-domain", "none.example")
    case.check("_amt._udp.none.example.: no such name\n" in text and "no relay would serve this host" in text, text)
    text = discover("10.1.0.2")
    case.check("_amt._udp.site.example.: 2 records, DNSSEC secure" in text, text)


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case, sources=2)
    line.relay.ip(*(f"addr add {address}/24 dev r1" for address in (FIRST, SECOND, ELSEWHERE, IDLE)),
                  "addr add 2001:db8:2::3/64 dev r1", "link add idle0 type veth peer name idle1", "link set idle0 up",
                  "link set idle1 up")
    line.start_relay()
    first = case.daemon(["relay", "--local", FIRST, "--upstream", "r0"], "first", line.relay)
    second = case.daemon(["relay", "--local", SECOND, "--upstream", "r0"], "second", line.relay)
    case.daemon(["relay", "--local", ELSEWHERE, "--relay-port", PORT, "--upstream", "r0"], "elsewhere", line.relay)
    case.daemon(["relay", "--local", IDLE, "--upstream", "idle0"], "idle", line.relay)
    # Source 1 has a relay of its owner's, source 2 has none.
    found = dns.SignedZones(case, line, {"example.": zone("first"), "1.10.in-addr.arpa.": f"1.0 {dns.amtrelay(10, OWNER)}\n",
                                         "2.10.in-addr.arpa.": "lb._dns-sd._udp.0.0 PTR site.example.\n"})
    for number in (1, 2):
        line.stream(4, SSM[4], number=number, rate=200)
    line.stream(4, ASM[4], rate=200)

    def receive(name: str, *options, number: int | None = 1, output=None, group=SSM[4], timeout=15):
        source = line.source_address(4, number) if number else None
        bound = [] if output else ["--count", 30, "--timeout", timeout]
        return case.start(["receive", url(group, source), *found.options, "-o", output or case.folder / name, *bound, *options],
                          name, line.gateway)

    def through(process, relay: str, origin="DNS-SD"):
        case.check(process.wait(40) == 0, process.err)
        endpoint = relay if ":" in relay else f"{relay}:2268"
        case.check(f"through relay {endpoint} ({origin}" in process.err, process.err)

    # The name has an IPv6 address, too, which is as good; where only the relay's IPv4 address serves, that is taken.
    started = {domain: receive(domain, "--dns-sd-domain", f"{domain}.example") for domain in FOUND}
    advised = receive("advised")
    any_source = receive("any", "--dns-sd-domain", "site.example.", number=None, group=ASM[4])
    driad_first = receive("driad", "--dns-sd-domain", "site.example", "--discover-order", "driad,dnssd")
    unknown = receive("unknown", "--dns-sd-domain", "none.example", "--dns-sd-domain", "printers.local")
    for domain, relay in FOUND.items():
        through(started[domain], relay, "DRIAD" if domain == "idle" else "DNS-SD")
    case.check("through relay 10.2.0.6:2268 (DNS-SD)" in started["idle"].err and "delivers nothing" in started["idle"].err,
               started["idle"].err)
    through(advised, FIRST)
    through(any_source, FIRST)
    through(driad_first, OWNER, "DRIAD")
    through(unknown, OWNER, "DRIAD")
    case.figure("channels received", len(FOUND) + 4)
    case.env["LOCALDOMAIN"] = "site.example"
    through(receive("searched", number=2), FIRST)
    del case.env["LOCALDOMAIN"]

    # Without, in one line
    started = {domain: receive(f"missing-{domain}", "--dns-sd-domain", f"{domain}.example", number=2, timeout=3)
               for domain in MISSING}
    for domain, said in MISSING.items():
        process = started[domain]
        case.check(process.wait(20) == 1, process.err)
        case.check(any("nothing arrived" in one and said in one for one in process.err.splitlines()), process.err)

    discover_report(case, line, found)
    moved_records(case, line, first, second, found, receive)
