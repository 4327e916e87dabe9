"""The first of two resolvers is dead, or one gives no signatures: the source's relay is found soon all the same, and
`amt discover` says at once what it waits for.

    source, knot ── 10.1/16 ── relay, unbound ── 10.2.0.0/24 ── amt receive, amt discover
"""

import socket
import time

from lib import dns, dns_double
from lib.dns_double import AMTRELAY, DNSKEY, DS
from lib.scenario import Skipped
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
DEAD, UNSIGNED = "10.2.0.99", "10.2.0.54"


def run(case):
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    line = Line(case)
    line.start_relay()
    found = dns.SignedZones(case, line, {"1.10.in-addr.arpa.": f"1.0 {dns.amtrelay(10, line.relay_address(4))}"})
    line.stream(4, SSM[4], rate=200)

    def first_packet(*options) -> float:
        start = time.monotonic()
        receiver = case.start(["receive", url(SSM[4], line.source_address(4)), *options, "--discover-order", "driad", "-o",
                               case.folder / "out", "--overwrite", "--count", 1], "receive", line.gateway)
        case.check(receiver.wait(60) == 0 and "(DRIAD, precedence 10)" in receiver.err, receiver.err)
        return time.monotonic() - start
    # Which of the two is asked first is drawn: the worst of several counts.
    case.within(2.5, "start to first packet, the first resolver dead",
                lambda: max(first_packet("--resolver", DEAD, *found.options) for _ in range(3)))
    line.relay.ip(f"addr add {UNSIGNED}/24 dev r1")
    records = {("1.0.1.10.in-addr.arpa.", AMTRELAY): bytes([10, 0x81]) + socket.inet_aton(line.relay_address(4))}
    case.closing(dns_double.Server(line.relay, UNSIGNED, records, silent=(DS, DNSKEY)))
    case.within(2.5, "start to first packet, signatures never come", lambda: first_packet("--resolver", UNSIGNED))

    # Signatures that are required are waited for.
    receiver = case.start(["receive", url(SSM[4], line.source_address(4)), "--resolver", DEAD, *found.options, "--dnssec",
                           "require", "--discover-order", "driad", "-o", case.folder / "required", "--count", 1], "required",
                          line.gateway)
    case.check(receiver.wait(60) == 0, receiver.err)

    # Everything is dead: the first line is there at once, and the log tells what is waited for.
    def first_line(*words) -> float:
        start = time.monotonic()
        discover = case.start(["discover", *words, "--resolver", DEAD], "discover", line.gateway)
        case.wait_until(lambda: discover.out, 1, "a first line of amt discover")
        took = time.monotonic() - start
        awaited = "the DNS" if "--discovery" not in words else f"relay {DEAD}"
        case.check(awaited.encode() in discover.out, f"{discover.out}")
        case.wait_until(lambda: f"waiting for {awaited}" in discover.err, 10, "progress")
        discover.terminate()
        return took
    for words in ([line.source_address(4)], [url(SSM[4], line.source_address(4))], ["--dns-sd-domain", "example.net"],
                  ["--discovery", DEAD]):
        case.within(1, "first line of amt discover, the resolver dead" + "".join(f" {word}" for word in words),
                    lambda what=words: first_line(*what))
