"""What gets lost: a burst out of the blue, and at 60 % of what the relay can do."""

import math
from dataclasses import replace

from bed import Bed, Load, best_rate, fitted
from rounds import NO_TARGET, Row, judge

BURSTS, BURST_PACKETS = 8, 64
STEADY_SECONDS = 4.0
PART_OF_SATURATION = 0.6


def burst(case, tools, name, end):
    """At light load a ring block may hold one packet: is the ring large enough in packets?"""
    del end
    bed = Bed(case, tools, each=1000)
    sent = lost = 0
    # Both merged by the source, so that all are there at once, and one by one.
    for method in ("gso", "sendto"):
        run = bed.relayed(Load(BURST_PACKETS, pause=400_000_000, times=BURSTS), method)
        sent, lost = sent + run.sent, lost + run.lost
    yield Row(name, f"{2 * BURSTS} bursts of {BURST_PACKETS} packets, N=1000: lost", "copies", lost, None, lost, rounds=2 * BURSTS,
              target="== 0", verdict=judge(lost, "== 0"), notes={"copies": sent})


def at_60_percent(case, tools, name, end):
    """Saturation: copies for a second of CPU when three times as much is offered; the relay has one core."""
    del end
    bed = Bed(case, tools, each=100)
    just_so = fitted(bed.relayed, Load(16))
    saturation = best_rate([bed.relayed(replace(just_so, pause=max(1, just_so.pause // 3), times=just_so.times * 3))]) / bed.each
    for at_once, method in ((1, "sendto"), (16, "gso")):
        pause = at_once / (PART_OF_SATURATION * saturation) * 1e9
        full_before = bed.sockets_were_full()
        run = bed.relayed(Load(at_once, pause=math.ceil(pause), times=round(STEADY_SECONDS * 1e9 / pause)), method)
        # Does the source keep up, beside the sink?
        kept_up = run.wall < 1.1 * STEADY_SECONDS
        yield Row(f"{name}/{at_once}", f"{PART_OF_SATURATION:.0%} of saturation, {at_once} at once, N=100: lost", "copies", run.lost,
                  None, run.lost, rounds=1, target="== 0",
                  verdict=judge(run.lost, "== 0") if kept_up else f"{NO_TARGET} the source is too slow",
                  notes={"copies": run.sent, "packets_a_second": round(PART_OF_SATURATION * saturation),
                         "utilisation": round(run.cpu / run.wall, 2), "lost_at_the_sink": bed.sockets_were_full() - full_before})


GROUPS = {"burst": burst, "loss": at_60_percent}
