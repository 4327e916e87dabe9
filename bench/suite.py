#!/usr/bin/env python3
"""What `make bench` runs:  suite.py TOOLS AMT

TOOLS: the folder of the benchmark's programs. Environment: ONLY, names of groups, or their
first words, to be measured; SECONDS_MAX, after which nothing new is begun. Prints a table, writes results.json beside TOOLS. Runs in
namespaces of its own, as root or by a user namespace. Exit status 1: something went wrong; a target missed is no failure.
"""

import dataclasses
import json
import os
import pathlib
import platform
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests/system")]

import rows_control  # noqa: E402
import rows_fan_out  # noqa: E402
import run as system_tests  # noqa: E402
from lib.scenario import Case, Skipped  # noqa: E402
from rounds import Row  # noqa: E402

SECONDS_MAX = 420.0
GROUPS = {**rows_fan_out.GROUPS, **rows_control.GROUPS}


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line(row: Row) -> str:
    spread = f"{row.low:.2f}-{row.high:.2f}" if row.low is not None else ""
    noise = f"{row.noise:.1%}" if row.noise is not None else ""
    notes = ", ".join(f"{key.replace('_', ' ')} {shown(value) if isinstance(value, (int, float)) else value}"
                      for key, value in row.notes.items() if value or key == "segments_a_message")
    return (f"{row.what:52} {shown(row.ratio):>6} {spread:>10} {noise:>6}  {row.target:7} {row.verdict:12} "
            f"{shown(row.ours):>9} {shown(row.bare):>9} {row.unit}{'; ' + notes if notes else ''}")


def measure(name: str, rows, tools: str, amt: str, end: float) -> tuple[list[Row], bool]:
    """The group's rows, and whether it went wrong."""
    case, out, failed = Case(amt, []), [], True
    try:
        for row in rows(case, tools, name, end):
            print(line(row), flush=True)
            out.append(row)
        failed = False
    except Skipped as reason:
        failed = False
        out.append(Row(name, name, verdict=f"SKIPPED: {reason}"))
        print(f"{name:52} SKIPPED: {reason}", flush=True)
    except Exception:  # one group that fails does not end the others
        traceback.print_exc(file=sys.stdout)
    finally:
        case.finish(failed)
    return out, failed


def machine() -> dict:
    models = {text.split(":")[1].strip() for text in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
              if text.startswith("model name")}
    return {"kernel": platform.release(), "processor": ", ".join(sorted(models)), "cores": len(os.sched_getaffinity(0)),
            "load": os.getloadavg()[0]}


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    tools, amt = (str(pathlib.Path(one).resolve()) for one in sys.argv[1:])
    only = os.environ.get("ONLY", "").split()
    wanted = [name for name in GROUPS if not only or any(f"{name}-".startswith(f"{word}-") for word in only)]
    if not wanted:
        print(f"no such group; there are: {' '.join(GROUPS)}")
        return 2
    try:
        system_tests.enter_namespaces()
    except SystemExit:
        return 0  # it has said why
    if len(os.sched_getaffinity(0)) < 2:
        print("SKIPPED: one core alone cannot tell the relay from its source")
        return 0
    end = time.monotonic() + float(os.environ.get("SECONDS_MAX") or SECONDS_MAX)
    about, rows, wrong = machine(), [], False
    print(f"{about['cores']} cores, {about['processor']}, Linux {about['kernel']}, load {about['load']:.2f}\n"
          f"{'':52} {'ratio':>6} {'of rounds':>10} {'noise':>6}  {'target':7} {'verdict':12} {'ours':>9} {'baseline':>9}",
          flush=True)
    for name in wanted:
        if time.monotonic() > end:
            print(f"{name:52} not measured: no time left", flush=True)
            continue
        new, failed = measure(name, GROUPS[name], tools, amt, end)
        rows += new
        wrong = wrong or failed
    write_results(pathlib.Path(tools) / "results.json", about, rows)
    return int(wrong)


def write_results(path: pathlib.Path, about: dict, rows: list[Row]) -> None:
    """Beside what earlier runs of other groups left there."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError, KeyError):
        known = []
    names = {row.name for row in rows}
    kept = [row for row in known if row["name"] not in names]
    text = json.dumps({"machine": about, "rows": kept + [dataclasses.asdict(row) for row in rows]}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    sys.exit(main())
