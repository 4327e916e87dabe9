#!/usr/bin/env python3
"""What `make bench` runs:  suite.py TOOLS AMT

TOOLS: the folder of the benchmark's programs. Environment: ONLY, names of groups, or their
first words, to be measured; SECONDS_MAX, after which nothing new is begun. Prints a table, writes results.json beside TOOLS. Runs in
namespaces of its own, as root or by a user namespace. The group `kernel`, which takes minutes in a QEMU guest, is measured
only when it is named. Exit status 1: something went wrong; a target missed is no failure.
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

import kernel_driver  # noqa: E402
import rows_control  # noqa: E402
import rows_data_path  # noqa: E402
import rows_fan_out  # noqa: E402
import rows_first_picture  # noqa: E402
import rows_gateway  # noqa: E402
import rows_latency  # noqa: E402
import rows_loss  # noqa: E402
import rows_micro  # noqa: E402
import rows_status  # noqa: E402
import rows_viewers  # noqa: E402
import run as system_tests  # noqa: E402
from lib.scenario import Case, Skipped  # noqa: E402
from rounds import Row  # noqa: E402

SECONDS_MAX = 900.0
KERNEL = "kernel"
WHAT_WIDTH = 56
HEADING = (f"{'':{WHAT_WIDTH}} {'ratio':>6} {'of rounds':>10} {'noise':>6}  {'target':7} {'verdict':12} {'ours':>9} {'baseline':>9}")
GROUPS = {**rows_fan_out.GROUPS, **rows_loss.GROUPS, **rows_latency.GROUPS, **rows_gateway.GROUPS, **rows_micro.GROUPS,
          **rows_control.GROUPS, **rows_data_path.GROUPS, **rows_status.GROUPS,
          **rows_viewers.GROUPS, **rows_first_picture.GROUPS}


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line(row: Row) -> str:
    spread = f"{row.low:.2f}-{row.high:.2f}" if row.low is not None else ""
    noise = f"{row.noise:.1%}" if row.noise is not None else ""
    notes = ", ".join(f"{key.replace('_', ' ')} {shown(value) if isinstance(value, (int, float)) else value}"
                      for key, value in row.notes.items() if value and not isinstance(value, list))
    return (f"{row.what:{WHAT_WIDTH}} {shown(row.ratio):>6} {spread:>10} {noise:>6}  {row.target:7} {row.verdict:12} "
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
        print(f"{name:{WHAT_WIDTH}} SKIPPED: {reason}", flush=True)
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
    if not wanted and KERNEL not in only:
        print(f"no such group; there are: {' '.join([*GROUPS, KERNEL])}")
        return 2
    results, about = pathlib.Path(tools) / "results.json", machine()
    wrong = False
    # It needs the network for its packages, and no namespaces.
    if KERNEL in only and system_tests.MARK not in os.environ:
        print(HEADING, flush=True)
        rows, wrong = kernel_driver.measure(tools, amt)
        print("\n".join(map(line, rows)), flush=True)
        write_results(results, about, rows)
    if not wanted:
        return int(wrong)
    try:
        system_tests.enter_namespaces()
    except SystemExit:
        return 0  # it has said why
    if about["cores"] < 2:
        print("SKIPPED: one core alone cannot tell the relay from its source")
        return 0
    end = time.monotonic() + float(os.environ.get("SECONDS_MAX") or SECONDS_MAX)
    print(f"{about['cores']} cores, {about['processor']}, Linux {about['kernel']}, load {about['load']:.2f}\n{HEADING}", flush=True)
    for name in wanted:
        if time.monotonic() > end:
            print(f"{name:{WHAT_WIDTH}} not measured: no time left", flush=True)
            continue
        rows, failed = measure(name, GROUPS[name], tools, amt, end)
        write_results(results, about, rows)
        wrong = wrong or failed
    if not only:
        print(f"{KERNEL}: measured only when named, by `make bench ONLY={KERNEL}`, which takes minutes")
    return int(wrong)


def write_results(path: pathlib.Path, about: dict, rows: list[Row]) -> None:
    """Beside what was measured before."""
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
