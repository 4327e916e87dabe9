"""`amt send` and `amt receive --verify`: numbered, checksummed packets; what is lost, repeated or damaged is said.

    amt send ── relay ══ amt receive --verify --stats json
"""

import json

from lib import packets
from lib.multicast import Capture, RawSource
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
PACKETS = 300


def stats(case, receiver) -> dict:
    lines = [line for line in (receiver.err + receiver.out.decode(errors="replace")).splitlines() if line.startswith("{")]
    case.check(len(lines) == 1, f"one line of JSON: {receiver.err}")
    return json.loads(lines[0])


def run(case):
    line = Line(case)
    relay = line.start_relay()
    for family in (4, 6):
        group, source = SSM[family], line.source_address(family)
        target = f"[{group}]:5000" if family == 6 else f"{group}:5000"
        receiver = line.receive(url(group, source), "--verify", "--stats", "json", "-o", case.folder / f"payload{family}",
                                "--count", PACKETS, "--timeout", 10, name=f"verify{family}")
        case.wait_until(lambda: relay.snapshot()["channels"], 5, "joined")
        sender = case.start(["send", target, "--interface", "s0", "--rate", "2000000", "--size", 500, "--count", PACKETS,
                             "--ttl", 8], f"send{family}", line.source)
        case.check(sender.wait(15) == 0, f"send: {sender.err}")
        case.check(receiver.wait(15) == 0, f"receive: {receiver.status} {receiver.err}")
        got = stats(case, receiver)
        case.check(got["received"] == PACKETS and got["bytes"] == PACKETS * 500, f"{got}")
        case.check(all(got[key] == 0 for key in ("lost", "duplicated", "reordered", "damaged")), f"{got}")
        case.figure(f"IPv{family}", str(got))

    # Now with faults: what the sender sends is recorded, and played again with one packet missing, one twice, two swapped.
    group, source = SSM[4], line.source_address(4)
    capture = case.closing(Capture(line.relay, "r0", outgoing=False))

    def recorded():
        found = [packets.parse(octets) for octets in capture.datagrams()]
        return [one for one in found if one.protocol == packets.UDP and one.destination == group]
    sender = case.start(["send", f"{group}:5000", "--interface", "s0", "--rate", "4000000", "--size", 400, "--count", 60],
                        "send-recorded", line.source)
    case.check(sender.wait(15) == 0, f"send: {sender.err}")
    case.wait_until(lambda: len(recorded()) == 60, 3, "60 packets recorded")
    order = [packets.udp_datagram(source, group, 5000, one.payload[8:], ttl=8) for one in recorded()]
    damaged = bytearray(recorded()[30].payload[8:])
    damaged[-1] ^= 1
    order[30] = packets.udp_datagram(source, group, 5000, bytes(damaged), ttl=8)
    order[10:12] = [order[11], order[10]]
    order.insert(21, order[20])
    del order[40]
    receiver = line.receive(url(group, source), "--verify", "--stats", "json", "-o", case.folder / "faulty",
                            "--count", len(order), "--timeout", 5, name="faulty")
    case.wait_until(lambda: relay.snapshot()["channels"], 5, "joined")
    raw = case.closing(RawSource(line.source, "s0"))
    for one in order:
        raw.send(one)
    case.check(receiver.wait(15) == 1, f"status 1 when packets are lost or damaged: {receiver.status} {receiver.err}")
    got = stats(case, receiver)
    case.figure("with faults", str(got))
    case.check(got["duplicated"] == 1 and got["damaged"] == 1, f"{got}")
    case.check(got["reordered"] >= 1 and 1 <= got["lost"] <= 2, f"{got}")
