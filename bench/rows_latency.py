"""How long a packet takes from its source to the sockets of ten gateways, at light load."""

import contextlib
import statistics
import subprocess
import time
from dataclasses import dataclass

from bed import FIRST_GATEWAY_PORT, GROUP, PAYLOAD_OCTETS, PORT, Bed, Load, pin
from rounds import ROUNDS, compare, take_turns

GATEWAYS, PACKETS_A_SECOND = 10, 1000
# A round is made of so many of each side, and shows the median of their quantiles: a stall of the machine, longer than all that is
# measured here, is then one turn's.
TURNS, TURN_SECONDS = 64, 0.05
# A turn begins in caches that the other side has filled, which is nothing that a stream of packets ever meets: its first packets
# are a figure of their own.
COLD_PACKETS = 5
OTHER_GROUP = "232.2.0.1"
QUANTILES = [0.01, 0.05, *(i / 10 for i in range(1, 10)), 0.95, 0.99, 0.995, 0.999]
# The machine may stand still for a while; what is not there then is lost.
ARRIVAL_SECONDS_MAX = 2.0
LOAD = Load(1, pause=round(1e9 / PACKETS_A_SECOND), times=COLD_PACKETS + round(PACKETS_A_SECOND * TURN_SECONDS))
COPIES = LOAD.times * GATEWAYS


class ForwardLoop:
    """`bench_forward_loop` in the relay's place, on its core, for a channel of its own."""

    def __init__(self, bed: Bed, method: str):
        relay, gateway = bed.line.relay_address(4), bed.line.gateway_address(4)
        command = [f"{bed.tools}/bench_forward_loop", method, "r0", f"{OTHER_GROUP}:{PORT}", bed.line.source_address(4),
                   f"{relay}:2269", f"{gateway}:{FIRST_GATEWAY_PORT}", str(bed.gateways)]
        with bed.line.relay.enter():
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "joined\n":
            raise AssertionError(f"the loop ended with {self._process.wait()}")
        pin(self._process.pid, {bed.own_cpu})

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def awake(cpus):
    """Cores that never halt: to wake one takes as long as everything that is measured here, in a virtual machine much longer,
    and that varies. What runs on them runs only when nobody else wants to."""
    idlers = [subprocess.Popen(["taskset", "-c", str(cpu), "chrt", "--idle", "0", "sh", "-c", "while :; do :; done"])
              for cpu in cpus]
    try:
        yield
    finally:
        for idler in idlers:
            idler.kill()
            idler.wait()


@dataclass
class Turn:
    """Nanoseconds of each copy, as they arrived: of the first packet, and of those from the `COLD_PACKETS`th on."""
    first: list[int]
    warm: list[int]


def quantile(values: list[int], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def quantiles(turns: list[Turn]) -> list[int]:
    """Of all warm packets together."""
    return [round(quantile(sum((turn.warm for turn in turns), []), part)) for part in QUANTILES]


def added_latency(case, tools, name, end):
    """The relay, and a loop of recv and sendto. From before the source's sendto to the arrival at the sink's socket."""
    bed = Bed(case, tools, each=GATEWAYS, mode="times")
    case.closing(ForwardLoop(bed, "sendto"))

    def measure(group: str) -> Turn:
        bed.sink.nanoseconds()
        bed.blast(bed.line.source, bed.other_cpu, "stamped", bed.line.source_address(4), f"{group}:{PORT}", 1, 1, PAYLOAD_OCTETS,
                  LOAD)
        values, last = bed.sink.nanoseconds(), time.monotonic() + ARRIVAL_SECONDS_MAX
        while len(values) < COPIES and time.monotonic() < last:
            time.sleep(0.005)
            values += bed.sink.nanoseconds()
        if len(values) < 0.9 * COPIES:
            raise AssertionError(f"{group}: {len(values)} of {COPIES} copies arrived")
        return Turn(values[:GATEWAYS], values[COLD_PACKETS * GATEWAYS:])

    def ours() -> Turn:
        return measure(GROUP)

    def bare() -> Turn:
        with bed.paused():
            return measure(OTHER_GROUP)

    with awake({bed.own_cpu, bed.other_cpu}):
        ours(), bare()
        mine, theirs = take_turns(ours, {"loop": bare}, end, ROUNDS * TURNS)

    def row(figure: str, shown: str, of, target="", **notes):
        return compare(f"{name}/{figure}", f"latency {shown}, relay / recv+sendto, N={GATEWAYS}, {PACKETS_A_SECOND}/s", "us", mine,
                       theirs["loop"], lambda turns: statistics.median(map(of, turns)) / 1e3, target, TURNS, **notes)

    all_quantiles = {"quantiles": QUANTILES, "ours_nanoseconds": quantiles(mine),
                     "bare_nanoseconds": quantiles(theirs["loop"])} if mine else {}
    yield row("p50", "p50", lambda turn: quantile(turn.warm, 0.5), "<= 1.1", **all_quantiles)
    yield row("p99", "p99", lambda turn: quantile(turn.warm, 0.99), "<= 1.1")
    yield row("first", "of a turn's first packet", lambda turn: max(turn.first))


GROUPS = {"latency": added_latency}
