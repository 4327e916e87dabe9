"""What the gateway must not pass to its interface: datagrams that nobody joined, sources that are filtered, wrong relays
and ports, inner datagrams that are no multicast or damaged. What was asked for passes all the while.

    our relay, and strangers ══ gateway ── amt0 ── listener and capture
"""

import time

from lib import amt, fake_relay, packets
from lib.multicast import Capture, payload
from lib.topology import ASM, PORT, SSM, Line, moved

NEEDS = {"namespaces", "tun"}


def run(case):
    line = Line(case)
    relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(4)))
    stranger = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(4), port=2269))
    gateway = line.start_gateway(4)
    capture = case.closing(Capture(line.gateway, "amt0", outgoing=False))
    for family in (4, 6):
        source, other = line.source_address(family), line.source_address(family, 9)
        group = SSM[family]
        listener = line.listener(family, group, [source])
        case.wait_until(lambda: relay.wanting(source, group), 10, "membership")
        [endpoint] = relay.wanting(source, group)

        def data(from_, to, number, port=PORT):
            return packets.udp_datagram(from_, to, port, payload(1, number, 200))
        damaged = bytearray(data(source, group, 7))
        damaged[-1] ^= 1
        truncated = data(source, group, 8)[:-20]
        unicast = "192.0.2.5" if family == 4 else "2001:db8::5"
        wrong = {
            "another source": (relay, amt.data(data(other, group, 1))),
            "another group": (relay, amt.data(data(source, ASM[family], 2))),
            "a unicast destination": (relay, amt.data(data(source, unicast, 3))),
            "from another port": (stranger, amt.data(data(source, group, 4))),
            "version 1": (relay, b"\x16\0" + data(source, group, 5)),
            "empty Data": (relay, b"\x06\0"),
            "no IP": (relay, b"\x06\0" + b"\xff" * 60),
            "wrong UDP checksum": (relay, amt.data(bytes(damaged))),
            "truncated inner datagram": (relay, amt.data(truncated)),
        }
        for number, (what, (sender, octets)) in enumerate(wrong.items()):
            capture.seen.clear()
            before = gateway.snapshot()
            sender.send_to(endpoint, octets)
            good = data(source, group, 100 + number)
            relay.send_to(endpoint, amt.data(good))
            case.wait_until(lambda: good in capture.datagrams(), 3, f"IPv{family}: the good one after {what}")
            time.sleep(0.02)
            extra = [one for one in capture.datagrams() if one != good and packets.parse(one).ttl != 1]
            case.check(not extra, f"IPv{family}: {what} reached amt0: {extra[0].hex() if extra else ''}")
            changes = [name for name in moved(before, gateway.snapshot()) if "reject" in name or "drop" in name]
            case.check(changes, f"IPv{family}: {what} is counted: {moved(before, gateway.snapshot())}")
            case.note(f"IPv{family}: {what}: {', '.join(changes)}")
        case.check(listener.damaged == 0 and listener.origins() == {source}, "the listener saw only what it wanted")
        case.figure(f"IPv{family} kinds kept out", len(wrong))
        listener.close()
