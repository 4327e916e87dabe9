"""How long a packet takes from its source to the sockets of ten gateways, at light load."""

import contextlib
import subprocess
import time

from bed import FIRST_GATEWAY_PORT, GROUP, PAYLOAD_OCTETS, PORT, Bed, Load, pin, settled
from rounds import ROUNDS, compare_interleaved, take_slices

GATEWAYS, PACKETS_A_SECOND = 10, 1000
# A round is made of so many of each side: a stall of the machine is longer than one packet, and falls upon all sides alike.
SLICES, SLICE_SECONDS = 12, 0.1
OTHER_GROUP = "232.2.0.1"
QUANTILES = [0.01, 0.05, *(i / 10 for i in range(1, 10)), 0.95, 0.99, 0.995, 0.999]
LOAD = Load(1, pause=round(1e9 / PACKETS_A_SECOND), times=round(PACKETS_A_SECOND * SLICE_SECONDS))


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


def quantile(values: list[int], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def added_latency(case, tools, name, end):
    """The relay, and a loop of recv and sendto. From before the source's sendto to the arrival at the sink's socket."""
    bed = Bed(case, tools, each=GATEWAYS, mode="times")
    case.closing(ForwardLoop(bed, "sendto"))
    pooled = {"ours": [], "bare": []}

    def measure(side: str, group: str) -> list[int]:
        bed.sink.nanoseconds()
        bed.blast(bed.line.source, bed.other_cpu, "stamped", bed.line.source_address(4), f"{group}:{PORT}", 1, 1, PAYLOAD_OCTETS,
                  LOAD)
        settled(bed.sink.count)
        values = bed.sink.nanoseconds()
        if len(values) < 0.9 * LOAD.times * GATEWAYS:
            raise AssertionError(f"{side}: {len(values)} of {LOAD.times * GATEWAYS} copies arrived")
        pooled[side] += values
        return values

    def ours() -> list[int]:
        return measure("ours", GROUP)

    def bare() -> list[int]:
        with bed.paused():
            return measure("bare", OTHER_GROUP)

    with awake({bed.own_cpu, bed.other_cpu}):
        ours(), bare()
        pooled = {"ours": [], "bare": []}
        rounds = take_slices(ours, bare, SLICES, ROUNDS, end)
    for part in (0.5, 0.99):
        shown = f"p{part * 100:.0f}"
        notes = {"quantiles": QUANTILES, **{f"{side}_nanoseconds": [round(quantile(values, one)) for one in QUANTILES]
                                            for side, values in pooled.items()}} if part == 0.5 and rounds else {}
        yield compare_interleaved(f"{name}/{shown}", f"latency {shown}, relay / recv+sendto, N={GATEWAYS}, {PACKETS_A_SECOND}/s", "us",
                                  [tuple(quantile(sum(values, []), part) / 1e3 for values in sides) for sides in rounds], "<= 1.1", **notes)


GROUPS = {"latency": added_latency}
