"""What a figure is: rounds of ours and of its baselines in turn, the median of their ratios, and how much to believe it."""

import statistics
import time
from dataclasses import dataclass, field

ROUNDS = 12
# Less is an anecdote.
ROUNDS_MIN = 8
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


def take_turns(ours, baselines: dict, rounds: int, end: float) -> tuple[list, dict[str, list]]:
    """All baselines, ours, all baselines, ours, ..., all baselines: until there are `rounds` of ours, or the time is over.
    What is called takes no arguments; what it returns is kept."""
    mine: list = []
    theirs: dict[str, list] = {name: [] for name in baselines}

    def take_baselines():
        for name, run in baselines.items():
            theirs[name].append(run())

    while len(mine) < rounds and time.monotonic() < end:
        take_baselines()
        mine.append(ours())
    if mine:
        take_baselines()
    return mine, theirs


def take_slices(ours, bare, slices: int, rounds: int, end: float) -> list[tuple[list, list, list]]:
    """Rounds of so many slices: a baseline, ours, the same baseline again, in turn, so that what comes over the machine comes over
    all three alike. Until there are `rounds`, or the time is over."""
    taken = []
    while len(taken) < rounds and time.monotonic() < end:
        sides: tuple[list, list, list] = ([], [], [])
        for _ in range(slices):
            for results, side in zip(sides, (bare, ours, bare)):
                results.append(side())
        taken.append(sides)
    return taken


def compare_interleaved(name: str, what: str, unit: str, rounds: list[tuple[float, float, float]], target: str = "", **notes) -> Row:
    """`rounds`: what came out of each round of `take_slices`, side by side."""
    ours, bare = [mine for _, mine, _ in rounds], [statistics.mean((before, after)) for before, _, after in rounds]
    apart = [abs(before / after - 1) for before, _, after in rounds]
    return row_of(name, what, unit, ours, bare, bare, apart, target, notes)


def compare(name: str, what: str, unit: str, ours: list[float], bare: list[float], target: str = "", **notes) -> Row:
    """`bare` has one more than `ours`: one before each and one after the last."""
    around = [statistics.mean(bare[i:i + 2]) for i in range(len(ours))]
    # A against A: a baseline compared with the two around it, just as ours is.
    apart = [abs(bare[i] / statistics.mean((bare[i - 1], bare[i + 1])) - 1) for i in range(1, len(bare) - 1)]
    return row_of(name, what, unit, ours, bare, around, apart, target, notes)


def row_of(name, what, unit, ours: list[float], bare: list[float], around: list[float], apart: list[float], target: str,
           notes: dict) -> Row:
    """`around`: what each of ours is compared with. `apart`: how far baselines are from one another, as parts."""
    if not ours:
        return Row(name, what, unit, target=target, verdict="not measured: no time left", notes=notes)
    ratios = [one / other for one, other in zip(ours, around)]
    noise = statistics.median(apart) if apart else None
    ratio = statistics.median(ratios)
    verdict = judge(ratio, target, noise) if len(ours) >= ROUNDS_MIN else f"not judged: {len(ours)} rounds"
    return Row(name, what, unit, statistics.median(ours), statistics.median(bare), ratio, min(ratios), max(ratios), noise,
               len(ours), target, verdict if target else NO_TARGET, notes)
