"""131 072 channels are joined and left again, and joined once more when SIGTERM comes. Another gateway's stream goes
on meanwhile, a newcomer is served, and the relay ends within 2 s.

    source ── relay ══ 256 tunnels of our own with 512 channels each
                    ══ a gateway that watches, and a newcomer
"""

import os
import resource
import time

from lib import joiners
from lib.topology import SSM, Line

NEEDS = {"namespaces"}
TUNNELS, CHANNELS = 256, 512
LIMITS = ("--max-requests-per-address", "0", "--max-updates-per-address", "0", "--max-channels", "200000",
          "--max-channels-per-address", "200000")


def numbers(gateway) -> list[int]:
    return [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner()]


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asks(gateway) -> bool:
    """As any gateway, it asks again: a Request that meets a full socket is lost."""
    try:
        return gateway.request(4, timeout=1) is not None
    except AssertionError:
        return False


def run(case):
    line = Line(case, gateways=3)
    source = line.source_address(4)
    relay = line.start_relay(*LIMITS, "--workers", "2")
    watcher = line.fake_gateway(4, number=1)
    watcher.join_channel(SSM[4], [source])
    stream = line.stream(4, SSM[4], rate=200)
    case.wait_until(lambda: watcher.data, 10, "the stream")

    def check_served(when: str) -> None:
        """A newcomer gets the stream, status answers."""
        begin = time.monotonic()
        newcomer = line.fake_gateway(4, number=2)
        case.wait_until(lambda: asks(newcomer), 10, f"a Query for a newcomer {when}")
        newcomer.join_channel("232.1.9.9", [source])
        extra = line.stream(4, "232.1.9.9", rate=100)
        case.wait_until(lambda: newcomer.data, 10, f"a newcomer's stream {when}")
        case.figure(f"newcomer {when}", (time.monotonic() - begin) * 1000, "ms")
        extra.close()
        newcomer.teardown(4)
        newcomer.close()

    many = case.closing(joiners.Joiners(line.gateways[0], line.relay_address(4), source, TUNNELS, CHANNELS))

    def join_all(what: str) -> None:
        many.handshake()
        begin = time.monotonic()
        many.join()
        check_served(f"while {what}")
        case.wait_until(lambda: joiners.native_groups(line.relay) >= TUNNELS * CHANNELS, 90, what, poll=1)
        case.figure(what, time.monotonic() - begin, "s")

    join_all("all are joined")
    begin = time.monotonic()
    many.tear_down()
    check_served("while all are left")
    case.wait_until(lambda: joiners.native_groups(line.relay) < 100, 60, "all are left", poll=0.5)
    case.figure("all are left", time.monotonic() - begin, "s")
    stream.close()
    watcher.catch_up(4)
    got, sent = numbers(watcher), stream.sent
    case.check(len(set(got)) == len(got), "nothing came twice")
    case.check(len(got) >= (sent - got[0]) * 0.999, f"the stream goes on: {len(got)} of {sent - got[0]}")
    case.figure("packets of the watched stream lost", sent - got[0] - len(got))

    join_all("all are joined again")
    before, others = cpu_seconds(relay.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    case.figure("SIGTERM to end", relay.terminate(15), "s")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # By the processor's clock: this may not be the only program that the machine runs.
    used = after.ru_utime + after.ru_stime - others.ru_utime - others.ru_stime - before
    case.figure("of that on a processor", used, "s")
    case.check(used < 2, f"the end takes {used:.1f} s")
