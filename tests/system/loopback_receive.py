"""`amt receive` as an ordinary user on the loopback interface, without namespaces: our own relay on 127.x.y.z or ::1.
Every octet, fragments put together, wrong datagrams kept out, `--timeout`, `--duration`, and SIGTERM.

    our relay ══ amt receive
"""

import os
import time

from lib import amt, fake_relay, packets
from lib.multicast import payload
from lib.patience import PATIENCE
from lib.scenario import Skipped
from lib.topology import PORT, SSM, url

NEEDS = {"program"}
PACKETS = 200


def run(case):
    outer = int(case.arguments[0])
    # Another address of 127/8 for each run: nothing else listens there.
    pid = os.getpid()
    address = f"127.{pid >> 8 & 127 | 1}.{pid & 255}.2" if outer == 4 else "::1"
    try:
        relay = case.closing(fake_relay.FakeRelay(None, address))
    except OSError as error:
        raise Skipped(f"no relay can be played on [{address}]:{amt.PORT}: {error.strerror}") from None
    for family in (4, 6):
        source = "10.1.0.1" if family == 4 else "2001:db8:1::1"
        group = SSM[family]
        out = case.folder / f"payload{family}"
        receiver = case.start(["receive", url(group, source), "--relay", address, "-o", out, "--count", PACKETS],
                              f"receive{family}")
        case.wait_until(lambda: relay.wanting(source, group), 10, "membership")
        case.check(relay.problems() == [], str(relay.problems()))

        def send(number, size, fragment=0, port=PORT, from_=source):
            whole = packets.udp_datagram(from_, group, port, payload(1, number, size), ttl=9)
            for piece in packets.fragments(whole, fragment) if fragment else [whole]:
                for endpoint in list(relay.tunnels):
                    relay.send_to(endpoint, amt.data(piece))
        sizes = [16 + 7 * number for number in range(PACKETS - 1)] + [5000]
        for number, size in enumerate(sizes):
            send(number, size, fragment=1024 if size == 5000 else 0)
            if number % 10 == 0:
                send(99_000, 50, port=PORT + 1)          # another port of the group
                send(99_001, 50, from_="10.1.0.2" if family == 4 else "2001:db8:1::2")  # another source
                time.sleep(0.002)
        case.check(receiver.wait(10) == 0, f"status {receiver.status}: {receiver.err}")
        expected = b"".join(payload(1, number, size) for number, size in enumerate(sizes))
        case.check(out.read_bytes() == expected, f"IPv{family}: {out.stat().st_size} octets, {len(expected)} sent")
        case.wait_until(lambda: not relay.tunnels, 2, "it left")
        case.figure(f"IPv{family} in IPv{outer}: octets received", len(expected), "all equal")

    start = time.monotonic()
    silent = case.amt_once(["receive", url(SSM[4], "10.1.0.1"), "--relay", address, "-o", case.folder / "none", "--timeout", 2])
    took = time.monotonic() - start
    case.check(silent.returncode == 1 and 1.5 < took < 5 * PATIENCE, f"--timeout 2 with no data: {silent}, {took:.1f} s")
    start = time.monotonic()
    timed = case.amt_once(["receive", url(SSM[4], "10.1.0.1"), "--relay", address, "-o", case.folder / "none", "--duration", 1])
    took = time.monotonic() - start
    case.check(timed.returncode == 0 and 0.8 < took < 4 * PATIENCE, f"--duration 1: {timed}, {took:.1f} s")
    stopped = case.start(["receive", url(SSM[4], "10.1.0.1"), "--relay", address, "-o", case.folder / "none"], "stopped")
    case.wait_until(lambda: relay.tunnels, 5, "membership")
    took = stopped.terminate()
    case.wait_until(lambda: not relay.tunnels, 2, "left at SIGTERM")
    case.figure("SIGTERM to end", took * 1000, "ms")
    case.check(relay.problems() == [], str(relay.problems()))
