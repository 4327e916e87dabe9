#!/usr/bin/env python3
"""The Linux kernel's own test of its AMT driver (tools/testing/selftests/net/amt.sh), script unchanged, with the program
in the driver's place:  selftest.py SCRIPT [TIMES]

drop_in/ip stands before ip(8) in the PATH. Everything happens in namespaces that end with the test. A line for each run;
exit status: 0 all five of its tests passed each time, 1 one did not, 77 skipped (with the reason). Environment: AMT.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
AMT = pathlib.Path(os.environ.get("AMT", HERE.parent.parent / "build/release/amt")).resolve()
NEEDS = ("nc", "socat", "iptables", "ip6tables", "smcrouted", "smcroutectl", "jq", "sysctl", "unshare")
TESTS = 5
SECONDS_MAX = 300
SKIP = 77
MARK = "AMT_SELFTEST_NAMESPACE"


def end(pids: pathlib.Path) -> None:
    for pid in pids.read_text(encoding="ascii").split() if pids.exists() else []:
        try:
            os.kill(int(pid), signal.SIGTERM)
        except ProcessLookupError:
            pass


def run_once(script: str) -> tuple[int, str]:
    """How many of its tests passed, and what it and the program said."""
    with tempfile.TemporaryDirectory(prefix="amt-selftest-") as name:
        state = pathlib.Path(name)
        environment = {**os.environ, "AMT": str(AMT), "AMT_DROP_IN": name, "PATH": f"{HERE / 'drop_in'}:{os.environ['PATH']}"}
        try:
            done = subprocess.run(["bash", script], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS_MAX, check=False)
            said = done.stdout + f"status {done.returncode}\n"
        except subprocess.TimeoutExpired:
            said = f"not done after {SECONDS_MAX} s\n"
        finally:
            end(state / "pids")
        said += "".join(f"--- {log.name}\n{log.read_text(errors='replace')}" for log in sorted(state.glob("*.log")))
        return len(re.findall(r"^TEST: .*\[ OK \]", said, re.MULTILINE)), said


def main() -> int:
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for tool in NEEDS:
        if not shutil.which(tool):
            print(f"SKIPPED kernel-selftest: {tool} is missing")
            return SKIP
    if not os.environ.get(MARK):
        os.environ[MARK] = "1"
        options = ["-nm"] if os.geteuid() == 0 else ["-Urnm"]
        os.execvp("unshare", ["unshare", *options, sys.executable, "-B", *sys.argv])
    # Names of namespaces live there, and end with this mount.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    times, failures = int(sys.argv[2]) if len(sys.argv) > 2 else 1, 0
    for number in range(1, times + 1):
        start = time.monotonic()
        passed, said = run_once(sys.argv[1])
        good = passed == TESTS
        failures += not good
        print(f"{'PASS' if good else 'FAIL'} kernel-selftest {passed} of {TESTS}, run {number} of {times}, "
              f"{time.monotonic() - start:.0f} s", flush=True)
        if not good:
            print(said, flush=True)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
