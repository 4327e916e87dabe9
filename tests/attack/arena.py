"""Where the attacks take place, and what is held against them.

    source                      relay (default options, two workers)
      s0 ───────────────── r0         r1 ────── g0  eight watching gateways, IPv4 and IPv6 outside: each packet is counted
    10.1.0.1: a stream of             r2 ────── g0  the attacker; the rest of the world is behind him
    500 packets a second              r3 ────── g0  newcomers, one after the other, to a stream that nobody else watches
    and two for newcomers             and a client that asks for the status each second

A calm phase comes first. What it shows of this machine is added to the bounds in time, and packets that the machine itself
dropped between its interfaces (the interfaces count them) are nobody's.
"""

import contextlib
import json
import os
import pathlib
import struct
import subprocess
import threading
import time

from lib.topology import Line

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.environ.get("AMT_ATTACK", str(HERE.parent.parent / "build/release/tests/attack/amt_attack"))
# How long an attack lasts.
SECONDS = float(os.environ.get("AMT_ATTACK_SECONDS", "2.5"))
CALM_SECONDS = 1.0
# Of the watched stream, after the attack.
AFTER_SECONDS = 0.5
WATCHERS, RATE, PAYLOAD_OCTETS = 8, 500, 1316
WATCHED = "232.1.2.3"
# What newcomers want in the calm phase, and during the attack.
FRESH = {"calm": "232.1.2.4", "attack": "232.1.2.5"}

LOST_SHARE_MAX = 0.001
# A packet that comes later than this is lost to whoever watches.
LATE_NANOSECONDS = 500_000_000
NEWCOMER_SECONDS_MAX = 0.2
CONTROL_SECONDS_MAX = 1.0
STOP_SECONDS_MAX = 2.0
MEMORY_OCTETS_MAX = 16 << 20
DESCRIPTORS_MAX = 4
# Until memory and descriptors are back.
RECOVERY_SECONDS = 10.0
FAILURE_CHARACTERS_MAX = 300
ARRIVAL = struct.Struct("=IIqq")


class Control(threading.Thread):
    """Asks for the status each second, as an operator's monitoring does."""

    def __init__(self, relay):
        super().__init__(daemon=True)
        self._relay, self._ended = relay, threading.Event()
        self._asked: list[list] = []  # when asked, seconds to the answer; the last one may be open
        self.start()

    def ask(self) -> float | None:
        start = time.monotonic()
        try:
            done = subprocess.run([self._relay.amt, "status", "--json", "--control", str(self._relay.control)],
                                  capture_output=True, timeout=10, check=False)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - start if done.returncode == 0 else None

    def run(self) -> None:
        while not self._ended.wait(0.2 if SECONDS < 5 else 1.0):
            self._asked.append([time.monotonic(), ...])
            self._asked[-1][1] = self.ask()

    def asked_between(self, begin: float, end: float) -> list[float | None]:
        """Seconds to each answer, None where there was none; waits for the last."""
        asked = [one for one in list(self._asked) if begin <= one[0] <= end]
        while any(took is ... for _, took in asked):
            time.sleep(0.01)
        return [took for _, took in asked]

    def close(self) -> None:
        self._ended.set()
        self.join()


class Arena:
    def __init__(self, case, *options, workers=2, payload=PAYLOAD_OCTETS, newcomer_port=0):
        self.case = case
        self.line = Line(case, gateways=3)
        self.watchers, self.attacker, self.newcomer = self.line.gateways
        world = [f"route add default via {self.line.gateway_address(4, 1)}",
                 f"route add ::/0 via {self.line.gateway_address(6, 1)}"]
        self.line.relay.ip(*world)
        self.relay = self.line.start_relay("--workers", workers, *options)
        self.failures: list[str] = []
        self._names, self._payload, self._newcomer_port = 0, payload, newcomer_port
        self.streams = [self._stream(group) for group in (WATCHED, *FRESH.values())]
        self._arrivals = case.folder / "arrivals"
        self._watch = self.load(self.watchers, "watch", relay=self.relay_addresses(0), local=self.host_addresses(0),
                                count=WATCHERS, file=self._arrivals, milliseconds=120_000, **self.channel(WATCHED))
        case.wait_until(lambda: len({one[0] for one in self.arrivals()}) == WATCHERS, 10, "every watcher has data")
        self.control = case.closing(Control(self.relay))
        self._newcomers = None
        self.resident, self.descriptors = self.relay.resident_octets(), self.open_descriptors()

    # Who is where
    def relay_addresses(self, number: int) -> str:
        return f"{self.line.relay_address(4, number)},{self.line.relay_address(6, number)}"

    def host_addresses(self, number: int) -> str:
        return f"{self.line.gateway_address(4, number)},{self.line.gateway_address(6, number)}"

    def watcher_ports(self, family: int) -> dict[int, int]:
        """By the number of the watcher: they take turns, IPv4 first."""
        ports = json.loads(self._watch.out.splitlines()[0])
        return {number: port for number, port in enumerate(ports) if number % 2 == (0 if family == 4 else 1)}

    def channel(self, group: str) -> dict:
        return {"group": group, "source": self.line.source_address(4)}

    def open_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.relay.pid}/fd"))

    # Programs
    def load(self, namespace, mode: str, nice=0, **options):
        self._names += 1
        words = [f"{name}={value}" for name, value in options.items()]
        return self.case.program(["nice", "-n", str(nice), PROGRAM, mode, *words], f"{mode}{self._names}", namespace)

    def _stream(self, group: str):
        self._names += 1
        return self.case.start(["send", f"{group}:5000", "--interface", "s0", "--source", self.line.source_address(4),
                                "--rate", RATE * self._payload * 8, "--size", self._payload], f"send{self._names}",
                               self.line.source)

    def attack(self, mode: str, seconds=SECONDS, family=4, namespace=None, **options):
        """The attacker's program; it ends by itself. It is the machine's CPU that he uses here, not his own: he yields."""
        where = {"relay": self.line.relay_address(family, 1)}
        if mode != "flood":
            where["local"] = self.line.gateway_address(family, 1)
        return self.load(namespace or self.attacker, mode, nice=10, milliseconds=int(seconds * 1000), **where | options)

    def newcomers(self, seconds: float, group: str):
        return self.load(self.newcomer, "newcomers", relay=self.relay_addresses(2), local=self.host_addresses(2),
                         port=self._newcomer_port, milliseconds=int(seconds * 1000), **self.channel(group))

    # What was seen
    def arrivals(self) -> list[tuple[int, int, int, int]]:
        """(watcher, number, sent, arrived) of each packet."""
        try:
            octets = self._arrivals.read_bytes()
        except FileNotFoundError:
            return []
        return list(ARRIVAL.iter_unpack(octets[:len(octets) // ARRIVAL.size * ARRIVAL.size]))

    @staticmethod
    def link_statistics(namespace, device: str) -> dict:
        return json.loads(namespace.run("ip", "-s", "-j", "link", "show", device))[0]["stats64"]

    def _dropped_by_machine(self) -> tuple[int, int]:
        """Packets that found a queue between two interfaces full: the stream's (each one of the source's was to reach
        every watcher), and those of newcomers."""
        def dropped(namespace, device):
            shown = self.link_statistics(namespace, device)
            return shown["tx"]["dropped"] + shown["rx"]["dropped"]
        stream = WATCHERS * dropped(self.line.source, "s0") + dropped(self.line.relay, "r1") + dropped(self.watchers, "g0")
        return stream, dropped(self.line.relay, "r3") + dropped(self.newcomer, "g0")

    def require(self, condition, what: str) -> None:
        if not condition:
            self.failures.append(what[:FAILURE_CHARACTERS_MAX])

    def _phase(self, seconds: float, newcomers_want: str, during) -> dict:
        """Newcomers come and the status is asked for while `during()` goes on."""
        dropped, begin = self._dropped_by_machine(), time.monotonic()
        newcomers = self.newcomers(seconds, newcomers_want)
        during()
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        end = time.monotonic()
        newcomers.wait(15)
        asked = self.control.asked_between(begin, end)
        joins = [json.loads(line)["milliseconds"] / 1000 for line in newcomers.out.splitlines()]
        stream, others = (now - then for now, then in zip(self._dropped_by_machine(), dropped))
        return {"begin": begin, "end": end, "dropped": stream, "joins": joins, "joins_dropped": others, "asked": asked}

    def _losses(self, phase: dict, spared=()) -> tuple[int, int, int, float]:
        """(packets lost, packets that were due, the most that one watcher lost, the longest wait in seconds), but for
        the watchers that are the attack's aim."""
        begin, end = int(phase["begin"] * 1e9), int(phase["end"] * 1e9)
        seen = self.arrivals()
        numbers = {number for _, number, sent, _ in seen if begin <= sent <= end}
        if not numbers:
            due = int(RATE * (phase["end"] - phase["begin"]))
            return WATCHERS * due, WATCHERS * due, due, phase["end"] - phase["begin"]
        # Numbers that reached nobody count, too; those at the end by what came after them.
        before = [number for _, number, sent, _ in seen if sent < begin]
        after = [number for _, number, sent, _ in seen if sent > end]
        first = max(before) + 1 if before else min(numbers)
        last = min(after) - 1 if after else max(numbers)
        due = last - first + 1 if after else int(RATE * (phase["end"] - phase["begin"]))
        lost, gaps = [], []
        for watcher in set(range(WATCHERS)) - set(spared):
            got = {number for who, number, sent, at in seen
                   if who == watcher and first <= number <= last and at - sent <= LATE_NANOSECONDS}
            times = sorted(at for who, _, _, at in seen if who == watcher and begin <= at <= end)
            lost.append(due - len(got))
            gaps.append(max((b - a for a, b in zip([begin, *times], [*times, end])), default=0) / 1e9)
        self.require(after, "nothing of the stream came after the attack")
        return sum(lost), due * len(lost), max(lost), max(gaps)

    # The test
    def withstand(self, name: str, *attacks, under_way=False, spared=()) -> dict:
        """A calm phase, then these attacks (functions that start a program each), then calm; the bounds are held.

        `under_way`: the attack has joined all that it wants when the phase begins that counts.
        """
        calm = self._phase(CALM_SECONDS, FRESH["calm"], lambda: None)
        started = []
        if under_way:
            started.extend(one() for one in attacks)
            self.case.wait_until(lambda: all(b"joined" in one.out or one.status is not None for one in started), 30,
                                 "the attack is under way")
            attack = self._phase(SECONDS, FRESH["attack"], lambda: None)
        else:
            attack = self._phase(SECONDS, FRESH["attack"], lambda: started.extend(one() for one in attacks))
        time.sleep(AFTER_SECONDS)
        for program in started:
            self.require(program.wait(30) == 0, f"{program.name} ended with {program.status}: {program.err}")
            self.case.note(f"{name}: {program.name}: {program.out.decode().strip().splitlines()[-1:]}")
        lost, due, worst, gap = self._losses(attack, spared)
        mine = max(0, lost - attack["dropped"])
        self.case.figure(f"{name}: lost", f"{lost} of {due}", f"(one watcher {worst}; {attack['dropped']} by the machine; "
                         f"longest wait {gap:.3f} s)")
        self.require(mine <= max(1, due * LOST_SHARE_MAX), f"lost {mine} of {due}, {mine / due:.2%}")
        self._judge_times(name, calm, attack)
        return attack

    def _judge_times(self, name: str, calm: dict, attack: dict) -> None:
        for what, bound, key in (("newcomer's join", NEWCOMER_SECONDS_MAX, "joins"),
                                 ("status", CONTROL_SECONDS_MAX, "asked")):
            quiet, busy = calm[key], attack[key]
            failed = sum(1 for took in busy if took is None or took < 0)
            times = sorted(took for took in busy if took is not None and took >= 0)
            allowed = bound + max((took for took in quiet if took), default=0.0)
            slow = sum(1 for took in times if took > allowed)
            # Each message that the machine dropped is sent again a second later.
            excused = attack["joins_dropped"] if key == "joins" else 0
            shown = f"{times[len(times) // 2]:.3f}, worst {times[-1]:.3f}" if times else "none"
            self.case.figure(f"{name}: {what}", shown, f"s, {len(busy)} of them, {slow} slow, {failed} failed "
                             f"(bound {allowed:.3f} s; {excused} messages dropped by the machine)")
            self.require(times, f"{what}: none was answered")
            self.require(slow + failed <= excused, f"{what}: {shown} s, bound {allowed:.3f} s, {failed} failed")

    def recover(self, name: str) -> None:
        """Memory and descriptors are back where they were before the attack."""
        end, at = time.monotonic() + RECOVERY_SECONDS, 0.0
        while True:
            more, opened = self.relay.resident_octets() - self.resident, self.open_descriptors() - self.descriptors
            if (more <= MEMORY_OCTETS_MAX and opened <= DESCRIPTORS_MAX) or time.monotonic() > end:
                break
            time.sleep(0.1)
        at = time.monotonic() - end + RECOVERY_SECONDS
        self.case.figure(f"{name}: afterwards", f"{more / (1 << 20):+.1f} MiB, {opened:+d} descriptors", f"after {at:.1f} s")
        self.require(more <= MEMORY_OCTETS_MAX, f"memory: {more / (1 << 20):.1f} MiB more than before")
        self.require(opened <= DESCRIPTORS_MAX, f"{opened} descriptors more than before")

    def stop(self, name: str) -> None:
        try:
            took = self.relay.terminate(30)
        except AssertionError as error:
            self.failures.append(f"SIGTERM: {str(error).splitlines()[0]}")
            return
        self.case.figure(f"{name}: SIGTERM to the end", took, "s")
        self.require(took <= STOP_SECONDS_MAX, f"SIGTERM: {took:.2f} s")

    def verdict(self) -> None:
        for one in self.streams:
            self.require(one.status is None, f"the source ended with {one.status}: {one.err}")
        self.case.check(not self.failures, "; ".join(self.failures))


@contextlib.contextmanager
def arena(case, *options, **more):
    """An arena, and at its end the verdict over all that was required in it."""
    place = Arena(case, *options, **more)
    yield place
    place.verdict()
