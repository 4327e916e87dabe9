"""Resolvers that people have: unbound, dnsmasq, systemd-resolved's stub at 127.0.0.53. By each a receiver finds the relay
that the source's owner names in a signed zone (RFC 8777), and a relay that is given by name; what the signatures are worth
there is what `amt discover` says.

    source, knot ── 10.1/16 ── relay, unbound or dnsmasq ── 10.2.0.0/24 ── amt receive, systemd-resolved
"""

import json
import shutil
import subprocess
import time

from lib import dns
from lib.scenario import Skipped
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
ZONES = {"1.10.in-addr.arpa.": f"1.0 {dns.amtrelay(10, '10.2.0.1')}", "example.net.": "ns A 10.1.0.1\nrelay A 10.2.0.1"}
RESOLVED = "/lib/systemd/systemd-resolved"
PROGRAMS = {"unbound": "unbound", "dnsmasq": "dnsmasq", "resolved": RESOLVED}


def unbound(case, line) -> str:
    dns.Unbound(case, line.relay, "10.2.0.1", "10.1.0.1", ZONES)
    return "nameserver 10.2.0.1\n"


def dnsmasq(case, line) -> str:
    empty = case.folder / "dnsmasq.conf"
    empty.write_text("", encoding="ascii")
    case.program(["dnsmasq", "--keep-in-foreground", f"--conf-file={empty}", "--user=root", "--no-hosts", "--no-resolv",
                  "--listen-address=10.2.0.1", "--bind-interfaces", "--pid-file=", "--log-facility=-",
                  *(f"--server=/{zone}/10.1.0.1" for zone in ZONES)], "dnsmasq", line.relay)
    return "nameserver 10.2.0.1\n"


def resolved(case, line) -> str:
    """The stub before unbound, and the file that it writes for the C library."""
    unbound(case, line)
    config = case.folder / "resolved.conf"
    config.write_text("[Resolve]\nDNS=10.2.0.1\nFallbackDNS=\nDomains=~.\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n", encoding="ascii")
    config.chmod(0o644)
    case.folder.chmod(0o755)
    # It gives its rights away, to a user that only root's namespaces know.
    made = subprocess.run(["install", "-d", "-m", "755", "-o", "systemd-resolve", "-g", "systemd-resolve", "/run/systemd/resolve"], capture_output=True,
                          text=True, check=False)
    if made.returncode != 0:
        raise Skipped(f"systemd-resolved cannot have its user here: {made.stderr.strip()}")
    subprocess.run(["mount", "--bind", str(config), "/etc/systemd/resolved.conf"], check=True)
    case.program([RESOLVED], "resolved", line.gateway)
    stub = "/run/systemd/resolve/stub-resolv.conf"
    case.wait_until(lambda: subprocess.run(["test", "-s", stub], check=False).returncode == 0, 10, "resolved writes its file")
    with open(stub, encoding="ascii") as file:
        text = file.read()
    case.check("nameserver 127.0.0.53" in text and "options edns0 trust-ad" in text, text)
    return text


def run(case):
    which = case.arguments[0]
    if program := dns.missing():
        raise Skipped(f"{program} is not installed")
    if shutil.which(PROGRAMS[which]) is None:
        raise Skipped(f"{which} is not installed")
    line = Line(case)
    line.start_relay()
    knot = dns.Knot(case, line.source, "10.1.0.1", ZONES, set(ZONES))
    case.wait_until(knot.is_serving, 10, "knot serves")
    anchors = case.folder / "anchors"
    anchors.write_text("".join(knot.trust_anchor(zone) for zone in ZONES), encoding="ascii")
    text = {"unbound": unbound, "dnsmasq": dnsmasq, "resolved": resolved}[which](case, line)
    resolvers = case.folder / "resolv.conf"
    resolvers.write_text(text, encoding="ascii")
    subprocess.run(["mount", "--bind", str(resolvers), "/etc/resolv.conf"], check=True)

    def discover(*options) -> dict:
        done = case.amt_once(["discover", "10.1.0.1", "--json", "--timeout", "1s", *options], line.gateway, timeout=60)
        return json.loads(done.stdout)["driad"]
    case.wait_until(lambda: discover("--dnssec", "off")["records"], 20, "the resolver answers")
    found = discover("--trust-anchor", anchors)
    case.check([one["record"] for one in found["records"]] == ["10 1 1 10.2.0.1"], f"{found}")
    case.figure(f"{which}: a signed zone is", found["dnssec"])
    # All three hand on signatures when they are asked for them.
    case.check(found["dnssec"] == "secure", f"{found}")

    line.stream(4, SSM[4], rate=200)
    for name, options in (("DNS", ["--discover-order", "driad", "--trust-anchor", anchors]), ("name", ["--relay", "relay.example.net"])):
        start = time.monotonic()
        receiver = case.start(["receive", url(SSM[4], line.source_address(4)), *options, "-o", case.folder / f"by-{name}",
                               "--count", 1], f"by-{name}", line.gateway)
        case.check(receiver.wait(30) == 0, f"{which}, by {name}: {receiver.err}")
        case.figure(f"{which}: start to first packet, by {name}", f"{time.monotonic() - start:.2f}", "s")
