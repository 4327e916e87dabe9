"""/etc/resolv.conf as people and programs write it (resolv.conf(5)): link-local servers with their interface, options,
search lists, comments, odd lines, a first server that is dead. A receiver finds the source's relay by it, and a relay that
is given by name.

    source ── relay, name servers (doubles) ══ amt receive
              10.2.0.1, fe80::1 on r1            g0
"""

import socket
import subprocess
import time

from lib import dns_double
from lib.dns_double import A, AAAA, AMTRELAY
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
DEAD = "10.2.0.99"
RELAY = socket.inet_aton("10.2.0.1")
RECORDS = {("1.0.1.10.in-addr.arpa.", AMTRELAY): bytes([10, 0x81]) + RELAY,
           ("relay.example.test.", A): RELAY, ("relay.inner.test.", A): RELAY}
SOON_SECONDS = 2.5

# What the file holds; which server is asked; what of its questions must be so.
FILES = {
    "one server": ("nameserver 10.2.0.1\n", "v4", None),
    "an IPv6 server": ("nameserver 2001:db8:2::1\n", "v6", None),
    "a link-local server with its interface": ("nameserver fe80::1%g0\n", "link", None),
    "use-vc": ("nameserver 10.2.0.1\noptions use-vc\n", "v4", lambda asked: asked.by == "tcp"),
    "use-vc to a link-local server": ("options use-vc\nnameserver fe80::1%g0\n", "link", lambda asked: asked.by == "tcp"),
    "all options at once": ("nameserver 10.2.0.1\noptions timeout:1 attempts:1 rotate edns0 trust-ad single-request ndots:1\n",
                            "v4", None),
    "options that nobody knows": ("options no-such-thing inet6 timeout:99x ndots: :\nnameserver 10.2.0.1\n", "v4", None),
    "as systemd-resolved writes it": ("# This is /run/systemd/resolve/stub-resolv.conf managed by man:systemd-resolved(8).\n"
                                      "# Do not edit.\n\nnameserver 10.2.0.1\noptions edns0 trust-ad\nsearch .\n", "v4", None),
    "comments, blanks and tabs": ("; a comment\n#nameserver 10.2.0.98\n\n   \nnameserver\t10.2.0.1  \n", "v4", None),
    "odd lines": ("nameserver\nnameserver 300.1.2.3\nnameserver nobody\nsortlist 10.0.0.0/8\nlookup file bind\nnonsense\n"
                  "nameserver 10.2.0.1", "v4", None),
    # To the C library the CR is part of the address, and such a line is none.
    "lines that end in CR LF": ("nameserver 10.2.0.1\r\noptions edns0\r\n", "own", None),
    "a search list": ("search nothing.test inner.test\nnameserver 10.2.0.1\n", "v4", None),
    "four servers, the fourth is one too many": (f"nameserver 10.2.0.1\nnameserver 10.2.0.1\nnameserver 10.2.0.1\n"
                                                 f"nameserver {DEAD}\n", "v4", None),
    "the first server dead": (f"nameserver {DEAD}\nnameserver 10.2.0.1\noptions timeout:1\n", "v4", None),
    "the first server dead, link-local": ("nameserver fe80::99%g0\nnameserver fe80::1%g0\noptions timeout:1\n", "link", None),
    "no server named: this host's own": ("options edns0\n", "own", None),
    "an empty file": ("", "own", None),
}


def first_packet(case, line, relay, name: str, *options) -> float:
    """Seconds from the start of a receiver to its first packet."""
    start = time.monotonic()
    receiver = case.start(["receive", url(SSM[4], line.source_address(4)), *options, "-o", case.folder / f"{relay}-out",
                           "--overwrite", "--count", 1], f"receive-{relay}", line.gateway)
    case.wait_until(lambda: receiver.status is not None, 10, f"{name}: a first packet by the relay that is {relay}")
    case.check(receiver.status == 0, f"{name}: {relay}: {receiver.err}")
    return time.monotonic() - start


def run(case):
    line = Line(case)
    line.relay.ip("addr add fe80::1/64 dev r1 nodad")
    line.start_relay()
    servers = {which: case.closing(dns_double.Server(host, address, RECORDS)) for which, host, address in
               (("v4", line.relay, "10.2.0.1"), ("v6", line.relay, "2001:db8:2::1"), ("link", line.relay, "fe80::1%r1"),
                ("own", line.gateway, "127.0.0.1"))}
    resolvers = case.folder / "resolv.conf"
    resolvers.write_text("", encoding="ascii")
    subprocess.run(["mount", "--bind", str(resolvers), "/etc/resolv.conf"], check=True)
    line.stream(4, SSM[4], rate=200)
    for name, (text, which, wanted) in FILES.items():
        resolvers.write_bytes(text.encode("ascii"))
        for one in servers.values():
            one.asked.clear()
        case.within(SOON_SECONDS, f"{name}: first packet by the DNS",
                    lambda what=name: first_packet(case, line, "found", what, "--discover-order", "driad"))
        named = first_packet(case, line, "named", name, "--relay", "relay" if "search nothing" in text else "relay.example.test")
        asked = servers[which].asked
        kinds = {one.kind for one in asked}
        case.check(AMTRELAY in kinds and kinds & {A, AAAA}, f"{name}: this server is asked: {asked}")
        case.check(not wanted or all(wanted(one) for one in asked), f"{name}: asked as the file has it: {asked}")
        case.check(not any(one.asked for other, one in servers.items() if other != which), f"{name}: another server was asked")
        if "search nothing" in text:
            case.check(any(one.name == "relay.inner.test." for one in asked), f"{name}: asked {asked}")
        case.figure(f"{name}: first packet by name", round(named, 2), "s")
