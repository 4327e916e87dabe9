"""An upstream that is a port of a bridge or a bond gets nothing: the relay says so at the start, and what to name instead.

    relay: eth1 ── br0
"""

NEEDS = {"namespaces"}


def run(case):
    host = case.host("relay")

    def has(kind: str, name: str, *options: str) -> bool:
        """Not every kernel has every kind."""
        host.run("ip", "link", "add", name, "type", kind, *options, check=False)
        if not host.has_link(name):
            case.note(f"no {kind} here")
        return host.has_link(name)
    for kind, master in (("bridge", "br0"), ("bond", "bond0")):
        if not has(kind, master):
            continue
        host.ip("link add eth1 type veth peer name far1", f"link set eth1 master {master}")
        relay = case.start(["relay", "--local", "127.0.0.1", "--upstream", "eth1"], f"relay-{kind}", host)
        case.wait_until(lambda: relay.status is not None, 5, f"a port of a {kind} is refused")
        case.check(relay.status == 1, f"status {relay.status}")
        case.check(f"eth1, a port of the {kind} {master}" in relay.err and f"use --upstream {master}" in relay.err,
                   f"the message: {relay.err}")
        host.ip("link del eth1", f"link del {master}")
    # A VRF leaves an interface its packets.
    if has("vrf", "vrf0", "table", "10"):
        host.ip("link add eth1 type veth peer name far1", "link set eth1 master vrf0", "link set eth1 up",
                "link set far1 up", "link set vrf0 up")
        case.daemon(["relay", "--local", "127.0.0.1", "--upstream", "eth1"], "relay", host)
