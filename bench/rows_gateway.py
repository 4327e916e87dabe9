"""What a gateway delivers to a program for a second of CPU, against one recvfrom and one write to a TUN interface for each.

    relay, played ── r1/g0 ── gateway host: `amt gateway`, or the loop, one core to itself; programs that listen, another

The relay sends messages that its kernel cuts before the device, and the gateway's interface merges what arrives (GRO), as a
network card's does. Both sides get the same packets; the loop's socket has not asked for merged ones.
"""

import os
import socket
import struct
import subprocess
import time

from bed import PAYLOAD_OCTETS, PORT, Load, Run, Sink, cpu_seconds, fitted, lost_part, pin, pooled_rate, settled
from lib import amt, fake_relay, netns, packets
from lib.topology import Line
from rounds import compare, take_turns

SOURCE, GROUP, OTHER_GROUP = "198.51.100.1", "232.1.0.1", "232.2.0.1"
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


class Bed:
    def __init__(self, case, tools):
        self.case = case
        cpus = sorted(os.sched_getaffinity(0))
        self.own_cpu, self.other_cpu = cpus[0], cpus[-1]
        # The relay is played by this process.
        os.sched_setaffinity(0, {self.other_cpu})
        self.line = Line(case)
        self.line.relay.ip("link set r1 gso_max_segs 1")
        netns.receive_offload_on(self.line.relay, "r1", self.line.gateway, "g0")
        self.relay = case.closing(fake_relay.FakeRelay(self.line.relay, self.line.relay_address(4)))
        self.gateway = self.line.start_gateway(4)
        with self.line.gateway.enter():
            self.loop = subprocess.Popen([f"{tools}/bench_tun_loop", f"{self.line.gateway_address(4)}:{LOOP_PORT}", "loop0"],
                                         stdout=subprocess.PIPE, text=True)
        case.closing(self)
        if self.loop.stdout.readline() != "ready\n":
            raise AssertionError(f"the loop ended with {self.loop.wait()}")
        self.line.gateway.ip("link set loop0 up")
        for name in ("all", "loop0"):
            self.line.gateway.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
        pin(self.gateway.pid, {self.own_cpu})
        pin(self.loop.pid, {self.own_cpu})
        self.sinks = {}
        for interface, group in (("amt0", GROUP), ("loop0", OTHER_GROUP)):
            self.sinks[group] = case.closing(Sink(tools, self.line.gateway, "listener", "count", interface, f"{group}:{PORT}",
                                                  1, SOURCE, group, 1, 1))
        case.wait_until(lambda: self.relay.wanting(SOURCE, GROUP), 20, "membership at the relay")
        self.endpoint = self.relay.wanting(SOURCE, GROUP)[0]

    def close(self) -> None:
        self.loop.kill()
        self.loop.wait()

    def run(self, group: str, to: tuple[str, int], pid: int, load: Load) -> Run:
        inner = packets.udp(SOURCE, group, PORT, PORT, PAYLOAD)
        # DF, as Linux sends.
        data = amt.data(packets.ipv4(SOURCE, group, packets.UDP, inner, ttl=8, fragment=0x4000))
        segment = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(data)))]
        message = [data * AT_ONCE]
        before, cpu_before, start = self.sinks[group].count(), cpu_seconds(pid), time.monotonic()
        for number in range(load.times):
            wait = start + number * load.pause / 1e9 - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            for _ in range(MESSAGES):
                self.relay.socket.sendmsg(message, segment, 0, to)
        wall = time.monotonic() - start
        received = settled(self.sinks[group].count) - before
        return Run(load.times * load.at_once, received, cpu_seconds(pid) - cpu_before, wall)

    def ours(self, load: Load) -> Run:
        return self.run(GROUP, self.endpoint, self.gateway.pid, load)

    def bare(self, load: Load) -> Run:
        return self.run(OTHER_GROUP, (self.line.gateway_address(4), LOOP_PORT), self.loop.pid, load)


def tun(case, tools, name, end):
    case.need_tun()
    affinity = os.sched_getaffinity(0)
    try:
        bed = Bed(case, tools)
        load = Load(AT_ONCE * MESSAGES)
        ours, bare = (fitted(run, load, cores=PART) for run in (bed.ours, bed.bare))
        # How many packets wait when either side comes to them is chance: the best turn would be the luckiest.
        mine, theirs = take_turns(lambda: bed.ours(ours), {"loop": lambda: bed.bare(bare)}, end)
    finally:
        os.sched_setaffinity(0, affinity)
    yield compare(name, "gateway / recvfrom and TUN write for each", "packets/cpu-s", mine, theirs["loop"], pooled_rate, ">= 3",
                  lost=lost_part(mine), bare_lost=lost_part(theirs["loop"]),
                  packets_a_second=round(ours.at_once / ours.pause * 1e9))


GROUPS = {"gateway": tun}
