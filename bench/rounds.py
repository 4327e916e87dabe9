"""What a figure is: ours and its baselines in turn, the median of the ratios of some rounds, and how much to believe it."""

import statistics
import time
from dataclasses import dataclass, field

ROUNDS = 8
# Less is an anecdote.
ROUNDS_MIN = 8
# A round's turns, short ones: what comes over the machine then comes over both sides alike.
TURNS = 6
# Above it a figure is not judged.
NOISE_MAX = 0.05

MET, MISSED, NO_TARGET = "met", "MISSED", "-"


@dataclass
class Row:
    """One line of the table and of results.json. `ours`, `bare`: medians, in `unit`; `ratio`: what the target is about."""
    name: str
    what: str
    unit: str = ""
    ours: float | None = None
    bare: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    noise: float | None = None
    rounds: int = 0
    target: str = ""
    verdict: str = NO_TARGET
    notes: dict = field(default_factory=dict)


def judge(value: float, target: str, noise: float | None = None) -> str:
    """`target`: `>= 0.9`, `<= 1.1`, `== 0`; empty: none."""
    if not target:
        return NO_TARGET
    if noise is not None and noise > NOISE_MAX:
        return f"not judged: noise {noise:.1%}"
    relation, bound = target.split()
    met = {">=": value >= float(bound), ">": value > float(bound), "<=": value <= float(bound), "==": value == float(bound)}
    return MET if met[relation] else MISSED


def take_turns(ours, baselines: dict, end: float, turns: int = ROUNDS * TURNS) -> tuple[list, dict[str, list]]:
    """All baselines, ours, all baselines, ours, ..., all baselines: until there are `turns` of ours, or the time is over.
    What is called takes no arguments; what it returns is kept."""
    mine: list = []
    theirs: dict[str, list] = {name: [] for name in baselines}

    def take_baselines():
        for name, run in baselines.items():
            theirs[name].append(run())

    while len(mine) < turns and time.monotonic() < end:
        take_baselines()
        mine.append(ours())
    if mine:
        take_baselines()
    return mine, theirs


def compare(name: str, what: str, unit: str, ours: list, bare: list, figure, target: str = "", turns: int = TURNS, **notes) -> Row:
    """`ours`, `bare`: as `take_turns` gives them. `figure` makes one of what the turns of one side brought, of so many a round."""
    rounds = range(len(ours) // turns)
    mine = [figure(ours[i * turns:(i + 1) * turns]) for i in rounds]
    around = [bare[i * turns:(i + 1) * turns + 1] for i in rounds]
    theirs = [figure(one) for one in around]
    if not mine:
        return Row(name, what, unit, target=target, verdict="not measured: no time left", notes=notes)
    # A against A: of the same baseline every other turn, and the others.
    noise = statistics.median(abs(figure(one[0::2]) / figure(one[1::2]) - 1) for one in around)
    ratios = [one / other for one, other in zip(mine, theirs)]
    ratio = statistics.median(ratios)
    verdict = judge(ratio, target, noise) if len(mine) >= ROUNDS_MIN else f"not judged: {len(mine)} rounds"
    return Row(name, what, unit, statistics.median(mine), statistics.median(theirs), ratio, min(ratios), max(ratios), noise,
               len(mine), target, verdict if target else NO_TARGET, notes)
