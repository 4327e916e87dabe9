"""`amt discover` finds the relays that a source's owner names in a signed zone (RFC 8777), asks each, and says in one
line what is wrong with each that does not serve (D-3.4-a, D-3.4-b, D-4.2.1-a, D-4.2.2-a, D-4.2.2-b, D-4.2.4-a,
D-4.2.4-b, D-6.2-a, D-3.2.3-a).

    source, knot ── 10.1/16 ── relay, unbound ── 10.2.0/24 ── amt discover
"""

import json

from lib import dns
from lib.scenario import Skipped
from lib.topology import ASM, Line

NEEDS = {"namespaces"}
REVERSE = "1.10.in-addr.arpa."
WRONG = "9.10.in-addr.arpa."
RESOLVER = "10.2.0.1"
DEAD = "10.2.0.99"
PLAIN = "10.1.255.254"

RECORDS = """
1.0   TYPE260 \\# 6 0581 0a020063
1.0   TYPE260 \\# 6 0a81 0a020001
1.0   TYPE260 \\# 18 1402 20010db8000200000000000000000001
1.0   TYPE260 \\# 22 1e03 0672656c617973076578616d706c65036e657400
1.0   TYPE260 \\# 3 0a7f01
2.0   TYPE260 \\# 2 0a00
3.0   CNAME channel.example.net.
5.0   TYPE260 \\# 6 0a81 0a020063
"""
NAMES = """
ns       A 10.1.0.1
relays   A 10.2.0.1
relays   AAAA 2001:db8:2::1
channel  TYPE260 \\# 6 0a81 0a020001
"""


class Discover:
    def __init__(self, case, line, *options):
        self.case, self.line, self.options = case, line, options

    def __call__(self, source: str, *options) -> tuple[int, dict]:
        done = self.case.amt_once(["discover", source, "--json", "--timeout", "1s", *self.options, *options],
                                  self.line.gateway, timeout=60)
        self.case.check(done.stdout.count("\n") == 1, f"one line of JSON: {done.stdout}{done.stderr}")
        return done.returncode, json.loads(done.stdout)

    def text(self, source: str, *options) -> str:
        return self.case.amt_once(["discover", source, "--timeout", "1s", *self.options, *options],
                                  self.line.gateway, timeout=60).stdout


def wrong_records(case, line, discover) -> None:
    """What is wrong, in one line each"""
    status, report = discover("10.1.0.2")
    case.check(status == 1 and report["driad"]["no_relay"] and not report["relays"], str(report))
    case.check("no relay is to be used" in discover.text("10.1.0.2"), "type 0")
    status, report = discover("10.1.0.3")
    case.check(status == 0 and report["driad"]["canonical_name"].startswith("channel.example.net"), "CNAME")
    text = discover.text("10.1.0.4")
    case.check("no AMTRELAY record for 10.1.0.4 in 4.0.1.10.in-addr.arpa." in text, text)
    text = discover.text("10.1.0.5")
    case.check(f"{DEAD}:2268 (precedence 10, D): does not answer" in text and "no relay would serve" in text, text)
    status, report = discover("10.9.0.1")
    case.check(status == 1 and report["driad"]["dnssec"] == "bogus" and not report["relays"], str(report["driad"]))
    case.check("the signatures are wrong" in report["driad"]["problem"], report["driad"]["problem"])
    status, report = discover("10.9.0.1", "--dnssec", "off")
    case.check(status == 0 and report["driad"]["dnssec"] == "unchecked", "unchecked on demand")

    full = line.fake_gateway(4)
    full.request(4)
    full.join_channel(ASM[4])
    text = case.wait_until(lambda: (t := discover.text("10.1.0.3")) and "L flag" in t and t, 10, "a full relay")
    case.check("refuses new gateways (L flag)" in text and "no relay would serve" in text, text)
    full.teardown(4)


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case)
    line.start_relay("--max-tunnels", 1)
    knot = dns.Knot(case, line.source, "10.1.0.1",
                    {REVERSE: RECORDS, WRONG: "1.0 TYPE260 \\# 6 0a81 0a020001", "example.net.": NAMES},
                    {REVERSE, WRONG, "example.net."})
    dns.Unbound(case, line.relay, RESOLVER, "10.1.0.1", [REVERSE, WRONG, "example.net."])
    anchors = case.folder / "anchors"

    case.wait_until(knot.is_serving, 10, "knot serves")
    # The key of the wrong zone is the right zone's: its signatures fit nothing.
    good = knot.trust_anchor(REVERSE)
    anchors.write_text(good + knot.trust_anchor("example.net.") + good.replace(REVERSE, WRONG), encoding="ascii")
    discover = Discover(case, line, "--resolver", RESOLVER, "--trust-anchor", anchors)
    case.wait_until(lambda: discover("10.1.0.4")[1]["driad"]["problem"] == "no such name", 10, "the resolver answers")

    # Every type; the first that serves is the second in precedence, since the first is dead.
    status, report = discover("10.1.0.1")
    driad = report["driad"]
    case.check(status == 0 and driad["name"] == "1.0.1.10.in-addr.arpa." and driad["dnssec"] == "secure", str(driad))
    case.check([one["record"] for one in driad["records"]] ==
               ["5 1 1 10.2.0.99", "10 1 1 10.2.0.1", "20 0 2 2001:db8:2::1", "30 0 3 relays.example.net."],
               str(driad["records"]))
    case.check(driad["skipped"] == ["unknown relay type"], str(driad["skipped"]))
    states = [(one["target"], one["discovery_optional"], one["state"]) for one in report["relays"]]
    case.check(states[:3] == [("10.2.0.99:2268", True, "no_query"), ("10.2.0.1:2268", True, "serves"),
                              ("[2001:db8:2::1]:2268", False, "serves")], str(states))
    # Precedence and D bit of the name's record carry over to each of its addresses.
    case.check(sorted(states[3:]) == [("10.2.0.1:2268", False, "serves"), ("[2001:db8:2::1]:2268", False, "serves")] and
               {one["precedence"] for one in report["relays"][3:]} == {30}, str(states))
    asked = report["relays"]
    case.check(asked[1]["advertisement_milliseconds"] is None and asked[2]["advertisement_milliseconds"] > 0,
               "an Advertisement where the D bit is 0, none where it is 1")
    case.check(report["chosen"] == "10.2.0.1:2268" and asked[1]["seen_as"].startswith("10.2.0.2:"), str(report["chosen"]))
    case.figure("relays found and asked", len(asked))

    wrong_records(case, line, discover)
    # A resolver that knows no DNSSEC: used all the same, unless signatures are required.
    case.closing(dns.PlainResolver(line.relay, PLAIN, bytes.fromhex("0a810a020001")))
    plain = Discover(case, line, "--resolver", PLAIN, "--trust-anchor", anchors)
    status, report = plain("10.1.0.1")
    case.check(status == 0 and report["driad"]["dnssec"] == "unchecked" and report["chosen"] == "10.2.0.1:2268",
               str(report["driad"]))
    status, report = plain("10.1.0.1", "--dnssec", "require")
    case.check(status == 1 and report["driad"]["dnssec"] == "bogus", str(report["driad"]))

    # Without the DNS
    status, report = discover("--discovery=10.2.0.1")
    case.check(status == 0 and report["driad"] is None and report["chosen"] == "10.2.0.1:2268", str(report))
