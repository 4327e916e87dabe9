"""What `amt serve` costs for each of a thousand viewers, against a loop that does no more than it must.

    a relay, played ══ `amt serve`, or the loop, one core to itself ── HTTP ── 1000 viewers, another core

One channel of 8 Mbit/s, in real time, by turns to either side; each viewer reads at once what comes. Both send what has come to all
viewers every 40 ms. The loop gets the same datagrams by plain UDP.
"""

import os
import socket
import subprocess
import time
from dataclasses import replace

from bed import Run, cpu_seconds, pin, pooled_rate, settled
from lib import amt, http_streams, loopback, packets
from lib import transport_stream as ts
from lib.loopback import GROUP, PORT, SOURCE
from rounds import ROUNDS, TURNS, compare, take_turns

VIEWERS = 1000
BITS_PER_SECOND = 8_000_000
DATAGRAM = 7 * ts.PACKET
# Ten times what both sides gather.
TURN_SECONDS = 0.4
TURN_DATAGRAMS = int(TURN_SECONDS * BITS_PER_SECOND / 8 / DATAGRAM)
PATH = f"/amt/{SOURCE}@{GROUP}:{PORT}"
UNIT = "MB/s of CPU"


class Crowd:
    """`bench_http_viewers`."""

    def __init__(self, tools, port: int, cpu: int):
        self._process = subprocess.Popen([f"{tools}/bench_http_viewers", f"127.0.0.1:{port}", PATH, str(VIEWERS)],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pin(self._process.pid, {cpu})

    def wait_joined(self) -> None:
        if self._process.stdout.readline() != "joined\n":
            raise AssertionError(f"the viewers ended with {self._process.wait()}")

    def _ask(self, what: str) -> list[int]:
        self._process.stdin.write(what)
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError(f"the viewers ended with {self._process.wait()}")
        return [int(word) for word in answer.split()]

    def count(self) -> int:
        return self._ask("c")[0]

    def spread(self) -> list[int]:
        return self._ask("m")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(10)


class Side:
    """One that serves: how it is sent a datagram, and who watches."""

    def __init__(self, tools, pid: int, port: int, cpu: int, send):
        self.pid, self.send, self.crowd = pid, send, Crowd(tools, port, cpu)

    def turn(self, datagrams) -> Run:
        before, cpu_before, start = self.crowd.count(), cpu_seconds(self.pid), time.monotonic()
        for number in range(TURN_DATAGRAMS):
            time.sleep(max(start + number * DATAGRAM * 8 / BITS_PER_SECOND - time.monotonic(), 0))
            self.send(next(datagrams))
        received = settled(self.crowd.count) - before
        return Run(TURN_DATAGRAMS * DATAGRAM * VIEWERS, received, cpu_seconds(self.pid) - cpu_before, time.monotonic() - start)


def endless():
    # With two tables, a group is 46 datagrams.
    sender = ts.Sender(pictures=40, packets_each=8)
    while True:
        group = sender.group()
        yield from (group[at:at + DATAGRAM] for at in range(0, len(group), DATAGRAM))


def start_serve(case, tools, own_cpu: int, other_cpu: int) -> Side:
    player = loopback.Player(case)
    port = http_streams.free_port()
    serve = case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address], "serve")
    serve.wait_ready()
    pin(serve.pid, {own_cpu})

    def send(payload: bytes) -> None:
        player.relay.send_to(endpoint, amt.data(packets.udp_datagram(SOURCE, GROUP, PORT, payload, ttl=9)))
    side = Side(tools, serve.pid, port, other_cpu, send)
    player.wait_joined()
    endpoint = player.relay.wanting(SOURCE, GROUP)[0]
    side.status = lambda: http_streams.status("127.0.0.1", port)
    return side


def start_loop(case, tools, own_cpu: int, other_cpu: int) -> Side:
    udp, port = http_streams.free_port(), http_streams.free_port()
    loop = case.program([f"{tools}/bench_http_fan", f"127.0.0.1:{udp}", f"127.0.0.1:{port}"], "http_fan")
    case.wait_until(lambda: loop.out == b"ready\n", 10, "the loop")
    pin(loop.pid, {own_cpu})
    out = case.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    return Side(tools, loop.pid, port, other_cpu, lambda payload: out.sendto(payload, ("127.0.0.1", udp)))


def viewers(case, tools, name, end):
    cpus = sorted(os.sched_getaffinity(0))
    own_cpu, other_cpu = cpus[0], cpus[-1]
    # The source is this process.
    os.sched_setaffinity(0, {other_cpu})
    sides = [start(case, tools, own_cpu, other_cpu) for start in (start_serve, start_loop)]
    streams = [endless(), endless()]
    for side, stream in zip(sides, streams):
        case.closing(side.crowd)
        # A key frame is sent once more for those who came later.
        for _ in range(3 * 40):
            side.send(next(stream))
        side.crowd.wait_joined()
        settled(side.crowd.count)
        side.crowd.spread()
    serve, loop = sides
    mine, others = take_turns(lambda: serve.turn(streams[0]), {"loop": lambda: loop.turn(streams[1])}, end)
    least, most = serve.crowd.spread()
    channel = serve.status()["channels"][0]
    for side in sides:
        side.crowd.close()
    mega, mega_loop = ([replace(one, received=one.received / 10**6) for one in runs] for runs in (mine, others["loop"]))
    yield compare(name, f"octets to {VIEWERS} viewers of 8 Mbit/s: amt serve / bare loop", UNIT, mega, mega_loop, pooled_rate, ">= 0.77",
                  packets_lost_on_the_way=channel["lost"], octets_of_one_viewer_more_than_of_another=most - least,
                  skips=channel["skips"], core=round(sum(one.cpu for one in mine) / sum(one.wall for one in mine), 2),
                  memory_mebibytes=round(channel["memory_bytes"] / 2**20))


GROUPS = {"viewers": viewers}
assert ROUNDS * TURNS * 2 * TURN_SECONDS < 60
