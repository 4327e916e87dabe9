#!/usr/bin/env python3
"""How many copies a second of CPU the relay sends, against a bare `sendto` loop in the same place.

    relay_fanout.py AMT FANOUT_SENDER FANOUT_SINK

    source ── s0/r0 ── relay host ── r1/g0 ── sink: one process, a socket for each gateway
                       `amt relay`, or the baseline: one sendto per copy, of the same octets to the same sockets

Rounds of baseline, relay, baseline, relay, ..., baseline: each relay's figure is compared with the mean of the two
baselines around it; how far apart neighbouring baselines are is the noise. What counts is what the sink received.
Runs in namespaces of its own, as root or by a user namespace. Every figure is a ratio, none is a verdict.
"""

import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/system"))

import run as system_tests  # noqa: E402
from lib.scenario import Case  # noqa: E402
from lib.topology import Line  # noqa: E402

GROUP, PORT, FIRST_GATEWAY_PORT = "232.1.2.3", 5000, 10000
PAYLOAD_OCTETS = 1316
COPY_OCTETS = PAYLOAD_OCTETS + 28 + 2  # inner IPv4 and UDP headers, AMT header
ROUNDS = 8
SEGMENT_SECONDS = 0.25
SECONDS_MAX = 65.0
SETTLE_TRIES_MAX = 25
# Gateways, packets of the channel that come at once, and such bursts a second.
LOADS = [(1, 1, 1000), (1, 16, 1000), (10, 1, 1000), (10, 16, 200), (100, 1, 500), (100, 16, 40)]


class Sink:
    def __init__(self, case, line, program, gateways):
        self._case = case
        source, relay, here = line.source_address(4), line.relay_address(4), line.gateway_address(4)
        command = [program, f"{relay}:2268", f"{here}:{FIRST_GATEWAY_PORT}", str(gateways), source, GROUP]
        with line.gateway.enter():
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "joined\n":
            raise AssertionError(f"the sink ended with {self._process.wait()}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def count(self) -> int:
        self._process.stdin.write("?")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(5)


def tasks(pid: int) -> list[pathlib.Path]:
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def cpu_seconds(pid: int) -> float:
    """Of all threads; in nanoseconds, unlike /proc/PID/stat."""
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks(pid)) / 1e9


def pin(pid: int, cpu: int) -> None:
    for task in tasks(pid):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), {cpu})


class Measurement:
    """One number of gateways: a relay of its own, all joined."""

    def __init__(self, case, programs, gateways):
        self.case, self.sender, self.gateways = case, programs[0], gateways
        cpus = sorted(os.sched_getaffinity(0))
        # The one whose time is measured has a core to itself, as far as this machine's other users let it.
        self.own_cpu, self.other_cpu = cpus[0], cpus[-1]
        self.line = Line(case)
        # Merged messages are cut before the device, as on one that cannot cut: else a veth hands them over whole.
        self.line.relay.ip("link set r1 gso_max_segs 1")
        self.relay = self.line.start_relay(name=f"relay{gateways}")
        pin(self.relay.pid, self.own_cpu)
        self.sink = case.closing(Sink(case, self.line, programs[1], gateways))
        pin(self.sink.pid, self.other_cpu)
        # Until the relay's native join is in force.
        case.wait_until(lambda: self._after(lambda: self._source(1, 100, 1)) > 0, 10, "data at the sink")

    def _send(self, host, cpu, from_address, to, destinations, octets, at_once, bursts_per_second, times):
        command = ["taskset", "-c", str(cpu), self.sender, from_address, to, str(destinations), str(octets),
                   str(at_once), str(round(1e6 / bursts_per_second)), str(times)]
        with host.enter():
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        sent, failed, nanoseconds = map(int, done.stdout.split())
        if failed:
            raise AssertionError(f"{failed} of {sent} sendto calls failed")
        return sent, nanoseconds / 1e9

    def _source(self, at_once, bursts_per_second, times):
        return self._send(self.line.source, self.other_cpu, self.line.source_address(4), f"{GROUP}:{PORT}", 1,
                          PAYLOAD_OCTETS, at_once, bursts_per_second, times)[0]

    def _after(self, act) -> int:
        """What the sink received of what `act` sent."""
        before = self.sink.count()
        act()
        now = self.sink.count()
        for _ in range(SETTLE_TRIES_MAX):
            time.sleep(0.02)
            last, now = now, self.sink.count()
            if last == now:
                break
        return now - before

    def bare(self, at_once, bursts_per_second, times):
        """Copies received for a second of CPU, and the part that was lost."""
        result = []
        received = self._after(lambda: result.extend(self._send(
            self.line.relay, self.own_cpu, self.line.relay_address(4),
            f"{self.line.gateway_address(4)}:{FIRST_GATEWAY_PORT}", self.gateways, COPY_OCTETS, at_once,
            bursts_per_second, times)))
        return received / result[1], 1 - received / result[0]

    def relayed(self, at_once, bursts_per_second, times):
        result = []
        before = cpu_seconds(self.relay.pid)
        received = self._after(lambda: result.append(self._source(at_once, bursts_per_second, times)))
        return received / (cpu_seconds(self.relay.pid) - before), 1 - received / (result[0] * self.gateways)


def measure(one: Measurement, at_once: int, bursts_per_second: int, end: float) -> str | None:
    load = at_once, bursts_per_second, max(1, round(bursts_per_second * SEGMENT_SECONDS))
    one.bare(*load)
    one.relayed(*load)
    bare, relayed = [one.bare(*load)], []
    while len(relayed) < ROUNDS and time.monotonic() < end:
        relayed.append(one.relayed(*load))
        bare.append(one.bare(*load))
    if not relayed:
        return None
    rates = [rate for rate, _ in bare]
    ratios = [rate / statistics.mean(rates[i:i + 2]) for i, (rate, _) in enumerate(relayed)]
    noise = statistics.median(abs(after / before - 1) for before, after in zip(rates, rates[1:]))
    return (f"{one.gateways:8} {at_once:7} {at_once * bursts_per_second:7} {statistics.median(rates):11.0f} "
            f"{statistics.median(ratios):6.2f}  {min(ratios):5.2f}-{max(ratios):5.2f} {noise:7.1%} {len(relayed):6} "
            f"{statistics.mean(lost for _, lost in bare):8.2%} {statistics.mean(lost for _, lost in relayed):8.2%}")


def main() -> int:
    amt, *programs = (str(pathlib.Path(one).resolve()) for one in sys.argv[1:4])
    if len(programs) != 2:
        print(__doc__)
        return 2
    try:
        system_tests.enter_namespaces()
    except SystemExit:
        return 0  # it has said why
    end = time.monotonic() + SECONDS_MAX
    print("Copies per second of the sender's CPU: `amt relay` as a ratio to one sendto per copy, same octets, same path.\n"
          f"{PAYLOAD_OCTETS} octets of payload, IPv4 in IPv4, segmentation in software; medians.")
    print("gateways at once  pkts/s  bare /cpu-s  ratio        range   noise rounds  lost bare lost relay", flush=True)
    for gateways in sorted({one for one, _, _ in LOADS}):
        case, failed = Case(amt, []), True
        try:
            one = Measurement(case, programs, gateways)
            for of, at_once, bursts_per_second in LOADS:
                if of == gateways:
                    row = measure(one, at_once, bursts_per_second, end)
                    print(row or f"{gateways:8} {at_once:7}  not measured: no time left", flush=True)
            failed = False
        finally:
            case.finish(failed)
    return 0


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    sys.exit(main())
