#!/usr/bin/env python3
"""Looks for the names of tools/banned.txt in the tracked files. `--self-test` shows that it can find them.

A line is let through when it, or the comment line above it, says `allow: reason` at its end.
"""

import pathlib
import re
import subprocess
import sys

import rooms

CXX = {".cc", ".hh", ".h"}
ALLOW = re.compile(r"allow: \w.{8,}")
# The list itself, and licences, which are not ours to word.
EXEMPT = {"tools/banned.txt", "LICENSE"}


def read_list(text: str) -> list[tuple[str, re.Pattern, str]]:
    rules = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            files, rest = line.split("|", 1)
            pattern, instead = rest.rsplit(" | ", 1)
            rules.append((files.strip(), re.compile(pattern.strip()), instead.strip()))
    return rules


def without_comments_and_strings(line: str) -> str:
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def problems_in(name: str, text: str, rules) -> list[str]:
    found = []
    path = pathlib.PurePosixPath(name)
    cxx = path.suffix in CXX
    product = cxx and path.parts[0] in ("src", "include") and not name.endswith("_test.cc")
    pure = product and (path.parts[0] == "include" or path.parts[1] in rooms.PURE)
    allowed_next = None
    for number, line in enumerate(text.splitlines(), 1):
        allowed = ALLOW.search(line) or allowed_next
        allowed_next = re.match(r"\s*(//|#)", line) and ALLOW.search(line)
        if allowed:
            continue
        code = without_comments_and_strings(line) if cxx else line
        for files, pattern, instead in rules:
            concerned, looked_at = {"all": (True, line), "cxx": (cxx, code), "src": (product, code),
                                    "pure": (pure, code)}[files]
            match = concerned and pattern.search(looked_at)
            if match:
                found.append(f"{name}:{number}: `{match.group(0).strip()}`: use {instead}")
    return found


def tracked_files(root: pathlib.Path) -> list[str]:
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         check=True, capture_output=True).stdout
    return [name for name in out.decode().split("\0") if name and name not in EXEMPT]


def self_test(rules) -> None:
    def caught(name: str, line: str) -> bool:
        return bool(problems_in(name, line, rules))

    for line in ["std::cout << x;", "sprintf(a, b);", "int r = rand();", "auto p = reinterpret_cast<Header*>(b);",
                 "using namespace std;", "strcpy(a, b);", "throw 1;", "auto t = std::chrono::steady_clock::now();",
                 "auto* p = new Thing;", "delete p;", "assert(x);"]:
        assert caught("src/wire/a.cc", line), f"not noticed: {line}"
    # Put together here so that this file does not trip over itself.
    assert caught("README.md", "see " + "/wo" + "rk/here"), "machine path"
    assert caught("tools/a.sh", "# TO" + "DO later"), "left over"
    for line in ["// a comment about rand()", 'log("throw");', "Thing(const Thing&) = delete;", "random_.rand_bytes(x);",
                 "throw 1;  // allow: the library underneath wants it", "int transmit(new_size);",
                 "static_assert(true);"]:
        assert not caught("src/io/a.cc", line), f"wrongly refused: {line}"
    assert caught("src/ip/a.cc", "auto p = reinterpret_cast<A*>(&a);  // allow: x"), "an allowance needs a reason"
    assert not caught("src/io/a.cc", "auto p = reinterpret_cast<sockaddr*>(&a);"), "the sockets API needs it"
    assert not caught("tests/system/test_x.py", "using namespace std;"), "C++ rules are for C++"
    assert not caught("src/io/a.cc", "// allow: the library underneath wants it\nthrow 1;"), "a comment above allows"
    assert caught("src/io/a.cc", "// allow: the library underneath wants it\nf();\nthrow 1;"), "but only the next line"
    print("self-test: every kind of name is found, comments and allowed lines are not")


if __name__ == "__main__":
    top = pathlib.Path(__file__).resolve().parent.parent
    banned = read_list((top / "tools/banned.txt").read_text(encoding="utf-8"))
    if "--self-test" in sys.argv:
        self_test(banned)
        sys.exit(0)
    complaints = []
    for file in tracked_files(top):
        try:
            content = (top / file).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        complaints += problems_in(file, content, banned)
    print("\n".join(complaints) if complaints else "no banned name")
    sys.exit(1 if complaints else 0)
