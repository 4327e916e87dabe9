"""Who looks at a relay: what questions about its status, and scrapes of its metrics, do to a stream, with very many tunnels.
`bench_multitude` makes the tunnels; the worker has a core to itself, everything else shares the other, the relay's main thread with
it."""

import http.client
import itertools
import os
import pathlib
import socket
import statistics
import subprocess
import threading
import time

from bed import GROUP, PAYLOAD_OCTETS, PORT, Bed, Load, tasks
from lib.http_client import Http
from rounds import Row, judge

FIRST_TUNNEL, TUNNELS_ROUTE = "10.64.0.0", "10.64.0.0/10"
# Joined by the many, and never sent to.
QUIET_GROUP, QUIET_CHANNELS = "232.9.0.0", 1000
ROUNDS, TURN_SECONDS, PACKETS_A_SECOND = 10, 1.0, 1000
LOAD = Load(1, pause=round(1e9 / PACKETS_A_SECOND), times=round(PACKETS_A_SECOND * TURN_SECONDS))
ASKED_A_SECOND = 10
LISTS = ("/status?list=tunnels", "/status?list=channels", "/status?list=counters")
SCRAPES, SCRAPE_MILLISECONDS_MAX = ("/metrics",), 20
MILLISECONDS_MORE_MAX, FIRST_OCTET_MILLISECONDS_MAX, MORE_MEGABYTES_MAX = 2, 50, 16
ARRIVAL_SECONDS_MAX = 3.0


class Asker(threading.Thread):
    """Asks for each of `targets` in turn, ASKED_A_SECOND times a second if the answers come as fast."""

    def __init__(self, connect, targets):
        super().__init__(daemon=True)
        self._connect, self._targets = connect, targets
        self._ended = threading.Event()
        self.first_octets: list[float] = []

    def run(self) -> None:
        for target in itertools.cycle(self._targets):
            due = time.monotonic() + 1 / ASKED_A_SECOND
            self._ask(target)
            if self._ended.wait(max(0.0, due - time.monotonic())):
                return

    def _ask(self, target: str) -> None:
        connection = http.client.HTTPConnection("localhost", timeout=120)
        connection.sock = self._connect()
        begin = time.monotonic()
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read(1)
        self.first_octets.append(time.monotonic() - begin)
        while not self._ended.is_set() and answer.read(1 << 20):
            pass
        connection.close()

    def end(self) -> None:
        self._ended.set()
        self.join(120)


def control_socket(relay) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(str(relay.control))
    return connected


def control_milliseconds(relay) -> float:
    """CPU time of the relay's main thread."""
    return int(pathlib.Path(f"/proc/{relay.pid}/task/{relay.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def with_tunnels(count: int):
    def rows(case, tools, name, end):
        bed = Bed(case, tools, mode="times", options=("--http", "127.0.0.1:8080"))
        line = bed.line
        for task in tasks(bed.relay.pid):
            if not (task / "comm").read_text(encoding="ascii").startswith("amt-worker"):
                os.sched_setaffinity(int(task.name), {bed.other_cpu})
        line.relay.ip(f"route add {TUNNELS_ROUTE} via {line.gateway_address(4)}")
        with line.gateway.enter():
            made = subprocess.run(
                [f"{tools}/bench_multitude", f"{line.relay_address(4)}:2268", FIRST_TUNNEL, str(count - 1), line.source_address(4),
                 QUIET_GROUP, str(QUIET_CHANNELS)], capture_output=True, text=True, timeout=600, check=True)
        # The sink's is one more.
        case.check(int(made.stdout) == count - 1, f"{made.stdout} of {count - 1} tunnels")

        def worst() -> float:
            """Milliseconds of the packet that took longest."""
            bed.sink.nanoseconds()
            bed.blast(line.source, bed.other_cpu, "stamped", line.source_address(4), f"{GROUP}:{PORT}", 1, 1, PAYLOAD_OCTETS, LOAD)
            values, last = bed.sink.nanoseconds(), time.monotonic() + ARRIVAL_SECONDS_MAX
            while len(values) < LOAD.times and time.monotonic() < last:
                time.sleep(0.01)
                values += bed.sink.nanoseconds()
            lost.append(LOAD.times - len(values))
            return max(values) / 1e6

        lost: list[int] = []

        def rounds(connect, targets):
            """The worst packets while somebody asks, those before and after, first octets, and megabytes on top."""
            quiet, asked, first, memory = [worst()], [], [], 0
            resident = bed.relay.resident_octets()
            while len(asked) < ROUNDS and (not asked or time.monotonic() < end):
                asker = Asker(connect, targets)
                asker.start()
                asked.append(worst())
                memory = max(memory, bed.relay.resident_octets() - resident)
                asker.end()
                first += asker.first_octets
                quiet.append(worst())
            return quiet, asked, first, memory / 2**20

        def loss(what: str) -> Row:
            packets, now = LOAD.times * len(lost), sum(lost)
            lost.clear()
            return Row(f"{name}/{what}lost", f"{count} tunnels: packets lost meanwhile", "packets", now, None, now,
                       target="== 0", verdict=judge(now, "== 0"), notes={"packets": packets})

        def gap(what: str, text: str, quiet, asked, answers: int) -> Row:
            apart = [abs(after - before) for before, after in zip(quiet, quiet[1:])]
            more = statistics.median(one - (before + after) / 2 for one, before, after in zip(asked, quiet, quiet[1:]))
            target = f"<= {MILLISECONDS_MORE_MAX}"
            return Row(f"{name}/{what}gap", f"{count} tunnels: slowest packet of a second, {text}", "ms", statistics.median(asked),
                       statistics.median(quiet), more, min(asked), max(asked), None, len(asked), target, judge(more, target),
                       {"answers": answers, "without_questions_one_second_from_the_next": statistics.median(apart)})

        quiet, asked, first, megabytes = rounds(lambda: control_socket(bed.relay), ("/status",) * ASKED_A_SECOND + LISTS)
        yield gap("", "asked less not asked", quiet, asked, len(first))
        yield loss("")
        octet = statistics.median(first) * 1e3
        target = f"<= {FIRST_OCTET_MILLISECONDS_MAX}"
        yield Row(f"{name}/first-octet", f"{count} tunnels: first octet of an answer", "ms", octet, None, octet, min(first) * 1e3 / octet,
                  max(first) * 1e3 / octet, rounds=len(first), target=target, verdict=judge(octet, target))
        target = f"<= {MORE_MEGABYTES_MAX}"
        yield Row(f"{name}/memory", f"{count} tunnels: memory while asked", "MB", megabytes, None, megabytes, rounds=len(asked),
                  target=target, verdict=judge(megabytes, target))
        web = Http(line.relay)
        spent = []
        for _ in range(ROUNDS):
            before = control_milliseconds(bed.relay)
            web.get("/metrics")
            spent.append(control_milliseconds(bed.relay) - before)
        target = f"<= {SCRAPE_MILLISECONDS_MAX}"
        yield Row(f"{name}/scrape", f"{count} tunnels: control time of a scrape", "ms", statistics.median(spent), None,
                  statistics.median(spent), min(spent), max(spent), rounds=len(spent), target=target,
                  verdict=judge(statistics.median(spent), target))
        quiet, asked, first, _ = rounds(web.connect, SCRAPES)
        yield gap("scrape-", "scraped less not", quiet, asked, len(first))
        yield loss("scrape-")
    return rows


GROUPS = {"status-100000": with_tunnels(100_000), "status-1000000": with_tunnels(1_000_000)}
