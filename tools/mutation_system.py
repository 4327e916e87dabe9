"""Mutants of what the built program does (tests/mutation/system.toml): the program is built with them, and the system test of
each has to fail, with the words that the mutant names. Used by tools/mutation.py."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from mutation_copy import Copy, problem_of_text

LIST = "tests/mutation/system.toml"
TEST_SECONDS = 600
SKIPPED = 77


class SystemMutant:
    def __init__(self, entry: dict):
        self.breaks, self.batch = entry["breaks"], entry["batch"]
        self.file, self.old, self.new = entry["file"], entry["old"], entry["new"]
        self.test, self.shows = entry["test"].split(), entry["shows"]

    @property
    def stem(self) -> str:
        return self.test[0].removesuffix(".py")

    def problem(self, root: pathlib.Path) -> str | None:
        name = f"{LIST}: {self.breaks}"
        if problem := problem_of_text(root, self.file, self.old, self.new):
            return f"{name}: {problem}"
        test = root / "tests/system" / self.test[0]
        if not test.is_file():
            return f"{name}: there is no test {self.test[0]}"
        if self.shows not in test.read_text(encoding="utf-8"):
            return f"{name}: {self.test[0]} does not say {self.shows!r}"
        return None


def read_system_mutants(root: pathlib.Path) -> list[SystemMutant]:
    return [SystemMutant(entry) for entry in tomllib.loads((root / LIST).read_text(encoding="utf-8"))["mutant"]]


def run_test(copy: Copy, program: pathlib.Path, test: list[str]) -> tuple[int, str]:
    """Its status, and what it says; of a failure the error's own words alone."""
    try:
        done = subprocess.run([sys.executable, "-B", copy.tree / "tests/system/run.py", *test], capture_output=True, text=True,
                              errors="replace", timeout=TEST_SECONDS, check=False, env={**os.environ, "AMT": str(program)})
    except subprocess.TimeoutExpired:
        return 1, f"not done after {TEST_SECONDS} s"
    error = re.search(r"^(?:\w+\.)*\w*(?:Error|Expired)\b.*?(?=^---|^FAILED|\Z)", done.stdout, re.MULTILINE | re.DOTALL)
    return done.returncode, error[0].strip() if error else done.stdout.strip()


def judge(mutant: SystemMutant, status: int, said: str) -> tuple[bool, str]:
    first = said.splitlines()[0] if said else ""
    if status == 0:
        return False, f"SURVIVED {' '.join(mutant.test)}"
    if mutant.shows not in said:
        return False, f"SURVIVED: {' '.join(mutant.test)} fails for another reason: {first}"
    return True, f"killed by {' '.join(mutant.test)}: {first[:160]}"


def passes_unbroken(copy: Copy, test: list[str], program: pathlib.Path) -> bool:
    """False: this machine cannot show it, and the reason was printed."""
    status, said = run_test(copy, program, test)
    if status not in (0, SKIPPED):
        sys.exit(f"mutation: {' '.join(test)} must pass before anything is broken: {said}")
    if status == SKIPPED:
        print(f"{' '.join(test)}: {said}", flush=True)
    return status == 0


def run_batch(copy: Copy, batch: list[SystemMutant], program: pathlib.Path) -> int:
    broken = program.with_name("amt-broken")
    with copy.broken_by(batch):
        if not copy.build_targets(["amt"]):
            sys.exit(f"mutation: batch {batch[0].batch} does not compile, see build/mutation/log")
        shutil.copyfile(copy.build / "amt", broken)
        broken.chmod(0o755)
    survivors = 0
    for mutant in batch:
        killed, how = judge(mutant, *run_test(copy, broken, mutant.test))
        survivors += not killed
        print(f"{mutant.breaks}: {how}", flush=True)
    return survivors


def run_system(root: pathlib.Path, mutants: list[SystemMutant]) -> int:
    (root / "build/mutation").mkdir(parents=True, exist_ok=True)
    copy = Copy(root)
    copy.bring_up_to_date()
    if not copy.build_targets(["amt"]):
        sys.exit("mutation: the tree does not build, see build/mutation/log")
    program = root / "build/mutation/amt"
    shutil.copyfile(copy.build / "amt", program)
    program.chmod(0o755)
    shown = {test for test in {tuple(one.test) for one in mutants} if passes_unbroken(copy, list(test), program)}
    judged = [one for one in mutants if tuple(one.test) in shown]
    survivors = sum(run_batch(copy, [one for one in judged if one.batch == batch], program)
                    for batch in sorted({one.batch for one in judged}))
    print(f"{len(judged)} mutants of the program, {survivors} survived, {len(mutants) - len(judged)} not shown here")
    return int(survivors > 0)


def self_test() -> None:
    entry = {"breaks": "b", "file": "src/a.cc", "old": "x", "new": "y", "test": "t.py 4", "shows": "data comes", "batch": 1}

    def problem(**changes) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"src/a.cc": "x;\n", "tests/system/t.py": 'wait("data comes")\n'}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return SystemMutant({**entry, **changes}).problem(root)

    assert problem() is None, problem()
    assert problem(old="z"), "the old text is gone"
    assert problem(test="u.py"), "no such test"
    assert problem(shows="nothing comes"), "the test says no such thing"
    mutant = SystemMutant(entry)
    assert judge(mutant, 1, "AssertionError: not within 5 s: data comes")[0]
    assert not judge(mutant, 1, "AssertionError: not ready")[0], "failed for another reason"
    assert not judge(mutant, 0, "passed")[0], "nobody noticed"
