"""The copy of the tree in which tools/mutation.py breaks things and builds."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

JOBS = str(os.cpu_count() or 1)


def problem_of_text(root: pathlib.Path, file: str, old: str, new: str) -> str | None:
    """Why `old` cannot be replaced by `new` in the file, or None."""
    path = root / file
    count = path.read_text(encoding="utf-8").count(old) if path.is_file() else 0
    if count != 1:
        return f"its old text stands {count} times in {file}"
    if old == new:
        return "changes nothing"
    return None


class Copy:
    """The tree in build/mutation/tree, and what is built of it beside."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.tree, self.build = root / "build/mutation/tree", root / "build/mutation/build"

    def bring_up_to_date(self) -> None:
        listed = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                check=True, capture_output=True).stdout.decode().split("\0")
        names = {name for name in listed if name and (self.root / name).is_file()}
        for path in list(self.tree.rglob("*")) if self.tree.is_dir() else []:
            if path.is_file() and str(path.relative_to(self.tree)) not in names:
                path.unlink()
        for name in names:
            self._update(name)
        if not (self.build / "build.ninja").is_file():
            self._run(["cmake", "-G", "Ninja", "-S", str(self.tree), "-B", str(self.build), "-DCMAKE_BUILD_TYPE=Debug",
                       "-DCMAKE_CXX_FLAGS_DEBUG=-O0"])

    def _update(self, name: str) -> None:
        """Only what differs is written: what has its old time is not built again."""
        source, target = self.root / name, self.tree / name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def build_targets(self, targets) -> bool:
        return self._run(["cmake", "--build", str(self.build), "-j", JOBS, "--target", *targets], check=False)

    @contextlib.contextmanager
    def broken_by(self, mutants):
        """With the faults of these mutants; whole again afterwards."""
        originals = {}
        for mutant in mutants:
            path = self.tree / mutant.file
            text = path.read_text(encoding="utf-8")
            originals.setdefault(path, text)
            path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        try:
            yield
        finally:
            for path, text in originals.items():
                path.write_text(text, encoding="utf-8")

    def _run(self, command: list[str], check=True) -> bool:
        with open(self.root / "build/mutation/log", "ab") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        if check and done.returncode != 0:
            sys.exit(f"mutation: `{' '.join(command)}` failed, see build/mutation/log")
        return done.returncode == 0
