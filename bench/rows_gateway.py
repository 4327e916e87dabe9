"""What a gateway delivers for a second of CPU, against a loop that does no more than it must.

    relay, played ── r1/g0 ── gateway host: `amt`, or the loop, one core to itself; programs that listen, another

The relay sends messages that its kernel cuts before the device. Both sides get the same packets.

`gateway`: one channel; the gateway's interface merges what arrives (GRO), as a network card's does, and the loop, one recvfrom and
one write to a TUN interface for each packet, has not asked for that. `gateway-interleaved`: ten channels in turn, every packet
arrives singly; the loop has recvmmsg. `receive`: `amt receive -o /dev/null` against a loop of recvmmsg, every packet singly.
"""

import os
import socket
import struct
import subprocess
import time

from bed import PAYLOAD_OCTETS, PORT, Load, Run, Sink, cpu_seconds, fitted, lost_part, pin, pooled_rate, settled, udp_counter
from lib import amt, fake_relay, netns, packets
from lib.topology import Line, url
from rounds import compare, take_turns

SOURCE, GROUPS_OF_OURS, GROUPS_OF_LOOP = "198.51.100.1", "232.1.0", "232.2.0"
LOOP_PORT = 2269
UDP_SEGMENT = 103
# Of a message of UDP_SEGMENT: as many as fit.
AT_ONCE = 48
# So many messages one behind the other, as fast as they can be sent: more than either side can take at that pace, so that it always
# has something to do.
MESSAGES = 32
# Of what a core can do; then there is a pause: the program that listens shares its core with the relay, and must not lose packets.
PART = 0.5
# The first octet is what the sink counts.
PAYLOAD = bytes([amt.DATA]) * PAYLOAD_OCTETS


def groups(prefix: str, channels: int) -> list[str]:
    return [f"{prefix}.{number + 1}" for number in range(channels)]


def message(prefix: str, channels: int) -> bytes:
    """Data messages of these channels in turn, all of one length."""
    messages = []
    for group in groups(prefix, channels):
        inner = packets.udp(SOURCE, group, PORT, PORT, PAYLOAD)
        # DF, as Linux sends.
        messages.append(amt.data(packets.ipv4(SOURCE, group, packets.UDP, inner, ttl=8, fragment=0x4000)))
    return b"".join(messages[number % channels] for number in range(AT_ONCE))


class Bed:
    """A relay that is played, and two receivers; what they have received is counted by `count_ours` and `count_loop`."""

    def __init__(self, case, *, merged: bool):
        self.case = case
        cpus = sorted(os.sched_getaffinity(0))
        self.own_cpu, self.other_cpu = cpus[0], cpus[-1]
        # The relay is played by this process.
        os.sched_setaffinity(0, {self.other_cpu})
        self.line = Line(case)
        self.line.relay.ip("link set r1 gso_max_segs 1")
        if merged:
            netns.receive_offload_on(self.line.relay, "r1", self.line.gateway, "g0")
        self.relay = case.closing(fake_relay.FakeRelay(self.line.relay, self.line.relay_address(4)))
        self.segment_octets = len(amt.data(packets.ipv4(SOURCE, "232.1.0.1", packets.UDP, bytes(8 + PAYLOAD_OCTETS))))

    def start_loop(self, *command) -> None:
        with self.line.gateway.enter():
            self.loop = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        self.case.closing(self)
        if self.loop.stdout.readline() != "ready\n":
            raise AssertionError(f"the loop ended with {self.loop.wait()}")
        pin(self.loop.pid, {self.own_cpu})

    def close(self) -> None:
        self.loop.kill()
        self.loop.wait()

    def wait_for_membership(self, group: str) -> None:
        self.case.wait_until(lambda: self.relay.wanting(SOURCE, group), 20, "membership at the relay")
        self.endpoint = self.relay.wanting(SOURCE, group)[0]

    def run(self, octets: bytes, to: tuple[str, int], pid: int, count, load: Load) -> Run:
        segment = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", self.segment_octets))]
        before, cpu_before, start = count(), cpu_seconds(pid), time.monotonic()
        for number in range(load.times):
            wait = start + number * load.pause / 1e9 - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            for _ in range(MESSAGES):
                self.relay.socket.sendmsg([octets], segment, 0, to)
        wall = time.monotonic() - start
        received = settled(count) - before
        return Run(load.times * load.at_once, received, cpu_seconds(pid) - cpu_before, wall)


class TunBed(Bed):
    """`amt gateway` and programs that listen, against a loop that writes to a TUN interface."""

    def __init__(self, case, tools, channels: int, *, merged: bool, loop_at_once: int):
        super().__init__(case, merged=merged)
        self.gateway = self.line.start_gateway(4)
        self.start_loop(f"{tools}/bench_tun_loop", f"{self.line.gateway_address(4)}:{LOOP_PORT}", "loop0", loop_at_once)
        self.line.gateway.ip("link set loop0 up")
        for name in ("all", "loop0"):
            self.line.gateway.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
        pin(self.gateway.pid, {self.own_cpu})
        self.sinks = {
            prefix: [case.closing(Sink(tools, self.line.gateway, "listener", "count", interface, f"{group}:{PORT}", 1, SOURCE,
                                       group, 1, 1)) for group in groups(prefix, channels)]
            for interface, prefix in (("amt0", GROUPS_OF_OURS), ("loop0", GROUPS_OF_LOOP))}
        self.messages = {prefix: message(prefix, channels) for prefix in self.sinks}
        for group in groups(GROUPS_OF_OURS, channels):
            self.wait_for_membership(group)

    def count(self, prefix: str) -> int:
        return sum(sink.count() for sink in self.sinks[prefix])

    def ours(self, load: Load) -> Run:
        return self.run(self.messages[GROUPS_OF_OURS], self.endpoint, self.gateway.pid, lambda: self.count(GROUPS_OF_OURS), load)

    def bare(self, load: Load) -> Run:
        return self.run(self.messages[GROUPS_OF_LOOP], (self.line.gateway_address(4), LOOP_PORT), self.loop.pid,
                        lambda: self.count(GROUPS_OF_LOOP), load)


class ReceiveBed(Bed):
    """`amt receive -o /dev/null` against a loop that reads. Each takes every datagram that reaches its socket, or the kernel counts
    it among those that found no room; so the kernel's count of what was read is the count."""

    def __init__(self, case, tools):
        super().__init__(case, merged=False)
        self.start_loop(f"{tools}/bench_receive_loop", f"{self.line.gateway_address(4)}:{LOOP_PORT}")
        group = groups(GROUPS_OF_OURS, 1)[0]
        self.receive = self.line.receive(url(group, SOURCE), "-o", "/dev/null", "--quiet")
        self.wait_for_membership(group)
        pin(self.receive.pid, {self.own_cpu})
        self.message = message(GROUPS_OF_OURS, 1)

    def count(self) -> int:
        return udp_counter(self.line.gateway, "InDatagrams")

    def ours(self, load: Load) -> Run:
        return self.run(self.message, self.endpoint, self.receive.pid, self.count, load)

    def bare(self, load: Load) -> Run:
        return self.run(self.message, (self.line.gateway_address(4), LOOP_PORT), self.loop.pid, self.count, load)


def measure(make_bed, name: str, what: str, target: str, end: float):
    affinity = os.sched_getaffinity(0)
    try:
        bed = make_bed()
        load = Load(AT_ONCE * MESSAGES)
        ours, bare = (fitted(run, load, cores=PART) for run in (bed.ours, bed.bare))
        # How many packets wait when either side comes to them is chance: the best turn would be the luckiest.
        mine, theirs = take_turns(lambda: bed.ours(ours), {"loop": lambda: bed.bare(bare)}, end)
    finally:
        os.sched_setaffinity(0, affinity)
    yield compare(name, what, "packets/cpu-s", mine, theirs["loop"], pooled_rate, target, lost=lost_part(mine),
                  bare_lost=lost_part(theirs["loop"]), packets_a_second=round(ours.at_once / ours.pause * 1e9))


def merged(case, tools, name, end):
    case.need_tun()
    yield from measure(lambda: TunBed(case, tools, 1, merged=True, loop_at_once=1), name,
                       "gateway / recvfrom and TUN write for each", ">= 3", end)


def interleaved(case, tools, name, end):
    case.need_tun()
    yield from measure(lambda: TunBed(case, tools, 10, merged=False, loop_at_once=64), name,
                       "gateway, ten channels in turn, packets singly / recvmmsg and TUN write for each", ">= 1.2", end)


def receive(case, tools, name, end):
    yield from measure(lambda: ReceiveBed(case, tools), name,
                       "amt receive -o /dev/null, packets singly / recvmmsg", ">= 0.8", end)


GROUPS = {"gateway": merged, "gateway-interleaved": interleaved, "receive": receive}
