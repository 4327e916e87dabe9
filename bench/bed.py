"""Where the relay is measured, and against what.

    source ── s0/r0 ── relay host ── r1/g0 ── sink: one process, a socket for each gateway; or a wire
                       `amt relay`, or a baseline: the same octets by the same path to the same sockets

A veth hands a packet over on the core that sends it, so the receiving half of the kernel's path would be part of the
sender's time, as it is on no network. Behind a *wire* frames have nobody's link address: the far device counts them and
lets them go.

The relay, or what it is compared with, has one core to itself; source and sink have another. What counts is what the
sink received, and the CPU time of the process that sent it, kernel time included, in nanoseconds.
"""

import contextlib
import math
import os
import pathlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/system"))

from lib.topology import Line  # noqa: E402

GROUP, PORT, FIRST_GATEWAY_PORT = "232.1.0.1", 5000, 10000
PAYLOAD_OCTETS = 1316
COPY_OCTETS = PAYLOAD_OCTETS + 28 + 2  # inner IPv4 and UDP headers, AMT header
# Of one turn (rounds.py).
TURN_SECONDS = 0.1
# How much of its core each side is given to do, so that it seldom sleeps and loses nothing.
UTILISATION = 0.85
FRAME_METHODS = ("xdp", "packet", "packet-ring")
SETTLE_TRIES_MAX = 40
AWAKE_SECONDS = 0.02
FITTING_TRIES = 8
# The link address of no device here.
NOBODY = "02:00:00:00:00:99"
# Nothing here is about limits.
UNLIMITED = ("--max-tunnels", "1000000", "--max-tunnels-per-address", "1000000", "--max-groups", "20000",
             "--max-channels", "1000000", "--max-channels-per-address", "1000000",
             "--max-requests-per-address", "0", "--max-updates-per-address", "0")


@dataclass(frozen=True)
class Load:
    """Every `pause` nanoseconds, `times` times: `at_once` packets of each of the next `channels_at_once` channels."""
    at_once: int
    pause: int = 1_000_000
    times: int = 4
    channels_at_once: int = 1


@dataclass(frozen=True)
class Run:
    """`cpu`, `wall`: seconds. `sent`: copies that should have come."""
    sent: int
    received: int
    cpu: float
    wall: float

    @property
    def lost(self) -> int:
        return self.sent - self.received


def best_rate(runs: list[Run]) -> float:
    """Copies received for a second of CPU: the most of some turns. A virtual machine's other guests only ever slow it down."""
    return max(run.received / run.cpu for run in runs)


def pooled_rate(runs: list[Run]) -> float:
    """Copies received for a second of CPU, of all turns together."""
    return sum(run.received for run in runs) / sum(run.cpu for run in runs)


def lost_part(runs: list[Run]) -> float:
    return sum(run.lost for run in runs) / max(1, sum(run.sent for run in runs))


def tasks(pid: int) -> list[pathlib.Path]:
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def cpu_seconds(pid: int) -> float:
    """Of all threads; in nanoseconds, unlike /proc/PID/stat."""
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks(pid)) / 1e9


def pin(pid: int, cpus: set[int]) -> None:
    for task in tasks(pid):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cpus)


def udp_counter(namespace, name: str) -> int:
    """A counter of /proc/net/snmp; of messages, however many datagrams they are cut into."""
    with namespace.enter():
        text = pathlib.Path("/proc/thread-self/net/snmp").read_text(encoding="ascii")
    names, values = [line.split() for line in text.splitlines() if line.startswith("Udp:")]
    return int(values[names.index(name)])


class Sink:
    """`bench_sink` with these arguments, in a namespace."""

    def __init__(self, tools, namespace, *arguments):
        with namespace.enter():
            self._process = subprocess.Popen([f"{tools}/bench_sink", *map(str, arguments)], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "joined\n":
            raise AssertionError(f"the sink ended with {self._process.wait()}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def _ask(self, what: str) -> str:
        self._process.stdin.write(what)
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError(f"the sink ended with {self._process.wait()}")
        return answer

    def count(self) -> int:
        return int(self._ask("c"))

    def nanoseconds(self) -> list[int]:
        return [int(word) for word in self._ask("t").split()]

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()


def settled(count) -> int:
    """The count when nothing more comes."""
    now = count()
    for _ in range(SETTLE_TRIES_MAX):
        time.sleep(0.02)
        last, now = now, count()
        if last == now:
            break
    return now


def device_packets(host, device: str, field: int) -> int:
    """`field` of /proc/net/dev: 1 received, 9 sent."""
    with host.enter():
        lines = pathlib.Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    [counts] = [line.split(":")[1].split() for line in lines if line.split(":")[0].strip() == device]
    return int(counts[field])


class Bed:
    """A relay whose gateways have all joined: each of `channels` has `each` of them. `joins`: channels of one gateway."""

    def __init__(self, case, tools, *, channels=1, each=1, joins=1, workers=1, mode="count", wire=False, options=()):
        self.case, self.tools, self.channels, self.each = case, tools, channels, each
        self.gateways = channels * each // joins
        cpus = sorted(os.sched_getaffinity(0))
        self.own_cpu, self.other_cpu = cpus[0], cpus[-1]
        self.line = Line(case)
        # Merged messages are cut before the device, as on one that cannot cut: else a veth hands them over whole.
        self.line.source.ip("link set s0 gso_max_segs 1")
        self.line.relay.ip("link set r1 gso_max_segs 1")
        name = "-".join(["relay", f"{channels}x{each}w{workers}", *options])
        self.relay = self.line.start_relay(*UNLIMITED, *workers_option(case, workers), *options, name=name)
        pin(self.relay.pid, {self.own_cpu} if workers == 1 else set(cpus))
        self.sink = case.closing(Sink(
            tools, self.line.gateway, "gateways", mode, f"{self.line.relay_address(4)}:2268",
            f"{self.line.gateway_address(4)}:{FIRST_GATEWAY_PORT}", self.gateways, self.line.source_address(4), GROUP, channels,
            joins))
        pin(self.sink.pid, {self.other_cpu})
        self.count = self.sink.count
        # Until the relay's native joins are in force.
        case.wait_until(self._all_arrives, 20, "data of each channel at the sink")
        if wire:
            self.put_wire()

    def put_wire(self) -> None:
        """From here on copies go as far as the far device, and no socket hears of them."""
        self.line.relay.ip(f"neigh replace {self.line.gateway_address(4)} lladdr {NOBODY} dev r1 nud permanent")
        self.count = lambda: device_packets(self.line.gateway, "g0", 1)

    def put_xdp_sink(self) -> None:
        """From here on an XDP program takes all copies at the far device."""
        self.put_wire()
        with self.line.gateway.enter():
            sink = subprocess.Popen([f"{self.tools}/bench_xdp_sink", "g0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.case.closing(sink.stdin)
        if sink.stdout.readline() != "ready\n":
            raise AssertionError(f"the XDP sink ended with {sink.wait()}")

    def _all_arrives(self) -> bool:
        at_once = min(self.channels, 100)
        # 10 us a copy: no relay is so slow.
        load = Load(1, pause=10_000 * at_once * self.each, channels_at_once=at_once, times=math.ceil(self.channels / at_once))
        return self.relayed(load).lost == 0

    def blast(self, host, cpu: int, method: str, source: str, first: str, channels: int, each: int, octets: int, load: Load):
        """`bench_blaster`: datagrams sent, seconds of CPU, seconds."""
        program = "bench_frame_blaster" if method in FRAME_METHODS else "bench_blaster"
        command = ["taskset", "-c", str(cpu), f"{self.tools}/{program}", method, source, first, channels, each, octets,
                   load.at_once, load.channels_at_once, load.pause, load.times]
        with host.enter():
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=True)
        sent, failed, cpu_nanoseconds, wall_nanoseconds = map(int, done.stdout.split())
        if failed:
            raise AssertionError(f"{failed} of {sent} datagrams could not be sent")
        return sent, cpu_nanoseconds / 1e9, wall_nanoseconds / 1e9

    def source(self, load: Load, method="gso"):
        return self.blast(self.line.source, self.other_cpu, method, self.line.source_address(4), f"{GROUP}:{PORT}",
                          self.channels, 1, PAYLOAD_OCTETS, load)

    def relayed(self, load: Load, method="gso") -> Run:
        before, cpu_before = self.count(), cpu_seconds(self.relay.pid)
        sent, _, wall = self.source(load, method)
        received = settled(self.count) - before
        return Run(sent * self.each, received, cpu_seconds(self.relay.pid) - cpu_before, wall)

    def bare(self, method: str, load: Load) -> Run:
        before = self.count()
        sent, cpu, wall = self.blast(
            self.line.relay, self.own_cpu, method, self.line.relay_address(4),
            f"{self.line.gateway_address(4)}:{FIRST_GATEWAY_PORT}", self.channels, self.each, COPY_OCTETS, load)
        return Run(sent, settled(self.count) - before, cpu, wall)

    def segments_a_message(self, load: Load) -> float:
        """How many datagrams the relay's messages carry at this load: what leaves the device, by what UDP was given."""
        before = self._messages_and_packets()
        self.relayed(load)
        messages, packets = (after - at for after, at in zip(self._messages_and_packets(), before))
        return packets / max(1, messages)

    def _messages_and_packets(self) -> tuple[int, int]:
        return udp_counter(self.line.relay, "OutDatagrams"), device_packets(self.line.relay, "r1", 9)

    def sockets_were_full(self) -> int:
        """Datagrams that arrived, and found no room in a socket of the sink."""
        return udp_counter(self.line.gateway, "RcvbufErrors")

    def paused(self) -> contextlib.AbstractContextManager:
        """The relay stands still, so that what else runs on its core has it alone. Afterwards all its threads wake at once, and
        need some milliseconds until the scheduler treats them as before."""
        @contextlib.contextmanager
        def stopped():
            os.kill(self.relay.pid, signal.SIGSTOP)
            try:
                yield
            finally:
                os.kill(self.relay.pid, signal.SIGCONT)
                time.sleep(AWAKE_SECONDS)
        return stopped()


def workers_option(case, workers: int) -> tuple[str, ...]:
    """Until every relay has it."""
    if "--workers" in case.amt_once(["relay", "--help"]).stdout:
        return "--workers", str(workers)
    return ()


def fitted(run, load: Load, seconds=TURN_SECONDS, cores=1) -> Load:
    """The same load at the pace that takes UTILISATION of so many cores, as long as nothing is lost there, and so often that it
    takes `seconds`: by trying."""
    def needed(one: Run, tried: Load) -> int:
        return max(1, round(one.cpu / tried.times / UTILISATION / cores * 1e9))

    pause = needed(run(load), load)
    for _ in range(FITTING_TRIES):
        load = replace(load, pause=pause, times=max(2, round(seconds * 1e9 / pause)))
        one = run(load)
        if one.lost:
            pause = max(round(pause * 1.2), needed(one, load))
        elif needed(one, load) > pause * 0.95:
            return load
        else:
            pause = needed(one, load)
    return replace(load, pause=pause, times=max(2, round(seconds * 1e9 / pause)))
