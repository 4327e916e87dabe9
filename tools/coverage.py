#!/usr/bin/env python3
"""Line coverage of the pure rooms, read from a coverage build by gcov.

  tools/coverage.py BUILD     prints a table; fails when a room is below its least
  tools/coverage.py --rooms   the rooms, a line each
"""

import json
import pathlib
import subprocess
import sys

import rooms

TOP = pathlib.Path(__file__).resolve().parent.parent
LEAST_PERCENT = 90.0


def pure_rooms():
    return sorted(rooms.PURE)


def is_test(path):
    name = path.name
    return name.endswith("_test.cc") or "test_" in name or "_test_" in name or name.startswith("handmade_")


def counts_of(gcda):
    """Lines of our sources in one object file: {path: {line: count}}."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", str(gcda.resolve())], cwd=gcda.parent,
                          capture_output=True, text=True, check=False)
    found = {}
    for text in done.stdout.splitlines():
        report = json.loads(text)
        base = pathlib.Path(report["current_working_directory"])
        for file in report["files"]:
            path = (base / file["file"]).resolve()
            if not path.is_relative_to(TOP):
                continue
            lines = found.setdefault(path.relative_to(TOP), {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
    return found


def collect(build):
    """The same, of all object files together; a header's lines count where any of them ran."""
    total = {}
    for gcda in sorted(build.rglob("*.gcda")):
        for path, lines in counts_of(gcda).items():
            into = total.setdefault(path, {})
            for number, count in lines.items():
                into[number] = into.get(number, 0) + count
    return total


def room_of(path):
    parts = path.parts
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def main():
    if sys.argv[1:] == ["--rooms"]:
        print("\n".join(pure_rooms()))
        return 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    total = collect(pathlib.Path(sys.argv[1]))
    sums = {room: [0, 0] for room in pure_rooms()}
    missed = []
    for path, lines in total.items():
        room = room_of(path)
        if room not in sums or is_test(path):
            continue
        ran = sum(1 for count in lines.values() if count > 0)
        sums[room][0] += ran
        sums[room][1] += len(lines)
        if ran < LEAST_PERCENT / 100 * len(lines):
            missed.append((path, [number for number, count in sorted(lines.items()) if count == 0]))

    def line(name, ran, lines):
        percent = 100 * ran / lines if lines else 0.0
        print(f"coverage: {name:<12} {percent:5.1f} %  {ran} of {lines} lines")
        return percent

    low = [room for room, (ran, lines) in sums.items() if line(room, ran, lines) < LEAST_PERCENT]
    line("pure rooms", sum(s[0] for s in sums.values()), sum(s[1] for s in sums.values()))
    for path, numbers in sorted(missed):
        shown = " ".join(str(number) for number in numbers[:20])
        print(f"coverage: {path}: not run: {shown}{' ...' if len(numbers) > 20 else ''}")
    if low:
        print(f"coverage: below {LEAST_PERCENT:.0f} %: {', '.join(low)}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
