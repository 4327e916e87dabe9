"""Relay and gateway on one host, and the gateway's interface is one of the relay's upstreams: what the relay sends comes
back to it. It refuses the interface at the start and later; where nobody told it whose the interface is, it knows the
packets again. Nothing is multiplied, and one warning names both interfaces.

    source ── r0 relay ══ our own gateway
              amt0 ┘└══ gateway on the same host
"""

import time

from lib.multicast import Listener, Source, payload
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces", "tun"}
COUNT = 200


def run(case):
    line = Line(case)
    relay_address = line.relay_address(4)
    case.daemon(["gateway", "--relay", relay_address], "own", line.relay, ready=True)
    alias = f"amt gateway of {relay_address}"
    case.check(alias in line.relay.run("ip", "link", "show", "amt0"), "the gateway says whose the interface is")

    done = case.amt_once(["relay", "--local", relay_address, "--upstream", "r0", "--upstream", "amt0"], line.relay)
    case.check(done.returncode == 1 and "amt0" in done.stderr and alias in done.stderr,
               f"refused at the start: {done.returncode} {done.stderr}")

    # Nobody knows.
    line.relay.ip("link set amt0 alias none")
    relay = line.start_relay("--workers", "2", upstream=("--upstream", "r0", "--upstream", "amt0"))
    for family in (4, 6):
        group, source = SSM[family], line.source_address(family)
        gateway = line.fake_gateway(4)
        gateway.join_channel(group, [source])
        case.closing(Listener(line.relay, "amt0", family, PORT, group=group, sources=[source]))
        case.wait_until(lambda: len([one for one in relay.snapshot()["tunnels"] if one["groups"]]) >= 2, 20,
                        "both gateways have joined")
        sender = case.closing(Source(line.source, "s0", family, address=source, ttl=64))
        stream = 1

        def got():
            return [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner()
                    if int.from_bytes(one.payload[12:16], "big") == stream]
        for number in range(COUNT):
            sender.send(group, PORT, payload(stream, number, 200))
            time.sleep(0.002)
        case.wait_until(lambda: len(got()) >= COUNT, 10, f"all of it, got {len(got())}")
        gateway.catch_up(family)
        case.check(sorted(got()) == list(range(COUNT)), "each once")
        # A program of this host sends out of the gateway's interface, which is an upstream of the relay.
        stream = 2
        own = "10.2.0.1" if family == 4 else "2001:db8:2::1"
        gateway.join_channel(group, [own])
        case.closing(Listener(line.relay, "amt0", family, PORT, group=group, sources=[own]))
        case.wait_until(lambda: relay.snapshot()["counters"]["upstream_joins_missing"] == 0, 5, "joined")
        local = case.closing(Source(line.relay, "amt0", family, address=own, ttl=64))
        case.wait_until(lambda: (local.send(group, PORT, payload(3, 0, 200)),
                                 any(one.source == own for one in gateway.inner()))[1], 10, "the channel", poll=0.1)
        for number in range(COUNT):
            local.send(group, PORT, payload(stream, number, 200))
            time.sleep(0.002)
        case.wait_until(lambda: len(got()) >= COUNT, 10, f"all of it, got {len(got())}")
        gateway.catch_up(family)
        case.check(sorted(got()) == list(range(COUNT)), f"each once, got {len(got())}")
        gateway.teardown(family)
    counters = relay.snapshot()["counters"]
    case.figure("packets that came back", counters["data_returned"])
    case.check(counters["data_returned"] > COUNT, "they came back, and were known again")
    warnings = [line for line in relay.err.splitlines() if "a loop" in line]
    case.check(len(warnings) == 1 and "amt0" in warnings[0] and "r0" in warnings[0], f"one warning names both: {warnings}")

    line.relay.run("ip", "link", "set", "amt0", "alias", alias)
    case.wait_until(lambda: "upstream amt0 is the interface of a gateway of which this relay is the relay" in relay.err,
                    10, "told when it shows later")
