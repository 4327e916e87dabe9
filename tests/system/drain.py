"""`amt drain`: new gateways are refused by the L flag, those that are there go on, and the relay ends when the last has gone or
the time is over; `--announce` tells a routing daemon, also of a relay that is unhealthy or was killed; a drain can be called off.

    source ── relay ══ our own gateways
"""

import json

from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}


def states(path) -> list[str]:
    return path.read_text(encoding="ascii").split() if path.exists() else []


def ends(path) -> dict[str, str]:
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {one["endpoint"]: one["reason"] for one in events if one["event"] == "tunnel-end"}


def run(case):
    line = Line(case)
    sources = [line.source_address(4)]
    line.stream(4, SSM[4], rate=200, sizes=(300,))
    told, hook = case.folder / "told", case.folder / "announce"
    hook.write_text(f"#!/bin/sh\necho $1 >> {told}\n", encoding="ascii")
    hook.chmod(0o755)
    until_the_last_has_gone(case, line, sources, told, hook)
    until_the_time_is_over(case, line, sources)
    unhealthy(case, line, told, hook)


def until_the_last_has_gone(case, line, sources, told, hook) -> None:
    events = case.folder / "events.json"
    relay = line.start_relay("--workers", 2, "--events", events, "--announce", hook)
    leaves, tears_down, before = (line.fake_gateway(4) for _ in range(3))
    for gateway in (leaves, tears_down):
        gateway.join_channel(SSM[4], sources)
    before.request(4)
    case.wait_until(lambda: all(one.data for one in (leaves, tears_down)), 10, "data")
    case.wait_until(lambda: states(told) == ["ready"], 5, "announced")

    done = case.amt_once(["drain", "--control", relay.control])
    case.check(done.returncode == 0 and "2 tunnels" in done.stdout, f"{done}")
    case.wait_until(lambda: states(told) == ["ready", "drain"], 5, "withdrawn")
    case.check(relay.snapshot()["draining"], "the status tells")
    newcomer = line.fake_gateway(4)
    case.check(newcomer.discover(timeout=0.2) is None, "Discovery goes unanswered")
    case.check(newcomer.request(4).limit, "L flag")
    old = relay.snapshot()
    before.join_channel(SSM[4], sources)
    case.wait_until(lambda: "reject_draining" in moved(old, relay.snapshot()), 5, "no new tunnel, also under an older Query")
    seen = len(leaves.data)
    case.wait_until(lambda: len(leaves.data) > seen + 10, 5, "data goes on")

    done = case.amt_once(["drain", "--cancel", "--control", relay.control])
    case.check(done.returncode == 0, f"{done}")
    case.wait_until(lambda: states(told) == ["ready", "drain", "ready"], 5, "announced again")
    case.check(not newcomer.request(4).limit and newcomer.discover() is not None, "new gateways are welcome again")
    newcomer.join_channel(SSM[4], sources)
    case.wait_until(lambda: newcomer.endpoint in tunnels(relay), 5, "a new tunnel")
    newcomer.leave_channel(SSM[4], sources)
    case.wait_until(lambda: newcomer.endpoint not in tunnels(relay), 5, "left")

    case.check(case.amt_once(["drain", "--control", relay.control]).returncode == 0, "drained again")
    leaves.leave_channel(SSM[4], sources)
    case.wait_until(lambda: leaves.endpoint not in tunnels(relay), 5, "one has gone")
    case.check(relay.status is None, "one is left, and the relay runs")
    tears_down.teardown(4)
    case.check(relay.wait(10) == 0, "the last has gone")
    case.wait_until(lambda: states(told) == ["ready", "drain", "ready", "drain", "stop"], 5, f"{states(told)}")
    case.check(ends(events) == {newcomer.endpoint: "left", leaves.endpoint: "moved", tears_down.endpoint: "moved"},
               f"{ends(events)}")


def unhealthy(case, line, told, hook) -> None:
    """While an upstream interface is down, has no carrier, or is gone."""
    told.unlink()
    relay = line.start_relay("--announce", hook, name="unhealthy")
    case.wait_until(lambda: states(told) == ["ready"], 5, "announced")
    for cause, mend in (((line.relay, "link set r0 down"), (line.relay, "link set r0 up")),
                        ((line.source, "link set s0 down"), (line.source, "link set s0 up")),
                        ((line.relay, "link set r0 down name was0"), (line.relay, "link set was0 name r0 up"))):
        told.unlink()
        cause[0].ip(cause[1])
        case.wait_until(lambda: states(told) == ["unhealthy"], 10, f"{cause[1]}: withdrawn")
        mend[0].ip(mend[1])
        case.wait_until(lambda: states(told) == ["unhealthy", "ready"], 10, f"{mend[1]}: announced again")
    # One that is killed cannot say so.
    relay.kill()
    case.wait_until(lambda: states(told) == ["unhealthy", "ready", "stop"], 5, "withdrawn in its place")


def until_the_time_is_over(case, line, sources) -> None:
    events = case.folder / "timeout.json"
    relay = line.start_relay("--workers", 2, "--events", events, name="timeout")
    stays = line.fake_gateway(4)
    stays.join_channel(SSM[4], sources)
    case.wait_until(lambda: stays.data, 10, "data")
    bad = case.amt_once(["drain", "--timeout", "soon", "--control", relay.control])
    case.check(bad.returncode == 2 and "--timeout soon" in bad.stderr, bad.stderr)
    done = case.amt_once(["drain", "--timeout", "500ms", "--control", relay.control])
    case.check(done.returncode == 0, f"{done}")
    case.check(relay.wait(10) == 0, "the time is over")
    case.check(ends(events) == {stays.endpoint: "drained"}, f"{ends(events)}")
    case.check("1 tunnels are left" in relay.err, "the log tells")
    nobody = case.amt_once(["drain", "--control", relay.control])
    case.check(nobody.returncode == 1 and nobody.stderr.count("\n") == 1, nobody.stderr)
