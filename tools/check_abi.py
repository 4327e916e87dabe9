#!/usr/bin/env python3
"""Checks that the binary interface of libamt is the recorded one (src/library/libamt.abi): functions, structs and enumerations of its C
headers, compared by abidiff. What is compiled for it has the headers' declarations alone, so the build's own options do not matter.

  check_abi.py            compares; exit status 77: abidiff is not installed, or this is another machine than the record's
  check_abi.py --write    records the interface anew, after a change that is meant: additions go before 1.0 as after it; a change of what
                          there is makes AMT_ABI_VERSION and the library's SOVERSION greater
  check_abi.py --self-test  shows that a member more and a function less are found
"""

import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "src/library/libamt.abi"
HEADERS = ("amt.h", "core.h", "test_relay.h")
# Of the record.
MACHINE = "x86_64"


def library(folder: pathlib.Path, include: pathlib.Path) -> pathlib.Path:
    """A library that has each declared function, and none that does anything."""
    declared = "".join((include / "amt" / header).read_text(encoding="utf-8") for header in HEADERS)
    functions = re.findall(r"AMT_API ([^;]*?\bamt_\w+\([^;]*\));", declared)
    source = folder / "interface.c"
    source.write_text("".join(f"#include <amt/{header}>\n" for header in HEADERS)
                      + "".join(f"{one} {{ __builtin_trap(); }}\n" for one in functions), encoding="utf-8")
    out = folder / "libinterface.so"
    subprocess.run(["cc", "-std=c99", "-g", "-O0", "-w", "-fPIC", "-shared", "-Wl,-soname,libamt.so.0", f"-I{include}", source, "-o", out],
                   check=True)
    return out


def write(record: pathlib.Path, include: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--out-file", record,
                        library(pathlib.Path(folder), include)], check=True)
    # The path of the folder is another each time.
    text = re.sub(r" path='[^']*'", " path='interface.c'", record.read_text(encoding="utf-8"))
    record.write_text(text, encoding="utf-8")


def difference(record: pathlib.Path, include: pathlib.Path) -> str:
    """What abidiff says; empty: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["abidiff", "--no-show-locs", record, library(pathlib.Path(folder), include)], capture_output=True, text=True,
                              check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or f"abidiff: status {done.returncode}"


def self_test() -> None:
    changes = {"a member more": ("amt.h", "  int system_error;", "  int another;\n  int system_error;"),
               "a function less": ("core.h", "AMT_API void amt_core_close(amt_core* core);", ""),
               "another parameter": ("core.h", "amt_core_timeout(amt_core* core, int64_t", "amt_core_timeout(amt_core* core, int32_t")}
    for what, (header, old, new) in changes.items():
        with tempfile.TemporaryDirectory() as folder:
            include = pathlib.Path(folder) / "include"
            shutil.copytree(ROOT / "include", include)
            path = include / "amt" / header
            text = path.read_text(encoding="utf-8")
            assert old in text, old
            path.write_text(text.replace(old, new), encoding="utf-8")
            assert difference(RECORD, include), what
    assert not difference(RECORD, ROOT / "include"), "the interface as it is"
    print("ok")


def main() -> int:
    if shutil.which("abidiff") is None or platform.machine() != MACHINE:
        print(f"SKIPPED: no abidiff here, or this machine is no {MACHINE}")
        return 77
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if sys.argv[1:] == ["--write"]:
        write(RECORD, ROOT / "include")
        return 0
    if found := difference(RECORD, ROOT / "include"):
        print(f"{found}\nThe interface is not the recorded one. If that is meant: tools/check_abi.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
