"""FIFOs that nobody has opened at the other end, and standard descriptors that are not there.

A FIFO holds nobody up: `amt receive -o FIFO` ends by `--timeout` and by SIGTERM, and plays when a reader comes;
`amt send GROUP FIFO` ends by SIGTERM, and sends when a writer comes. A program that was started without descriptors 0 to 2
has the null device there: no socket takes their place.
"""

import os
import threading

from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}


def opened(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    return {os.readlink(f"{folder}/{number}") for number in os.listdir(folder) if os.path.islink(f"{folder}/{number}")}


def run(case):
    line = Line(case)
    line.start_relay()
    source, group = line.source_address(4), SSM[4]
    fifo = case.folder / "fifo"
    os.mkfifo(fifo)

    silent = line.receive(url(group, source), "-o", fifo, "--timeout", 2, name="silent")
    case.check(silent.wait(15) == 1, f"--timeout ends it: {silent.status} {silent.err}")
    stopped = line.receive(url(group, source), "-o", fifo, name="stopped")
    case.wait_until(lambda: "no reader" in stopped.err, 5, "it says that there is no reader")
    stopped.terminate()
    late = line.receive(url(group, source), "-o", fifo, name="late")
    stream = line.stream(4, group, rate=100, sizes=(700,))
    case.wait_until(lambda: "no reader" in late.err, 5, "it says that there is no reader")
    with open(fifo, "rb", buffering=0) as reader:
        octets = b""
        while len(octets) < 7000:
            octets += reader.read(7000)
        case.check(octets.count(octets[:4]) == 10, "whole packets, from the first octet")
        late.terminate()
    stream.close()

    target = [f"{group}:5000", fifo, "--interface", "s0"]
    sender = case.start(["send", *target], "send-stopped", line.source)
    case.wait_until(lambda: str(fifo) in opened(sender.pid), 10, "it has opened the FIFO")
    sender.terminate()
    sender = case.start(["send", *target], "send-late", line.source)
    writer = threading.Thread(target=lambda: fifo.write_bytes(bytes(4000)), daemon=True)
    writer.start()
    case.check(sender.wait(10) == 0, f"a writer came: {sender.status} {sender.err}")
    case.check("4000 octets" in sender.err, f"all was sent: {sender.err}")

    bare = case.program(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', case.amt, "relay", "--local", line.relay_address(6),
                         "--relay-port", "2269", "--upstream", "r0", "--control", str(case.folder / "bare.sock")], "bare",
                        line.relay)
    case.wait_until(lambda: (case.folder / "bare.sock").exists(), 10, "it runs without standard descriptors")
    for number in range(3):
        found = os.readlink(f"/proc/{bare.pid}/fd/{number}")
        case.check(found == "/dev/null", f"descriptor {number} is {found}")
    bare.terminate()
