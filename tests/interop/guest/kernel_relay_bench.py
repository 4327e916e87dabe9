"""The kernel's relay and ours, measured in the guest: copies that a sink received for a second of CPU of the whole guest.

    source ── smcroute ── amtr (kernel) ══ sink        each in namespaces of its own, the same layout;
    source ─────────────── `amt relay` ═══ sink        while one is measured, the other has nothing to do

The kernel's driver works in softirqs, which are nobody's time: so what counts is how much less the processors idled, with
source and sink in it, on both sides alike. A tunnel of the kernel's relay is an address, so each gateway has one of its own.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from dataclasses import asdict

sys.path.insert(0, "/bench")

from bed import GROUP, PAYLOAD_OCTETS, PORT, Load, Run, Sink, best_rate, fitted, settled  # noqa: E402
from lib.topology import Line  # noqa: E402
from rounds import ROUNDS, compare, take_turns  # noqa: E402
from scenario import KernelRelay, say  # noqa: E402

TOOLS = "/bench"
SEGMENT_SECONDS = 1.6
TURNS = 4
SECONDS_MAX = 170.0
AT_ONCE = 16
# An emulator translates code when it first runs.
WARM_UP_COPIES = 20_000
MARK = "BENCH "


def idle_seconds() -> float:
    """Of all processors."""
    words = pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    return int(words[4]) / os.sysconf("SC_CLK_TCK")


class Side:
    """One relay, all of whose gateways have joined."""

    def __init__(self, case, line: Line, gateways: int):
        self.line, self.gateways = line, gateways
        self.sink = case.closing(Sink(TOOLS, line.gateway, "gateways", "count", f"{line.relay_address(4)}:2268",
                                      f"{line.gateway_address(4)}:0", gateways, line.source_address(4), GROUP, 1, 1))
        case.wait_until(lambda: self.run(Load(1)).lost == 0, 30, "data at the sink")

    def run(self, load: Load) -> Run:
        """`cpu`: of the whole guest."""
        command = [f"{TOOLS}/bench_blaster", "gso", self.line.source_address(4), f"{GROUP}:{PORT}", 1, 1, PAYLOAD_OCTETS,
                   load.at_once, load.channels_at_once, load.pause, load.times]
        before, idle, start = self.sink.count(), idle_seconds(), time.monotonic()
        with self.line.source.enter():
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=True)
        sent = int(done.stdout.split()[0]) * self.gateways
        received = settled(self.sink.count) - before
        wall = time.monotonic() - start
        return Run(sent, received, os.cpu_count() * wall - (idle_seconds() - idle), wall)


def line_for(case, gateways: int) -> Line:
    line = Line(case)
    line.gateway.ip(*(f"addr add 10.2.0.{2 + i}/24 dev g0" for i in range(1, gateways)))
    # Merged messages are cut before the device, as on one that cannot cut.
    line.source.ip("link set s0 gso_max_segs 1")
    line.relay.ip("link set r1 gso_max_segs 1")
    return line


def against_kernel(gateways: int):
    def scenario(case):
        end = time.monotonic() + SECONDS_MAX
        theirs = line_for(case, gateways)
        KernelRelay(case, theirs.relay, theirs.relay_address(4), [(GROUP, theirs.source_address(4))], tunnels=gateways)
        kernel = Side(case, theirs, gateways)
        mine = line_for(case, gateways)
        mine.start_relay()
        ours = Side(case, mine, gateways)
        for side in (kernel, ours):
            side.run(Load(AT_ONCE, times=WARM_UP_COPIES // gateways // AT_ONCE))
        # What the slower of the two can take: the same load for both.
        load = max((fitted(side.run, Load(AT_ONCE), SEGMENT_SECONDS) for side in (kernel, ours)), key=lambda one: one.pause)
        runs, bare = take_turns(lambda: ours.run(load), {"kernel": lambda: kernel.run(load)}, end, ROUNDS * TURNS)
        row = compare(f"kernel/{gateways}", f"relay / kernel driver, same guest, N={gateways}", "copies/cpu-s of the guest",
                      runs, bare["kernel"], best_rate, "> 1", TURNS,
                      packets_a_second=round(load.at_once / load.pause * 1e9), lost=sum(run.lost for run in runs),
                      bare_lost=sum(run.lost for run in bare["kernel"]))
        say(MARK + json.dumps(asdict(row)))
        say(f"PASS {row.what}: ratio {row.ratio}, noise {row.noise}, {row.rounds} rounds")
    return scenario


SCENARIOS = {f"bench-{gateways}": against_kernel(gateways) for gateways in (10, 100)}
