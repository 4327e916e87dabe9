#!/usr/bin/env python3
"""Tests of the Debian packages in build/deb (`make deb`):  run.py [STEP...]

    install       in a fresh chroot: installed, upgraded, used, removed, purged
    autopkgtest   debian/tests in a fresh chroot
    guest         in a QEMU guest with systemd and AppArmor: from `apt install` to a relay that serves after a restart
    build-12      built again in a fresh chroot of Debian 12; the octets must be those of build/deb
    build-13      built and installed in fresh chroots of Debian 13

Without a step: the first three. One line for each finding. Exit status: 0 all passed, 1 one failed, 77 all were skipped (with the
reason). Root only. Environment: DEBS (build/deb), JOBS (processors to build with), ACCEL=kvm, SECONDS_MAX (of one start of the guest).
Logs and what was downloaded stay in build/packages.
"""

import fcntl
import os
import pathlib
import signal
import sys
import time

import build
import chroot
import guest
import installed

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = TOP / "build/packages"
SKIP = 77
LOCKS = []


def found(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Package name to file."""
    debs = {name: file for name in installed.NAMES for file in folder.glob(f"{name}_*.deb")}
    missing = sorted(set(installed.NAMES) - set(debs))
    if missing:
        raise chroot.Unavailable(f"{folder} has no {', '.join(missing)}: make deb")
    return debs


def step(name: str, debs: pathlib.Path, say) -> None:
    work = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    # Two of a kind would take each other's folder away. Closed at the end of the process.
    LOCKS.append(open(CACHE / f"{name}.lock", "w", encoding="ascii"))
    try:
        fcntl.flock(LOCKS[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise chroot.Failed("runs already, in another process") from None
    jobs = int(os.environ.get("JOBS", os.cpu_count() or 1))
    if name == "install":
        installed.install_and_purge(chroot.base(CACHE, "12"), work, found(debs), say)
    elif name == "autopkgtest":
        installed.autopkgtest(chroot.base(CACHE, "12"), work, found(debs), TOP, say)
    elif name == "guest":
        guest.from_install_to_purge(chroot.base(CACHE, "12"), work, found(debs), say)
    elif name == "build-12":
        out = build.build(chroot.base(CACHE, "12"), work, TOP, jobs)
        say(build.compare(debs, out))
    elif name == "build-13":
        out = build.build(chroot.base(CACHE, "13"), work, TOP, jobs)
        for line in build.warnings(work / "log"):
            say(line)
        installed.install_and_purge(chroot.base(CACHE, "13"), CACHE / "install-13", found(out), say)
    else:
        sys.exit(f"{name}: no such step; see {sys.argv[0]}")


def main() -> int:
    # What is mounted is unmounted first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results = []
    for name in sys.argv[1:] or ["install", "autopkgtest", "guest"]:
        start = time.monotonic()

        def say(text: str, name=name) -> None:
            print(f"{name}: {text}", flush=True)
        try:
            step(name, pathlib.Path(os.environ.get("DEBS", TOP / "build/deb")).resolve(), say)
            results.append("PASS")
            print(f"PASS {name} in {time.monotonic() - start:.0f} s", flush=True)
        except chroot.Unavailable as reason:
            results.append("SKIPPED")
            print(f"SKIPPED {name}: {reason}", flush=True)
        except chroot.Failed as problem:
            results.append("FAIL")
            print(f"FAIL {name}: {problem}", flush=True)
    if "FAIL" in results:
        return 1
    return 0 if "PASS" in results else SKIP


if __name__ == "__main__":
    sys.exit(main())
