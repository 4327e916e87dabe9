#!/usr/bin/env python3
"""Breaks requirements one at a time and shows that the tests which cite them notice.

  tools/mutation.py [REQUIREMENT...]   all mutants of tests/mutation/mutants.toml, or those of these requirements
  tools/mutation.py --system [TEST...] all mutants of tests/mutation/system.toml, or those of these system tests
  tools/mutation.py --check            only that each mutant still fits the sources and has tests that notice it
  tools/mutation.py --self-test        that each of these checks can fail

Works in build/mutation on a copy of the tree, never on the sources. A mutant that no test notices fails the run.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib

import mutation_system
from conformance_tests import read_tests
from mutation_copy import Copy, problem_of_text

TEST_SECONDS = 120


class Mutant:
    def __init__(self, entry: dict, tests: dict):
        self.requirement, self.breaks = entry["requirement"], entry["breaks"]
        self.file, self.old, self.new = entry["file"], entry["old"], entry["new"]
        self.room = "/".join(self.file.split("/")[1:-1])
        self.target = self.room.replace("/", "_") + "_test"
        # The room's own tests decide; those of the rooms above would take longer to build.
        self.tests = sorted(test.name for test, cited in tests.items()
                            if self.requirement in cited and test.path.startswith(f"src/{self.room}/"))

    def problem(self, root: pathlib.Path) -> str | None:
        name = f"tests/mutation/mutants.toml: {self.requirement} ({self.breaks})"
        if problem := problem_of_text(root, self.file, self.old, self.new):
            return f"{name}: {problem}"
        if not self.tests:
            return f"{name}: no unit test of src/{self.room} cites the requirement"
        return None


def read_mutants(root: pathlib.Path) -> list[Mutant]:
    entries = tomllib.loads((root / "tests/mutation/mutants.toml").read_text(encoding="utf-8"))["mutant"]
    tests = read_tests(root)
    return [Mutant(entry, tests) for entry in entries]


def run_tests(copy: Copy, mutant: Mutant) -> tuple[int, str]:
    # Parameterised tests have their instance's name in front and the parameter's behind.
    names = ":".join(f"{name}:{name}/*:*/{name}/*" for name in mutant.tests)
    program = copy.build / "src" / mutant.room / mutant.target
    try:
        done = subprocess.run([str(program), f"--gtest_filter={names}"], capture_output=True, text=True,
                              errors="replace", timeout=TEST_SECONDS, check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return -1, (late.stdout or b"").decode(errors="replace")


def ran(output: str) -> int:
    match = re.search(r"^\[={10}\] Running (\d+) tests?", output, re.MULTILINE)
    return int(match.group(1)) if match else 0


def killers(output: str) -> list[str]:
    """The tests that failed, or during which the program ended."""
    failed = re.findall(r"^\[  FAILED  \] ([^\s,]+\.[^\s,]+)", output, re.MULTILINE)
    started = re.findall(r"^\[ RUN      \] (\S+)", output, re.MULTILINE)
    ended = re.findall(r"^\[ +(?:OK|FAILED|SKIPPED) +\] ([^\s,]+)", output, re.MULTILINE)
    return sorted(set(failed)) or [f"{name} (ended the program)" for name in started if name not in ended]


def judge(copy: Copy, mutant: Mutant) -> tuple[bool, str]:
    with copy.broken_by([mutant]):
        if not copy.build_targets([mutant.target]):
            return False, "does not compile, see build/mutation/log"
        status, output = run_tests(copy, mutant)
    if status == 0:
        return False, f"SURVIVED {', '.join(mutant.tests)}"
    found = killers(output)
    return True, f"killed by {found[0]}" + (f" and {len(found) - 1} more" if len(found) > 1 else "")


def run(root: pathlib.Path, mutants: list[Mutant]) -> int:
    (root / "build/mutation").mkdir(parents=True, exist_ok=True)
    copy, start = Copy(root), time.monotonic()
    copy.bring_up_to_date()
    if not copy.build_targets(sorted({mutant.target for mutant in mutants})):
        sys.exit("mutation: the tree does not build, see build/mutation/log")
    survivors = 0
    for mutant in mutants:
        status, output = run_tests(copy, mutant)
        if status != 0 or ran(output) == 0:
            sys.exit(f"mutation: {', '.join(mutant.tests)} of {mutant.target} must pass before anything is broken:\n{output}")
    for mutant in mutants:
        killed, how = judge(copy, mutant)
        survivors += not killed
        print(f"{mutant.requirement:16} {mutant.breaks}: {how}", flush=True)
    print(f"{len(mutants)} mutants, {len(mutants) - survivors} killed, {survivors} survived, "
          f"{time.monotonic() - start:.0f} s")
    return int(survivors > 0)


def self_test() -> None:
    entry = {"requirement": "R-1-a", "breaks": "b", "file": "src/wire/a.cc", "old": "x < 1", "new": "x <= 1"}

    def problem(code="x < 1;", **changes) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"src/wire/a.cc": code, "src/wire/a_test.cc": "// R-1-a\nTEST(A, B) {\n}\n",
                               "src/ip/a_test.cc": "// R-1-b\nTEST(A, C) {\n}\n"}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return Mutant({**entry, **changes}, read_tests(root)).problem(root)

    assert problem() is None, problem()
    assert problem(code="x < 2;"), "the old text is gone"
    assert problem(code="x < 1; x < 1;"), "the old text stands there twice"
    assert problem(file="src/wire/b.cc"), "no such file"
    assert problem(new="x < 1"), "changes nothing"
    assert problem(requirement="R-1-b"), "the tests of another room are not run"
    text = "[==========] Running 2 tests from 1 test suite.\n[ RUN      ] A.B\n[       OK ] A.B (0 ms)\n[ RUN      ] A.C\n"
    assert ran(text) == 2 and killers(text) == ["A.C (ended the program)"], killers(text)
    assert killers(text + "[  FAILED  ] A.C (1 ms)\n[  FAILED  ] 1 test, listed below:\n") == ["A.C"]


def choose(mutants: list, names: set[str], name_of) -> list:
    unknown = names - {name_of(mutant) for mutant in mutants}
    if unknown:
        print(f"no mutant of {', '.join(sorted(unknown))}")
        sys.exit(2)
    return [mutant for mutant in mutants if not names or name_of(mutant) in names]


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv:
        self_test()
        mutation_system.self_test()
        print("self-test: a mutant that does not fit, and one that nobody would notice, are found")
        return 0
    mutants, of_program = read_mutants(root), mutation_system.read_system_mutants(root)
    problems = [problem for mutant in (*mutants, *of_program) if (problem := mutant.problem(root))]
    if problems:
        print("\n".join(problems))
        return 1
    if "--check" in sys.argv:
        print(f"{len(mutants)} mutants of {len({mutant.requirement for mutant in mutants})} requirements and "
              f"{len(of_program)} of the program fit the sources")
        return 0
    names = {name for name in sys.argv[1:] if name != "--system"}
    if "--system" in sys.argv:
        return mutation_system.run_system(root, choose(of_program, names, lambda mutant: mutant.stem))
    return run(root, choose(mutants, names, lambda mutant: mutant.requirement))


if __name__ == "__main__":
    sys.exit(main())
