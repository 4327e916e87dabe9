#!/usr/bin/env python3
"""Checks that docs/find-the-line.md is true: each function that it names is defined in the file beside it.

`--self-test` shows on made-up rows that this can fail.
"""

import pathlib
import re
import sys
import tempfile

ROW = re.compile(r"^\| [^|]+ \| `([^`]+)` \| `([^`]+)` \|$")
ROWS_MIN = 20


def problems(root: pathlib.Path, text: str, rows_min: int = ROWS_MIN) -> list[str]:
    found = []
    rows = [match.groups() for line in text.splitlines() if (match := ROW.match(line))]
    if len(rows) < rows_min:
        found.append(f"{len(rows)} rows can be read, fewer than {rows_min}")
    for name, function in rows:
        path = root / name
        if not path.is_file():
            found.append(f"{name} does not exist")
        elif not re.search(rf"^(?!\s*//).*\b{re.escape(function)}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            found.append(f"{name} does not define {function}")
    return found


def self_test() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "a.cc").write_text("void A::b(int) {}\n// A::c(\n", encoding="utf-8")
        assert problems(root, "| x | `a.cc` | `A::b` |", 1) == []
        for text in ("| x | `a.cc` | `A::c` |", "| x | `b.cc` | `A::b` |", "nothing", "| x | `a.cc` | `b::b` |"):
            assert problems(root, text, 1), f"not noticed: {text}"
    print("self-test: wrong rows are found")


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        self_test()
        sys.exit(0)
    top = pathlib.Path(__file__).resolve().parent.parent
    complaints = problems(top, (top / "docs/find-the-line.md").read_text(encoding="utf-8"))
    print("\n".join(complaints) if complaints else "every function of docs/find-the-line.md stands where it says")
    sys.exit(1 if complaints else 0)
