"""Whoever looks does not disturb: ten calls of `amt status --json` a second at many tunnels and channels make no hole in the
stream. (The figure for 100 000 tunnels is the benchmark's.)

    relay ══ tunnels of one large NAT, each with channels of its own
"""

import statistics
import subprocess
import time

from arena import SECONDS, arena

NEEDS = {"namespaces"}
CROWDS = {"tunnels": {"tunnels": 4000 if SECONDS < 5 else 18_000, "groups": 5, "shared": 1},
          "channels": {"tunnels": 50, "groups": 500, "sources": 10}}
LIMITS = ["--max-tunnels-per-address", 100_000, "--max-requests-per-address", 0, "--max-updates-per-address", 0]
SETTING_UP_SECONDS = 10
CALLS_PER_SECOND = 10
# Between the typical longest wait in a tenth of a second without and with a call in it. Other programs on this machine are in
# both.
HOLE_SECONDS_MAX = 0.005


def longest_waits(place, windows) -> list[float]:
    """The longest wait of any watcher within each window, seconds."""
    seen, out = place.arrivals(), []
    by_watcher: dict[int, list[int]] = {}
    for who, _, _, at in seen:
        by_watcher.setdefault(who, []).append(at)
    for begin, end in windows:
        longest = 0.0
        for times in by_watcher.values():
            inside = [at for at in times if begin * 1e9 <= at <= end * 1e9]
            edges = [begin * 1e9, *inside, end * 1e9]
            longest = max(longest, max(b - a for a, b in zip(edges, edges[1:])) / 1e9)
        out.append(longest)
    return out


def looks(place, seconds: float, ask) -> list[tuple[float, float]]:
    windows, end = [], time.monotonic() + seconds
    while (begin := time.monotonic()) < end:
        ask()
        time.sleep(max(0.0, begin + 1 / CALLS_PER_SECOND - time.monotonic()))
        windows.append((begin, time.monotonic()))
    return windows


def run(case):
    crowd_options = CROWDS[case.arguments[0]]
    options = LIMITS + (["--max-channels-per-address", 10_000_000, "--max-channels", 10_000_000]
                        if "--max-channels-per-address" in case.amt_once(["relay", "--help"]).stdout else [])
    with arena(case, *options) as place:
        place.control.close()
        crowd = place.attack("membership", seconds=SETTING_UP_SECONDS + 2 * SECONDS, act="hold", **crowd_options)
        case.wait_until(lambda: b"joined" in crowd.out, 30, "all have joined")
        shown = place.relay.snapshot()
        case.figure("onlookers", f"{len(shown['tunnels'])} tunnels, {len(shown['channels'])} channels")
        place.require(len(shown["tunnels"]) > crowd_options["tunnels"] // 2, "the crowd has its tunnels")
        took = []

        def ask():
            start = time.monotonic()
            done = subprocess.run([case.amt, "status", "--json", "--control", str(place.relay.control)],
                                  stdout=subprocess.DEVNULL, timeout=10, check=False)
            place.require(done.returncode == 0, f"status ended with {done.returncode}")
            took.append(time.monotonic() - start)
        quiet = looks(place, SECONDS, lambda: None)
        watched = looks(place, SECONDS, ask)
        time.sleep(0.2)
        without, within = (statistics.median(longest_waits(place, one)) for one in (quiet, watched))
        case.figure("onlookers: longest wait, median without and with a call", f"{without * 1e3:.1f}, {within * 1e3:.1f}", "ms")
        case.figure("onlookers: status", f"{statistics.median(took):.3f}, worst {max(took):.3f}", "s")
        place.require(within <= without + HOLE_SECONDS_MAX, f"a hole of {within * 1e3:.1f} ms, {without * 1e3:.1f} ms without")
        place.require(max(took) <= 1.0 + statistics.median(took), f"status took {max(took):.2f} s")
        crowd.wait(60)
        place.recover("onlookers")
        place.stop("onlookers")
