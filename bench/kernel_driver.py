"""Starts the measurement against the kernel's driver in its QEMU guest (tests/interop/guest/kernel_relay_bench.py), which takes minutes."""

import json
import os
import pathlib
import subprocess
import sys

from rounds import Row

TOP = pathlib.Path(__file__).resolve().parent.parent
GATEWAYS = (10, 100)
SECONDS_MAX = 460
SKIP = 77


def measure(tools: str, amt: str) -> tuple[list[Row], bool]:
    """Rows, and whether it went wrong."""
    command = [sys.executable, "-B", str(TOP / "tests/interop/run.py"), *(f"bench-{one}" for one in GATEWAYS)]
    environment = {**os.environ, "AMT": amt, "BENCH": tools, "SECONDS_MAX": str(SECONDS_MAX)}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * SECONDS_MAX,
                          check=False, env=environment)
    marked = [line.removeprefix("BENCH ") for line in done.stdout.splitlines() if line.startswith("BENCH ")]
    rows = [Row(**json.loads(text)) for text in marked]
    if done.returncode == SKIP:
        rows.append(Row("kernel", "relay / kernel driver, same guest", verdict=done.stdout.strip().splitlines()[-1]))
    elif done.returncode != 0 or len(rows) != len(GATEWAYS) or any(row.ratio is None for row in rows):
        print(done.stdout + done.stderr, flush=True)
        return rows, True
    return rows, False
