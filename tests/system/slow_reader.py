"""`amt receive` and a reader that stops: packets are dropped whole, SIGTERM still ends it and the relay hears so; when the
reader goes on, so does the stream. Packets above PIPE_BUF, so that a pipe can take a part of one.

    our relay ══ amt receive │ a pipe
"""

import os
import time

from lib import amt, fake_relay, packets
from lib.multicast import payload
from lib.scenario import Skipped
from lib.topology import PORT, SSM, url

NEEDS = {"program"}
SIZE = 5000
SOURCE = "10.1.0.1"


def run(case):
    pid = os.getpid()
    address = f"127.{pid >> 8 & 127 | 1}.{pid & 255}.3"
    try:
        relay = case.closing(fake_relay.FakeRelay(None, address))
    except OSError as error:
        raise Skipped(f"no relay can be played on {address}:{amt.PORT}: {error.strerror}") from None

    def send(numbers):
        for number in numbers:
            whole = packets.udp_datagram(SOURCE, SSM[4], PORT, payload(1, number, SIZE), ttl=9)
            for piece in packets.fragments(whole, 1024):
                for endpoint in list(relay.tunnels):
                    relay.send_to(endpoint, amt.data(piece))
            time.sleep(0.005)

    def start(name):
        pipe = case.folder / f"{name}.pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        program = case.start(["receive", url(SSM[4], SOURCE), "--relay", address, "-o", pipe], name)
        case.wait_until(lambda: relay.wanting(SOURCE, SSM[4]), 10, "membership")
        return program, reader

    def read(reader, last: bytes | None = None) -> bytes:
        """All there is until nothing more comes for a second, or until `last` has come."""
        got, heard = b"", time.monotonic()
        while time.monotonic() - heard < (20 if last else 1) and not (last and last in got):
            try:
                got += os.read(reader, 1 << 16)
                heard = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        return got

    program, reader = start("goes_on")
    send(range(40))
    time.sleep(1)
    got = read(reader)
    send(range(100, 110))
    got += read(reader, last=payload(1, 109, SIZE))
    case.check(len(got) % SIZE == 0, f"{len(got)} octets are no number of whole packets")
    numbers = [number for number in (*range(40), *range(100, 110)) if payload(1, number, SIZE) in got]
    case.check(got == b"".join(payload(1, number, SIZE) for number in numbers), "whole packets, in order")
    case.check(len(numbers) < 50 and set(range(100, 110)) <= set(numbers), f"it goes on: {numbers}")
    program.terminate()
    os.close(reader)
    case.check("too slow" in program.err, f"the loss is told: {program.err}")
    case.figure("packets that a stopped reader lost", 50 - len(numbers), "of 50")

    program, reader = start("stopped")
    send(range(40))
    took = program.terminate()
    case.check(took < 2, f"ended {took:.1f} s after SIGTERM")
    case.wait_until(lambda: not relay.tunnels, 2, "left at SIGTERM")
    case.figure("SIGTERM to end, with a stopped reader", took * 1000, "ms")
    os.close(reader)
