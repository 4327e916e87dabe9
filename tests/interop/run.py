#!/usr/bin/env python3
"""Interoperation with the Linux kernel's AMT driver, in a QEMU guest, and the kernel's own test of that driver with the
program in its place, on this host:  run.py [SCENARIO...]

One line for each scenario; the console is kept in build/interop/console.log. Exit status: 0 all passed, 1 one failed,
77 skipped (with the reason). Environment: AMT (default build/release/amt), ACCEL=kvm for speed, SECONDS_MAX, BENCH: the
folder of the benchmark's programs, for the scenarios bench-10 and bench-100 (`make bench ONLY=kernel`).
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import initramfs
import kernel
import machine

# The one that needs no guest.
SELFTEST = "kernel-selftest"
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = TOP / "build/interop"
SKIP = 77


def skip(reason: str):
    print(f"SKIPPED interop: {reason}", flush=True)
    sys.exit(SKIP)


def need_tools() -> list[str]:
    """What is needed is installed, or the reason why not is said; what makes a command root's."""
    done = subprocess.run([TOP / "tools/setup.sh", "interop"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        skip("what it needs cannot be installed: " + " ".join((done.stderr.strip() or done.stdout.strip()).split()))
    for tool in (machine.QEMU, "apt-get", "dpkg-deb", "cpio", "ldd", "make", "strip"):
        if not shutil.which(tool):
            skip(f"{tool} is missing")
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def run_selftest(script: pathlib.Path, amt: pathlib.Path, said: list[str]) -> None:
    """TIMES runs of it, by default one."""
    done = subprocess.run([sys.executable, "-B", HERE / "selftest.py", script, os.environ.get("TIMES", "1")],
                          env={**os.environ, "AMT": str(amt)}, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="", flush=True)
    said.extend(done.stdout.splitlines())


def main() -> int:
    start = time.monotonic()
    root = need_tools()
    amt = pathlib.Path(os.environ.get("AMT", TOP / "build/release/amt")).resolve()
    if not os.access(amt, os.X_OK):
        print(f"{amt} is not built")
        return 1
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        prepared = kernel.provide(BUILD, root)
    except kernel.Unavailable as reason:
        skip(str(reason))
    said: list[str] = []
    scenarios = sys.argv[1:]
    if not scenarios or SELFTEST in scenarios:
        run_selftest(prepared / "amt.sh", amt, said)
    problem = None
    if scenarios != [SELFTEST]:
        problem = run_guest(prepared, amt, [one for one in scenarios if one != SELFTEST], said, start)
    if problem:
        print(f"FAIL guest: {problem}; see {BUILD / 'console.log'}", flush=True)
    passed, failed, skipped = (sum(text.startswith(word + " ") for text in said) for word in ("PASS", "FAIL", "SKIPPED"))
    print(f"interop: {passed} passed, {failed + bool(problem)} failed, {skipped} skipped "
          f"in {time.monotonic() - start:.0f} s", flush=True)
    return int(bool(problem or failed or not passed))


def run_guest(prepared: pathlib.Path, amt: pathlib.Path, scenarios: list[str], said: list[str], start: float) -> str | None:
    """What it says is appended; the problem of the guest itself, if there was one."""
    archive = BUILD / "initramfs.cpio"
    bench_programs = os.environ.get("BENCH")
    initramfs.build(archive, prepared, amt, TOP, pathlib.Path(bench_programs).resolve() if bench_programs else None)
    print(f"interop: {prepared.name} with amt.ko, archive of {archive.stat().st_size >> 20} MB "
          f"after {time.monotonic() - start:.0f} s", flush=True)

    def on_line(text: str) -> None:
        said.append(text)
        print(text, flush=True)
    guest = machine.Guest(prepared / "vmlinuz", archive, BUILD / "console.log", f"scenarios={','.join(scenarios)}",
                          os.environ.get("ACCEL", "tcg"), on_line)
    problem = guest.run(float(os.environ.get("SECONDS_MAX", "1200")))
    if problem is None and not any(text.startswith("end: ") for text in said):
        problem = "the guest ended before it was done"
    return problem


if __name__ == "__main__":
    sys.exit(main())
