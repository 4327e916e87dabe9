#!/usr/bin/env python3
"""Line coverage of every room of src/ by unit tests, read from a coverage build by gcov.

  tools/coverage.py BUILD           prints a table; fails where a room is below its least
  tools/coverage.py BUILD ROOM...   the same, and the lines of each ROOM that did not run

What no unit test links counts as not run. Tests, and headers that only tests include, do not count.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

import rooms

TOP = pathlib.Path(__file__).resolve().parent.parent

# Least line coverage in percent. What is pure can be tested to the last branch; what touches the machine has branches for
# errors that no test can bring about.
LEAST_PURE = 95
LEAST_MACHINE = 70
# Rooms for which another figure holds, never to be lowered. Most of `demo` starts programs, most of `library` is called by
# programs in C: system tests run both.
LEAST_OTHER = {"demo": 50, "library": 25}
WORST_FILES_SHOWN = 3

Lines = dict[int, int]
"""How often each line ran, by its number."""


def least_percent(room: str) -> int:
    return LEAST_OTHER.get(room, LEAST_PURE if room in rooms.PURE else LEAST_MACHINE)


def test_files(src: pathlib.Path) -> set[str]:
    """Tests, and the headers that only tests include, directly or through one another; relative to `src`."""
    includes = {}
    for path in src.rglob("*"):
        if path.suffix in (".cc", ".hh", ".h"):
            found = re.findall(r'^#include "([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
            includes[str(path.relative_to(src))] = set(found)
    includers = collections.defaultdict(set)
    for name, included in includes.items():
        for header in included:
            includers[header].add(name)
    tests = {name for name in includes if name.endswith("_test.cc")}
    while True:
        more = {name for name in includes if name not in tests and includers[name] and includers[name] <= tests}
        if not more:
            return tests
        tests |= more


def counts_of(notes: pathlib.Path) -> dict[pathlib.Path, Lines]:
    """Lines of our sources in one object file. Without a .gcda file beside `notes` none of them ran."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", str(notes.resolve())], cwd=notes.parent,
                          capture_output=True, text=True, check=True)
    found: dict[pathlib.Path, Lines] = {}
    for text in done.stdout.splitlines():
        report = json.loads(text)
        base = pathlib.Path(report["current_working_directory"])
        for file in report["files"]:
            path = pathlib.Path(os.path.normpath(base / file["file"]))
            if not path.is_relative_to(TOP / "src"):
                continue
            lines = found.setdefault(path.relative_to(TOP / "src"), {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
    return found


def collect(build: pathlib.Path) -> dict[pathlib.Path, Lines]:
    """The same, of all object files together; a header's lines count where any of them ran."""
    total: dict[pathlib.Path, Lines] = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(counts_of, sorted((build / "src").rglob("*.gcno"))):
            for path, lines in found.items():
                into = total.setdefault(path, {})
                for number, count in lines.items():
                    into[number] = into.get(number, 0) + count
    return total


def percent(ran: int, lines: int) -> float:
    return 100 * ran / lines if lines else 0.0


def ran_of(lines: Lines) -> int:
    return sum(1 for count in lines.values() if count > 0)


def print_room(room: str, files: dict[str, Lines]) -> bool:
    """One row of the table. False: the room is below its least."""
    ran = sum(ran_of(lines) for lines in files.values())
    total = sum(len(lines) for lines in files.values())
    worst = sorted(files, key=lambda name: ran_of(files[name]) - len(files[name]))[:WORST_FILES_SHOWN]
    named = ", ".join(f"{name} {len(files[name]) - ran_of(files[name])}" for name in worst
                      if ran_of(files[name]) < len(files[name]))
    is_enough = percent(ran, total) >= least_percent(room)
    print(f"coverage: {room:<15} {percent(ran, total):5.1f} % {'>=' if is_enough else '< '} {least_percent(room):2} %  "
          f"{ran:5} of {total:5} lines; most not run: {named or '-'}")
    return is_enough


def print_missed(room: str, files: dict[str, Lines]) -> None:
    for name, lines in sorted(files.items()):
        missed = [str(number) for number, count in sorted(lines.items()) if count == 0]
        if missed:
            print(f"coverage: src/{room}/{name} {percent(ran_of(lines), len(lines)):.0f} %, not run: {' '.join(missed)}")


def main() -> int:
    if len(sys.argv) < 2 or any(room not in rooms.read_rooms(TOP / "src") for room in sys.argv[2:]):
        print(__doc__, file=sys.stderr)
        return 2
    tests = test_files(TOP / "src")
    by_room: dict[str, dict[str, Lines]] = {room: {} for room in rooms.read_rooms(TOP / "src")}
    for path, lines in collect(pathlib.Path(sys.argv[1])).items():
        if str(path.parent) in by_room and str(path) not in tests:
            by_room[str(path.parent)][path.name] = lines
    if not any(by_room.values()):
        print(f"coverage: {sys.argv[1]} holds no coverage build", file=sys.stderr)
        return 2
    order = sorted(by_room, key=lambda room: (room not in rooms.PURE, room))
    low = [room for room in order if not print_room(room, by_room[room])]
    for room in sys.argv[2:]:
        print_missed(room, by_room[room])
    if low:
        print(f"coverage: below the least: {', '.join(low)}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
