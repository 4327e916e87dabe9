"""The control plane: how many Requests and handshakes the relay answers for a second of its CPU, and how soon a join brings
data while a thousand gateways change channels. `amt bench` is the load; it has a core to itself, the relay the other."""

import contextlib
import json
import os
import statistics
import subprocess
import time

from bed import UNLIMITED, cpu_seconds, pin, workers_option
from lib.topology import Line
from rounds import ROUNDS, Row, judge

GROUP, PORT = "232.1.1.1", 5000
SECONDS = 1.5
STORM_SECONDS = 5
STORM_ROUNDS = 5
STORM_CHANNELS, STORM_GATEWAYS, STORM_CHANGES = 100, 1000, 10
# Packets of each channel a second: a join waits for the next of them, half the time between two on average.
STORM_RATE = 100
# Longer than a round takes.
FED_SECONDS = 30


class ControlBed:
    def __init__(self, case):
        self.case, self.line, self.runs = case, Line(case), 0
        cpus = sorted(os.sched_getaffinity(0))
        self.own_cpu, self.other_cpu = cpus[0], cpus[-1]
        self.relay = self.line.start_relay(*UNLIMITED, *workers_option(case, 1))
        pin(self.relay.pid, {self.own_cpu})

    def bench(self, *options, seconds):
        """What `amt bench` reports, and the relay's seconds of CPU."""
        self.runs += 1
        before = cpu_seconds(self.relay.pid)
        load = self.case.start(
            ["bench", "--relay", self.line.relay_address(4), "--json", "--duration", seconds, "--group",
             f"{self.line.source_address(4)}@{GROUP}", *options], f"bench{self.runs}", self.line.gateway)
        pin(load.pid, {self.other_cpu})
        self.case.check(load.wait(seconds + 30) == 0, f"amt bench: {load.err}")
        return json.loads(load.out), cpu_seconds(self.relay.pid) - before

    @contextlib.contextmanager
    def fed(self, tools: str, channels: int, rate: int):
        """Packets of each channel, one after the other and evenly."""
        command = [f"{tools}/bench_blaster", "sendto", self.line.source_address(4), f"232.1.1.1:{PORT}", channels, 1, 200, 1, 1,
                   round(1e9 / rate / channels), rate * channels * FED_SECONDS]
        with self.line.source.enter():
            source = subprocess.Popen(["taskset", "-c", str(self.other_cpu), *map(str, command)], stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield
        finally:
            source.kill()
            source.wait()


def row(name: str, what: str, unit: str, values: list[float], target: str, **notes) -> Row:
    apart = [abs(after / before - 1) for before, after in zip(values, values[1:])]
    noise = statistics.median(apart) if apart else None
    median = statistics.median(values)
    return Row(name, what, unit, ours=median, low=min(values) / median, high=max(values) / median, noise=noise,
               rounds=len(values), target=target, verdict=judge(median, target), notes=notes)


def repeated(task: str, what: str, gateways: int, counter: str, target: str):
    def rows(case, _tools, name, end):
        bed, values, own = ControlBed(case), [], []
        while len(values) < ROUNDS and (len(values) < 3 or time.monotonic() < end):
            got, cpu = bed.bench("--gateways", gateways, "--repeat", task, seconds=SECONDS)
            values.append(got["counters"][counter] / cpu)
            own.append(got["counters"][counter] / got["cpu_seconds"])
            case.check(got["counters"]["requests_repeated"] == 0, f"nothing is lost: {got}")
        yield row(name, what, "per cpu-s", values, target, load_generator=statistics.median(own))
    return rows


def storm(case, tools, name, end):
    bed, p50, p99, unserved = ControlBed(case), [], [], []
    while len(p99) < STORM_ROUNDS and (not p99 or time.monotonic() < end):
        with bed.fed(tools, STORM_CHANNELS, STORM_RATE):
            got, _ = bed.bench("--gateways", STORM_GATEWAYS, "--channels", STORM_CHANNELS, "--zap", STORM_CHANGES,
                               seconds=STORM_SECONDS)
        p50.append(got["join_milliseconds"]["p50"])
        p99.append(got["join_milliseconds"]["p99"])
        unserved.append(1 - got["joins_served"] / got["joins"])
    what = f"{STORM_GATEWAYS} gateways, {STORM_CHANGES} changes/s over {STORM_CHANNELS} channels: join"
    yield row(f"{name}/p50", f"{what} p50", "ms", p50, "")
    yield row(f"{name}/p99", f"{what} p99", "ms", p99, "<= 20", packets_a_second=STORM_RATE,
              unserved=statistics.median(unserved))


GROUPS = {
    "requests": repeated("requests", "Requests answered", 1000, "queries_received", ">= 100000"),
    "handshakes": repeated("handshakes", "handshakes, each with a Teardown", 10_000, "handshakes", ">= 20000"),
    "join-storm": storm,
}
