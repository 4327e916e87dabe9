"""The examples that are no players, each built against the installed library and run: the test with a relay in memory; a GLib loop, the
payload in order; the latency of packets.

    amt send ── relay ══ tunnel ══ example
"""

import re
import subprocess

from lib.installed import Installed
from lib.scenario import Skipped
from lib.topology import PORT, SSM, Line, url

NEEDS = {"namespaces"}
COUNT, PACKET = 500, 1316


def run(case):
    library = Installed(case)
    test = subprocess.run([library.compiled("core_test.c", "amt-test", flags=["-std=c99"])], capture_output=True, text=True, timeout=60,
                          check=False)
    case.check(test.returncode == 0 and "through the tunnel" in test.stdout, f"{test}")
    latency = library.compiled("latency.c", "amt")
    line = Line(case)
    line.start_relay()
    channel = url(SSM[4], line.source_address(4)) + f"?relay={line.relay_address(4)}"
    case.start(["send", f"{SSM[4]}:{PORT}", "--interface", "s0", "--ttl", 8, "--rate", "5M", "--size", PACKET], "send", line.source)
    measured = case.program([str(latency), channel, str(COUNT)], "latency", line.gateway)
    case.check(measured.wait(60) == 0, measured.err)
    said = measured.out.decode()
    found = re.search(r"^(\d+) packets, (\d+) lost; .*: median ([\d.]+) us, 99 % ([\d.]+) us", said)
    case.check(found and int(found[1]) == COUNT and 0 < float(found[3]) < 5e6, said)
    case.figure("latency", said.strip())
    try:
        loop = case.program([str(library.compiled("glib_loop.c", "amt", "glib-2.0")), channel], "glib", line.gateway)
    except Skipped as reason:
        return case.note(str(reason))
    case.wait_until(lambda: len(loop.out) > COUNT * PACKET and "packets" in loop.err, 60, "payload by the GLib loop")
    loop.terminate()
    case.check(loop.status == 0 and "packets" in loop.err, loop.err)
    numbers = [int.from_bytes(loop.out[at + 12:at + 16], "big") for at in range(0, len(loop.out) - PACKET, PACKET)]
    case.check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), "in order, none missing")
