"""kill -9 of a relay with --state: the next one goes on with its tunnels, so that data comes again at once and no gateway makes
a new handshake. A state that is damaged, old, or that others may read is refused with one line, and the relay starts empty.

    source ── relay (killed, started again) ══ our own gateways
"""

import time

from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
GATEWAYS = 6
OPTIONS = ["--workers", 2]


def restart(case, line, relay, name: str):
    relay.kill()
    return line.start_relay(*OPTIONS, "--state", case.folder / "relay.state", name=name, control=relay.control)


def run(case):
    line = Line(case)
    state = case.folder / "relay.state"
    relay = line.start_relay(*OPTIONS, "--state", state)
    wanted = {4: (SSM[4], [line.source_address(4)]), 6: (ASM[6], [])}
    gateways = [line.fake_gateway(outer) for outer in (4, 6) for _ in range(GATEWAYS // 2)]
    for gateway in gateways:
        for group, sources in wanted.values():
            gateway.join_channel(group, sources)
    for family, (group, _) in wanted.items():
        line.stream(family, group, rate=300, sizes=(300,))
    case.wait_until(lambda: all(len(one.data) > 10 for one in gateways), 10, "data for all")

    def written() -> float:
        return state.stat().st_mtime if state.exists() else 0.0
    since = time.time()
    case.wait_until(lambda: written() > since, 20, "the state is written")
    case.check(state.stat().st_mode & 0o777 == 0o600, "for its owner alone")
    before = relay.snapshot()
    killed = time.monotonic()
    relay = restart(case, line, relay, "second")
    case.wait_until(lambda: all(one.data[-1][0] > killed + 0.05 for one in gateways), 10, "data again")
    back = [next(at for at, *_ in one.data if at > killed + 0.05) - killed for one in gateways]
    case.figure("killed to data again, the last gateway", max(back), "s")
    after = relay.snapshot()
    case.check({one["endpoint"] for one in before["tunnels"]} == set(tunnels(relay)), "the same tunnels")
    changes = moved(before, after)
    case.check(not {"tunnels_created", "requests_received"} & changes.keys(), f"no new handshake: {changes}")
    since_seconds = {one["endpoint"]: one["since_seconds"] for one in before["tunnels"]}
    for one in after["tunnels"]:
        case.check(one["since_seconds"] >= since_seconds[one["endpoint"]], f"{one} began before")

    # A file that is damaged, or that others may have written, is not believed.
    spoils = {"damaged": lambda: state.write_bytes(state.read_bytes()[:-30] + bytes(30)), "others may use it": lambda: state.chmod(0o644),
              "not that of such a program": lambda: state.write_bytes(b"{}")}
    for number, (why, spoil) in enumerate(spoils.items()):
        since = time.time()
        case.wait_until(lambda at=since: written() > at, 20, "the state is written")
        relay.kill()
        spoil()
        state.chmod(0o644 if "others" in why else 0o600)
        relay = restart(case, line, relay, f"empty{number}")
        case.check(relay.err.count("the relay starts empty") == 1 and why in relay.err, f"{why}: {relay.err}")
        case.check(not tunnels(relay), "it is empty")
        state.unlink(missing_ok=True)
        gateways[0].request(4)
        gateways[0].join_channel(*wanted[4])
        case.wait_until(lambda one=relay: gateways[0].endpoint in tunnels(one), 5, "and serves")
    since = time.time()
    case.wait_until(lambda: written() > since, 20, "the state is written")
    relay.terminate()
    case.check(not state.exists(), "nothing is left after the end")
