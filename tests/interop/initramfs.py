"""The guest's whole system in one archive: busybox, the program, Python, and the tests that run there."""

import pathlib
import re
import shutil
import subprocess
import sys

# From this machine, with the libraries that they need.
PROGRAMS = ("ip", "smcrouted", "smcroutectl", "setpriv", "unshare", "mount")
# Parts of Python's library that no test imports, and that are large.
UNWANTED = shutil.ignore_patterns("test", "tests", "config-*", "idlelib", "lib2to3", "pydoc_data", "distutils", "ensurepip",
                                  "tkinter", "turtledemo", "site-packages", "dist-packages", "*.a")


def _libraries(*programs: pathlib.Path) -> set[pathlib.Path]:
    """What the dynamic linker would load for them."""
    done = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False)
    return {pathlib.Path(path) for path in re.findall(r"(/\S+)(?= \(0x)", done.stdout)}


class Archive:
    def __init__(self, folder: pathlib.Path):
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        for name in ("bin", "proc", "sys", "dev", "tmp", "run", "etc", "modules"):
            (folder / name).mkdir(parents=True)

    def add(self, source: pathlib.Path, target: str) -> None:
        out = self._folder / target.lstrip("/")
        out.parent.mkdir(parents=True, exist_ok=True)
        if not out.exists():
            shutil.copy(source, out)

    def write_text(self, target: str, text: str) -> None:
        (self._folder / target.lstrip("/")).write_text(text, encoding="ascii")

    def add_program(self, source: pathlib.Path, target: str) -> None:
        self.add(source, target)
        for library in _libraries(source):
            self.add(library, str(library))

    def add_tree(self, source: pathlib.Path, target: str, ignore=None) -> None:
        """With the times of its files: Python compares them with those in __pycache__, and would compile for minutes."""
        shutil.copytree(source, self._folder / target.lstrip("/"), ignore=ignore, dirs_exist_ok=True)

    def add_python(self) -> None:
        """The distribution's, at its own place: it finds its library beside itself."""
        python = shutil.which("python3", path="/usr/bin") or sys.executable
        library = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"], capture_output=True,
                                 text=True, check=True).stdout.strip()
        self.add_program(pathlib.Path(python).resolve(), "/usr/bin/python3")
        self.add_tree(pathlib.Path(library), library, UNWANTED)
        for needed in _libraries(*pathlib.Path(library, "lib-dynload").glob("*.so")):
            self.add(needed, str(needed))

    def write(self, out: pathlib.Path) -> None:
        """Not compressed: the guest would spend more time on that than on reading it."""
        names = "\0".join(str(path.relative_to(self._folder)) for path in sorted(self._folder.rglob("*")))
        with open(out, "wb") as file:
            subprocess.run(["cpio", "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0"], input=names.encode(), stdout=file,
                           cwd=self._folder, check=True)


def build(out: pathlib.Path, kernel: pathlib.Path, amt: pathlib.Path, top: pathlib.Path,
          bench_programs: pathlib.Path | None = None) -> None:
    """`kernel`: the folder with the modules; `top`: the project's; `bench_programs`: the folder with those of bench/."""
    archive = Archive(out.parent / "root")
    archive.add(pathlib.Path("/bin/busybox"), "/bin/busybox")
    for name in PROGRAMS:
        path = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
        if path is None:
            raise FileNotFoundError(f"{name} is not installed")
        archive.add_program(pathlib.Path(path).resolve(), f"/usr/bin/{name}")
    archive.add_program(amt, "/usr/bin/amt")
    archive.add_python()
    for name in ("system", "interop"):
        archive.add_tree(top / "tests" / name, f"/tests/{name}", shutil.ignore_patterns("__pycache__"))
    if bench_programs is not None:
        archive.add_tree(top / "bench", "/bench", shutil.ignore_patterns("__pycache__", "*.cc", "*.hh"))
        for name in ("bench_blaster", "bench_sink"):
            archive.add_program(bench_programs / name, f"/bench/{name}")
    for path in kernel.iterdir():
        if path.name != "vmlinuz":
            archive.add(path, f"/modules/{path.name}")
    archive.add(top / "tests/interop/guest/init", "/init")
    # Any will do: `amt` derives the port from it that it keeps over restarts.
    archive.write_text("/etc/machine-id", "5d2f9c41b7e8406a93d10c6fe2a48b75\n")
    archive.write(out)
