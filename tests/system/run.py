#!/usr/bin/env python3
"""Runs one system test:  run.py FILE.py [ARGUMENT...]     FILE: from this folder, or its path from here

The test's namespaces live in a fresh network and mount namespace of their own, as root directly, as an ordinary user
inside a user namespace. Exit status: 0 passed, 1 failed, 77 skipped (with the reason).
The program under test: environment AMT, default build/release/amt.
"""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
SKIP = 77
MARK = "AMT_TEST_NAMESPACE"


def skip(reason: str):
    print(f"SKIPPED: {reason}", flush=True)
    sys.exit(SKIP)


def enter_namespaces() -> None:
    """Starts this test again inside namespaces that end with it."""
    if os.environ.get(MARK):
        # Nothing that a program writes to /run (a default control socket) gets out.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    options = ["-nm"] if os.geteuid() == 0 else ["-Urnm"]
    tried = subprocess.run(["unshare", *options, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        skip(f"no namespaces for this user: {tried.stderr.strip()}")
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", *options, sys.executable, "-B", *sys.argv])


def main() -> int:
    sys.path.insert(0, str(HERE))
    sys.path.insert(1, str((HERE / sys.argv[1]).parent))
    from lib.scenario import Case, Skipped

    test = importlib.import_module(pathlib.Path(sys.argv[1]).stem)
    needs = set(test.NEEDS)
    amt = str(pathlib.Path(os.environ.get("AMT", HERE.parent.parent / "build/release/amt")).resolve())
    if "program" in needs or "namespaces" in needs:
        if not os.access(amt, os.X_OK):
            print(f"{amt} is not built")
            return 1
    for tool in needs & {"tshark", "nft"}:
        if not shutil.which(tool) and not shutil.which(tool, path="/usr/sbin:/sbin"):
            skip(f"{tool} is not installed")
    if "namespaces" in needs:
        enter_namespaces()
    case = Case(amt, sys.argv[2:])
    start, failed = time.monotonic(), True
    try:
        if "tun" in needs:
            case.need_tun()
        test.run(case)
        failed = False
    except Skipped as reason:
        failed = False
        skip(str(reason))
    except Exception:  # the report is the point of the program
        traceback.print_exc(file=sys.stdout)
    finally:
        case.finish(failed)
    print(f"{'FAILED' if failed else 'passed'} in {time.monotonic() - start:.1f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    sys.exit(main())
