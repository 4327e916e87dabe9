"""Costs that must not grow with what exists: micro-benchmarks, repeated in random order."""

import json
import subprocess

from bed import Bed, Load, best_rate, fitted, lost_part
from rounds import Row, compare, judge, take_turns

REPETITIONS = 9
FLAT = "<= 1.2"
# Benchmark, its sizes (smallest first, against which the others are compared), what it is, and its target: parts of what a
# packet or a change costs have none.
CURVES = {
    "look-up": ("look_up/wanted", (1, 100, 10_000), "channels", "look-up of a data packet's tunnels", ""),
    "publish": ("publish", (10, 10_000, 1_000_000), "tunnels", "table: one tunnel in and out", ""),
    "update-join": ("update_join", (10, 10_000, 1_000_000), "tunnels", "Update that joins", FLAT),
    "update-leave": ("update_leave", (10, 10_000, 1_000_000), "tunnels", "Update that leaves", FLAT),
}


def repetitions(tools: str, pattern: str, seconds: float = 0.05) -> dict[str, list[float]]:
    """Nanoseconds of each repetition by the benchmark's name."""
    command = [f"{tools}/micro_bench", f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}",
               f"--benchmark_repetitions={REPETITIONS}", "--benchmark_enable_random_interleaving=true",
               "--benchmark_format=json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=True)
    out: dict[str, list[float]] = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one["run_type"] == "iteration":
            nanoseconds = one["each"] * 1e9 if "each" in one else one["cpu_time"]
            out.setdefault(one["run_name"].removesuffix("/manual_time"), []).append(nanoseconds)
    return out


def curve(key: str):
    def rows(case, tools, name, end):
        del case, end
        benchmark, sizes, of_what, what, target = CURVES[key]
        figures = repetitions(tools, f"^{benchmark}/")
        smallest = sorted(figures[f"{benchmark}/{sizes[0]}"])
        base = smallest[len(smallest) // 2]
        noise = sorted(abs(one / base - 1) for one in smallest)[len(smallest) // 2]
        for size in sizes[1:]:
            values = sorted(figures[f"{benchmark}/{size}"])
            median = values[len(values) // 2]
            yield Row(f"{name}/{size}", f"{what}: {size} {of_what} / {sizes[0]}", "ns", median, base, median / base,
                      values[0] / base, values[-1] / base, noise, len(values), target, judge(median / base, target, noise))
    return rows


def packet_cost(case, tools, name, end):
    """What a data packet costs the whole relay beside others' channels: 10 gateways want all of them, packets of one come 48
    at once, of another next time, so that messages carry as much with one channel as with many."""
    beds = {channels: Bed(case, tools, channels=channels, each=10, joins=channels, wire=True) for channels in (1, 100, 10_000)}
    loads = {channels: fitted(bed.relayed, Load(48)) for channels, bed in beds.items()}

    def side(channels):
        return lambda: beds[channels].relayed(loads[channels])
    theirs = {channels: side(channels) for channels in (1, 100)}
    mine, runs = take_turns(side(10_000), theirs, end)
    for channels, some in ((100, runs[100][:-1]), (10_000, mine)):
        yield compare(f"{name}/{channels}", f"data packet's cost: {channels} channels / 1, N=10", "ns a copy", some,
                      runs[1], lambda turns: 1e9 / best_rate(turns), FLAT)


def memory(case, tools, name, end):
    """A relay's tunnels, each with one group; the process without them is taken away."""
    del case, end
    for tunnels in (10_000, 100_000, 1_000_000):
        done = subprocess.run([f"{tools}/bench_memory", str(tunnels)], capture_output=True, text=True, timeout=120, check=True)
        octets = float(done.stdout) / tunnels
        target = "<= 512" if tunnels == 1_000_000 else ""
        yield Row(f"{name}/{tunnels}", f"memory a tunnel, {tunnels} tunnels", "octets", octets, None, octets, rounds=1,
                  target=target, verdict=judge(octets, target))


def core(case, tools, name, end):
    """libamt without sockets: accepted packets of 1316 octets by its C face, 64 a call. One core: 1 Mpps is 1000 ns each."""
    del case, end
    figures = repetitions(tools, "^(core_packets|copy_and_checksum)$")
    mine, base = sorted(figures["core_packets"]), sorted(figures["copy_and_checksum"])
    median, bare = mine[len(mine) // 2], base[len(base) // 2]
    noise = sorted(abs(one / bare - 1) for one in base)[len(base) // 2]
    yield Row(f"{name}/packet", "libamt's core: an accepted packet", "ns", median, None, median, mine[0], mine[-1], noise, len(mine),
              "<= 1000", judge(median, "<= 1000", noise))
    yield Row(f"{name}/copy", "the same / memcpy and checksum of its payload", "ns", median, bare, median / bare, mine[0] / bare,
              mine[-1] / bare, noise, len(mine))


def workers(case, tools, name, end):
    """Copies for a second of CPU: two workers against one, both with as much to do as fills their cores, which the source shares
    with them here."""
    if "--workers" not in case.amt_once(["relay", "--help"]).stdout:
        yield Row(name, "two workers / one", verdict="SKIPPED: this relay has no --workers")
        return
    one, two = (Bed(case, tools, each=100, workers=count, wire=True) for count in (1, 2))
    for_one, for_two = fitted(one.relayed, Load(16)), fitted(two.relayed, Load(16), cores=2)
    mine, theirs = take_turns(lambda: two.relayed(for_two), {"one": lambda: one.relayed(for_one)}, end)
    yield compare(name, "two workers / one, by CPU time, N=100", "copies/cpu-s", mine, theirs["one"], best_rate, ">= 0.9",
                  lost=lost_part(mine))


GROUPS = {"packet-cost": packet_cost, **{key: curve(key) for key in CURVES}, "memory": memory, "core": core, "workers": workers}
