"""Runs in the guest: all scenarios, or those named, each with namespaces of its own."""

import os
import subprocess
import sys
import time
import traceback

SYSTEM = "/tests/system"
sys.path[:0] = [SYSTEM, os.path.dirname(os.path.abspath(__file__))]

import kernel_gateway  # noqa: E402
import kernel_relay  # noqa: E402
from lib.scenario import Case, Skipped  # noqa: E402
from scenario import dmesg, say  # noqa: E402

AMT = "/usr/bin/amt"
# Ordinary system tests, here on the distribution's own kernel (no USO for TUN, older rings and segmentation).
ORDINARY = [("families", "4", "4"), ("families", "4", "6"), ("families", "6", "4"), ("families", "6", "6"),
            ("offload", "tun"), ("offload", "double"), ("raw_and_fragments", "tun"), ("raw_and_fragments", "double"),
            ("source_filters", "tun"), ("source_filters", "double")]


def run_scenario(name: str, function) -> None:
    start, failed = time.monotonic(), True
    case = Case(AMT, [])
    try:
        function(case)
        failed = False
    except Skipped as reason:
        failed = False
        say(f"SKIPPED {name}: {reason}")
    except Exception as problem:  # the report is the point of the program
        traceback.print_exc(file=sys.stdout)
        say(f"FAIL {name}: {' '.join(str(problem).split())[:400] or type(problem).__name__}")
    finally:
        case.finish(failed)
    print(f"{name} took {time.monotonic() - start:.1f} s", flush=True)


def run_ordinary(words: tuple[str, ...]) -> None:
    name = " ".join(words)
    environment = {**os.environ, "AMT": AMT}
    try:
        done = subprocess.run([sys.executable, "-B", f"{SYSTEM}/run.py", f"{words[0]}.py", *words[1:]], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        say(f"FAIL test {name}: not done after 600 s")
        return
    print(done.stdout + done.stderr, flush=True)
    lines = (done.stdout.strip() or done.stderr.strip() or "nothing said").splitlines()
    if done.returncode == 0:
        figures = [line.removeprefix("figure: ") for line in lines if line.startswith("figure: ")]
        say(f"PASS test {name}: {'; '.join(figures)}")
    elif done.returncode == 77:
        say(f"SKIPPED test {name}: {lines[-1].removeprefix('SKIPPED: ')}")
    else:
        problem = [line for line in lines if "Error" in line]
        say(f"FAIL test {name}: {(problem or lines)[-1][:400]}")


def main() -> None:
    wanted = sys.argv[1:]
    scenarios = {**kernel_gateway.SCENARIOS, **kernel_relay.SCENARIOS}
    if any(name.startswith("bench-") for name in wanted):
        import kernel_relay_bench  # the archive has what it needs only then
        scenarios.update(kernel_relay_bench.SCENARIOS)
    say(f"kernel {os.uname().release}, {' '.join(os.uname().version.split()[-3:])}")
    for name, function in scenarios.items():
        if not wanted or name in wanted:
            run_scenario(name, function)
    for words in ORDINARY:
        if not wanted or words[0] in wanted:
            run_ordinary(words)
    complaints = dmesg()
    if complaints:
        print("\n".join(complaints), flush=True)
        say(f"the kernel complained: {complaints[0]}")
    say(f"end: {time.monotonic():.0f} s after the guest's start")


if __name__ == "__main__":
    main()
