"""libamt as `cmake --install` leaves it, and programs that are built against it as strangers build theirs: by pkg-config."""

import pathlib
import shutil
import subprocess

from .scenario import Skipped

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Installed:
    def __init__(self, case):
        self.case, build = case, pathlib.Path(case.amt).resolve().parent
        if not (build / "cmake_install.cmake").exists() or shutil.which("cmake") is None:
            raise Skipped(f"{build} is not a build folder, or cmake is not installed")
        self.prefix = case.folder / "prefix"
        done = subprocess.run(["cmake", "--install", build, "--prefix", self.prefix], capture_output=True, text=True, check=False,
                              env=case.env)
        case.check(done.returncode == 0, f"{done.stdout}{done.stderr}")
        self.library = next(self.prefix.rglob("libamt.so")).parent

    def compiled(self, source, *packages: str, flags=()) -> pathlib.Path:
        """An example by its name, or another file; skipped where a package that it needs is not installed."""
        env = {**self.case.env, "PKG_CONFIG_PATH": str(self.library / "pkgconfig")}
        for package in packages:
            if subprocess.run(["pkg-config", "--exists", package], check=False, env=env).returncode != 0:
                raise Skipped(f"{package} is not installed")
        told = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], capture_output=True, text=True, check=True, env=env)
        program = self.case.folder / pathlib.Path(source).stem
        done = subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *flags, ROOT / "examples" / source, *told.stdout.split(),
                               f"-Wl,-rpath,{self.library}", "-o", program], capture_output=True, text=True, check=False)
        self.case.check(done.returncode == 0, f"{source}: {done.stderr}")
        return program
