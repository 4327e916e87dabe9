"""`amt gateway --take-over` at speed: a program on amt0 and a host of the LAN count what `amt send` sends, over changes of the gateway.
Arguments: packets a second (default 10000), how often a gateway takes over (default 5).

    amt send ── relay ══ gateway, gateway, ... ─┬─ amt0: a program
                                                └─ l0: a host of a LAN
"""

import struct

from lib.lan import Lan
from lib.multicast import Listener, sequence_report
from lib.topology import PORT, SSM, Line, moved

NEEDS = {"namespaces", "tun"}
PAYLOAD = 200
SEQUENCE = struct.Struct("!8x4xI")


class Counter(Listener):
    """Knows the packets of `amt send` by their numbers, and looks no further."""

    def __init__(self, *arguments, **options):
        self.seen: list[int] = []
        super().__init__(*arguments, **options)

    def handle(self, octets: bytes, peer) -> None:
        self.seen.append(SEQUENCE.unpack_from(octets)[0])


def run(case):
    rate, rounds = (int(one) for one in [*case.arguments, *("10000", "5")[len(case.arguments):]])
    line = Line(case)
    relay = line.start_relay("--workers", 1)
    lan = Lan(case, line, ["viewer"])
    options = ["gateway", "--relay", line.relay_address(4), "--downstream", "l0"]
    control = case.folder / "gateway.sock"
    gateway = case.daemon(options, "gateway0", line.gateway, True, control)
    channel = {"group": SSM[4], "sources": [line.source_address(4)]}
    counters = [case.closing(Counter(host, interface, 4, PORT, **channel))
                for host, interface in ((line.gateway, "amt0"), (lan.hosts["viewer"], "h0"))]
    send = case.start(["send", f"{SSM[4]}:{PORT}", "--interface", "s0", "--source", line.source_address(4), "--rate",
                       rate * PAYLOAD * 8, "--size", PAYLOAD], "send", line.source)
    case.wait_until(lambda: all(one.seen for one in counters), 10, "data for all")
    begun = relay.snapshot()
    for number in range(1, rounds + 1):
        old, gateway = gateway, case.daemon([*options, "--take-over"], f"gateway{number}", line.gateway, True, control)
        case.check(old.wait(10) == 0, f"{old.status}: {old.err}")
        seen = len(counters[1].seen)
        case.wait_until(lambda at=seen: len(counters[1].seen) > at + rate // 2, 20, "data goes on")
    changes = moved(begun, relay.snapshot())
    case.check("requests_received" not in changes, f"{changes}")
    send.terminate()
    for counter in counters:
        counter.drain()
        report = sequence_report(counter.seen)
        case.check(report["duplicated"] == 0 and report["lost"] == 0, f"{report}, {changes}, {gateway.snapshot()['counters']}")
    case.figure("packets to each of two", len(counters[0].seen), f"at {rate} a second over {rounds} changes, 0 lost")
