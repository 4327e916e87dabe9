#!/usr/bin/env python3
"""Table and plots of docs/performance.md from what `make bench` wrote:  plot.py build/release/bench/results.json docs/performance

Writes SVG by hand: four charts of lines are not worth a plotting library of a hundred megabytes.
"""

import json
import math
import pathlib
import shutil
import sys
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 78, 150, 46, 56
# Told apart by those who do not see all colours, too (Okabe and Ito).
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"]
INK, FAINT = "#24292f", "#d0d7de"


@dataclass
class Series:
    name: str
    points: list[tuple[float, float]]


@dataclass
class Axis:
    """Of values from `low` to `high`; a logarithmic one has a tick for each power of ten."""
    label: str
    low: float
    high: float
    logarithmic: bool = False

    def part(self, value: float) -> float:
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0 ** power for power in range(first, last + 1)]
        step = nice((self.high - self.low) / 5)
        return [self.low + step * i for i in range(int((self.high - self.low) / step + 1e-9) + 1)]


def nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def shown(value: float) -> str:
    for bound, unit in ((1e6, "M"), (1e3, "k")):
        if value >= bound:
            return f"{value / bound:g}{unit}"
    return f"{value:g}"


def from_zero(label: str, series: list[Series], least=0.0) -> Axis:
    highest = max(least, max(y for one in series for _, y in one.points)) * 1.08
    step = nice(highest / 5)
    return Axis(label, 0, step * math.ceil(highest / step))


def chart(title: str, x: Axis, y: Axis, series: list[Series], limit: tuple[float, str] | None = None) -> str:
    def at(point_x: float, point_y: float) -> tuple[float, float]:
        return (LEFT + x.part(point_x) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y.part(point_y) * (HEIGHT - TOP - BOTTOM))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
           f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}" role="img" aria-label="{escape(title)}">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="26" font-size="15" font-weight="600">{escape(title)}</text>']

    def text(where_x, where_y, what, anchor="middle", more=""):
        out.append(f'<text x="{where_x:.1f}" y="{where_y:.1f}" text-anchor="{anchor}"{more}>{escape(what)}</text>')

    for tick in y.ticks():
        _, height = at(x.low, tick)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="{FAINT}"/>')
        text(LEFT - 8, height + 4, shown(tick), "end")
    for tick in x.ticks():
        along, _ = at(tick, y.low)
        out.append(f'<line x1="{along:.1f}" x2="{along:.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 5}" stroke="{INK}"/>')
        text(along, HEIGHT - BOTTOM + 20, shown(tick))
    out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}" stroke="{INK}"/>')
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x.label)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    text(20, middle, y.label, more=f' transform="rotate(-90 20 {middle:.1f})"')
    if limit is not None:
        _, height = at(x.low, limit[0])
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="{INK}" '
                   f'stroke-dasharray="6 4"/>')
        text(WIDTH - RIGHT + 8, height + 4, limit[1], "start")

    for colour, one in zip(COLOURS, series):
        path = " ".join(f"{along:.1f},{height:.1f}" for along, height in (at(*point) for point in one.points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        out += [f'<circle cx="{along:.1f}" cy="{height:.1f}" r="3.5" fill="{colour}"/>'
                for along, height in (at(*point) for point in one.points) if len(one.points) <= 8]
    # Names at the lines' ends, moved apart where these are close.
    lowest_free = -math.inf
    ends = sorted(((at(*one.points[-1])[1], colour, one.name) for colour, one in zip(COLOURS, series)))
    for height, colour, name in ends:
        height = max(height, lowest_free)
        lowest_free = height + 17
        text(WIDTH - RIGHT + 8, height + 4, name, "start", f' fill="{colour}" font-weight="600"')
    return "\n".join([*out, "</svg>"]) + "\n"


def fan_out(rows: dict) -> str:
    names = {"gso": "GSO blaster", "sendmmsg": "sendmmsg loop", "sendto": "sendto loop"}
    sizes = [size for size in (1, 10, 100, 1000) if f"fan-out-{size}/gso" in rows]
    series = [Series("amt relay", [(size, rows[f"fan-out-{size}/gso"]["ours"]) for size in sizes])]
    series += [Series(name, [(size, rows[f"fan-out-{size}/{key}"]["bare"]) for size in sizes]) for key, name in names.items()]
    return chart("Fan-out of one channel", Axis("gateways", 1, 1000, True), from_zero("copies for a second of CPU", series), series)


def latency(rows: dict) -> str:
    notes = rows["latency/p50"]["notes"]
    series = [Series(name, [(nanoseconds / 1e3, 100 * part) for nanoseconds, part in zip(notes[key], notes["quantiles"])])
              for name, key in (("amt relay", "ours_nanoseconds"), ("recv+sendto loop", "bare_nanoseconds"))]
    values = [x for one in series for x, _ in one.points]
    across = Axis("microseconds from the source's sendto to a gateway's socket", min(values) * 0.8, max(values) * 1.2, True)
    return chart("Latency at 1000 packets a second, 10 gateways", across, Axis("percent that took no longer", 0, 100), series)


def memory(rows: dict) -> str:
    points = sorted((int(name.split("/")[1]), row["ours"]) for name, row in rows.items() if name.startswith("memory/"))
    series = [Series("amt relay", points)]
    return chart("Memory of a tunnel with one group", Axis("tunnels", points[0][0], points[-1][0], True),
                 from_zero("octets a tunnel", series, 512), series, (512, "target"))


def costs(rows: dict) -> str:
    """Against what exists, each as a multiple of the cost with the least of it."""
    what = {"packet-cost": ("data packet", 1), "look-up": ("its look-up alone", 1), "update-join": ("join", 10), "update-leave": ("leave", 10)}
    series = []
    for key, (name, least) in what.items():
        points = sorted((int(row_name.split("/")[1]), row["ratio"]) for row_name, row in rows.items()
                        if row_name.startswith(f"{key}/") and row["ratio"])
        if points:
            series.append(Series(name, [(least, 1.0), *points]))
    return chart("Cost against what else there is", Axis("channels (data), tunnels (join and leave)", 1, 1e6, True),
                 from_zero("times the cost with the fewest", series, 1.5), series, (1.2, "target"))


CHARTS = {"fan-out": fan_out, "latency": latency, "memory": memory, "costs": costs}


def figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.3g}"


def table(results: dict) -> str:
    about = results["machine"]
    out = ["# Figures", "", f"Written by `bench/plot.py` from [results.json](results.json): {about['cores']} cores, {about['processor']}, "
           f"Linux {about['kernel']}. [What they mean](../performance.md).", "",
           "| figure | ratio | of rounds | noise | target | verdict | ours | baseline | |", "|---|---:|---|---:|---|---|---:|---:|---|"]
    for row in results["rows"]:
        spread = f"{row['low']:.2f} to {row['high']:.2f}" if row["low"] is not None else ""
        noise = f"{row['noise']:.1%}" if row["noise"] is not None else ""
        out.append(f"| {row['what']} | {figure(row['ratio'])} | {spread} | {noise} | {row['target']} | {row['verdict']} "
                   f"| {figure(row['ours'])} | {figure(row['bare'])} | {row['unit']} |")
    return "\n".join(out) + "\n"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    results, folder = (pathlib.Path(one) for one in sys.argv[1:])
    everything = json.loads(results.read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in everything["rows"] if row["ours"] is not None}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.md").write_text(table(everything), encoding="utf-8")
    for name, draw in CHARTS.items():
        try:
            (folder / f"{name}.svg").write_text(draw(rows), encoding="utf-8")
        except (KeyError, IndexError, ValueError) as missing:
            print(f"{name}.svg not drawn: {results} lacks {missing}")
    if results.resolve() != (folder / "results.json").resolve():
        shutil.copy(results, folder / "results.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
