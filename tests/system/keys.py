"""`--secret-file` with several keys, shared by two relays: a Query of one vouches for an Update to the other; keys change while
gateways are in the middle of the handshake, and none is refused; a key signs when its time has come.

    two relays (10.2.0.1, 10.2.0.7) ══ our own gateways
"""

import datetime

from lib.topology import SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
KEYS = {name: name * 20 for name in ("one", "two", "six")}


def reload(case, relays) -> None:
    for relay in relays.values():
        done = case.amt_once(["reload", "--control", relay.control])
        case.check(done.returncode == 0, done.stderr)


def mac_of(gateway) -> bytes:
    """The MAC that the relay now gives for one nonce."""
    gateway.messages.clear()
    return gateway.request(4, nonce=7).mac


def run(case):
    line = Line(case)
    line.relay.ip("addr add 10.2.0.7/32 dev r1")
    path = case.folder / "keys"
    write(path, ("one", "-"))
    relays = {address: case.daemon(["relay", "--local", address, "--upstream", "r0", "--secret-file", path],
                                   f"relay-{address}", line.relay) for address in ("10.2.0.1", "10.2.0.7")}
    first, second = relays.values()

    def update_to_the_other(gateway, accepted=True) -> None:
        before = second.snapshot()
        gateway.relay = "10.2.0.7"
        gateway.join_channel(SSM[4], [line.source_address(4)])
        if accepted:
            case.wait_until(lambda: gateway.endpoint in tunnels(second), 5, "an Update under the other's Query")
        else:
            case.wait_until(lambda: "reject_bad_mac" in moved(before, second.snapshot()), 5, "refused")

    def asked(nonce=None):
        gateway = line.fake_gateway(4)
        gateway.request(4, nonce=nonce)
        return gateway
    update_to_the_other(asked())

    # In the middle of handshakes: both keys are accepted, the younger signs.
    mac = {name: b"" for name in KEYS}
    same = line.fake_gateway(4)
    mac["one"] = mac_of(same)
    waiting = [asked() for _ in range(20)]
    write(path, ("one", "-"), ("two", "2020-01-01T00:00:00Z"))
    reload(case, relays)
    mac["two"] = mac_of(same)
    case.check(mac["two"] != mac["one"], "the younger key signs")
    waiting += [asked() for _ in range(20)]
    for gateway in waiting:
        update_to_the_other(gateway)
    case.check(second.snapshot()["counters"]["reject_bad_mac"] == 0, "0 refusals")
    case.figure("Updates across a change of keys", len(waiting), "none refused")

    # Each relay changes by its own clock.
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    write(path, ("one", "-"), ("two", "2020-01-01T00:00:00Z"), ("six", soon.strftime("%Y-%m-%dT%H:%M:%SZ")))
    reload(case, relays)
    case.check(mac_of(same) in (mac["two"], mac["six"]), "not before its time")
    before = first.snapshot()
    late = asked()
    case.wait_until(lambda: mac_of(same) not in (mac["one"], mac["two"]), 10, "its time has come", poll=0.2)
    case.check(moved(before, first.snapshot()).get("secrets_changed", 0) >= 1, "counted")
    update_to_the_other(late)

    # A key that is gone opens nothing new; who has a tunnel keeps it.
    old = asked(nonce=9)
    write(path, ("two", "-"))
    reload(case, relays)
    update_to_the_other(old, accepted=False)
    case.check(waiting[0].endpoint in tunnels(second), "tunnels stay")
    refusals(case, line, path, first)


def refusals(case, line, path, relay) -> None:
    for text, why in ((b"# amt keys\n# but none\n", "has no key"), (b"# amt keys\na - short\n", "line 2: the key is too short"),
                      (b"# amt keys\na 2099-01-01T00:00:00Z 0123456789abcdef\n", "no key signs yet")):
        path.write_bytes(text)
        done = case.amt_once(["reload", "--control", relay.control])
        case.check(done.returncode == 1 and why in done.stderr and b"short\n".decode() not in done.stderr, done.stderr)
        done = case.amt_once(["relay", "--local", "10.2.0.1", "--secret-file", path], line.relay)
        case.check(done.returncode == 2 and why in done.stderr, done.stderr)


def write(path, *keys) -> None:
    text = "# amt keys\n# a comment\n\n" + "".join(f"{name} {since} {KEYS[name]}\n" for name, since in keys)
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)
