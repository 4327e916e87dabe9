"""`amt gateway --take-over`: one process after the other takes over a running gateway. Programs and hosts of the LAN lose no
packet and get none twice, the relay is asked nothing, the LAN neither. A process that cannot take over harms nothing.
Arguments: how often (default 12), packets a second of each stream (default 500).

    source ── relay ══ gateway, gateway, ... ─┬─ amt0: a program
                                              └─ l0: hosts of a LAN
"""

import json

from lib.lan import Lan
from lib.machine import queue_drops
from lib.multicast import sequence_report
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}
# What only a gateway that starts anew, or ends, makes a relay count. A report that was to be repeated is repeated.
NOTICED = ("requests_received", "queries_sent", "tunnels_created", "tunnels_torn_down", "tunnels_left")


class Gateways:
    """One gateway after the other, at one control socket."""

    def __init__(self, case, line):
        self.case, self.line, self.count = case, line, 0
        self.control = case.folder / "gateway.sock"
        self.now = self.start("gateway0")

    def start(self, name: str, *options, ready=True):
        return self.case.daemon(["gateway", "--relay", self.line.relay_address(4), "--downstream", "l0", *options], name,
                                self.line.gateway, ready, self.control)

    def interface(self) -> int:
        return json.loads(self.line.gateway.run("ip", "-j", "link", "show", "amt0"))[0]["ifindex"]

    def take_over(self) -> None:
        old, before, interface = self.now, self.now.snapshot(), self.interface()
        self.count += 1
        self.now = self.start(f"gateway{self.count}", "--take-over")
        self.case.check(old.wait(10) == 0, f"status {old.status}: {old.err}")
        after = self.now.snapshot()
        self.case.check(self.interface() == interface, "amt0 is the same interface")
        for name, value in before["counters"].items():
            self.case.check(after["counters"][name] >= value, f"{name} went back: {value}, {after['counters'][name]}")
        for was, now in zip(before["downstreams"], after["downstreams"], strict=True):
            self.case.check(was["groups"] == now["groups"] and was["querier"] == now["querier"], f"{was}, {now}")
            self.case.check(now["packets"] >= was["packets"], f"{was}, {now}")

    def fail(self, why: str, status: int, *options) -> None:
        """A process that cannot: it says why, and the gateway goes on."""
        self.count += 1
        failed = self.start(f"failed{self.count}", *options, "--take-over", ready=False)
        self.case.check(failed.wait(10) == status and why in failed.err, f"{failed.status}: {failed.err}")
        self.case.wait_until(lambda: "this gateway goes on" in self.now.err, 5, "the log says so")
        self.case.check(self.now.status is None, "the gateway runs")


def run(case):
    rounds, rate = (int(one) for one in [*case.arguments, *("12", "500")[len(case.arguments):]])
    line = Line(case)
    relay = line.start_relay("--workers", 1)
    lan = Lan(case, line, ["viewer", "party"])
    gateways = Gateways(case, line)
    source = [line.source_address(4)]
    listeners = {"a program": line.listener(4, SSM[4], source), "a host": lan.listener("viewer", 4, SSM[4], source),
                 "a host, IPv6": lan.listener("viewer", 6, ASM[6])}
    party = lan.party("party")
    streams = [line.stream(family, group, rate=rate, sizes=(100,)) for family, group in ((4, SSM[4]), (6, ASM[6]))]
    case.wait_until(lambda: all(len(one.arrivals) > 10 for one in listeners.values()), 10, "data for all")
    begun, endpoints, dropped = relay.snapshot(), set(tunnels(relay)), queue_drops()
    party.forget()

    for _ in range(rounds):
        seen = len(listeners["a host"].arrivals)
        gateways.take_over()
        case.wait_until(lambda at=seen: len(listeners["a host"].arrivals) > at, 10, "data goes on")
    case.check(not set(NOTICED) & set(moved(begun, relay.snapshot())), f"{moved(begun, relay.snapshot())}")
    case.check(not party.queries(), f"the LAN is not asked: {party.queries()}")
    gateways.fail("nowhere", 2, "--native=nowhere")
    gateways.fail("File exists", 1, "--tap")

    # Under the Query that a process before has had from the relay.
    newcomer = lan.listener("viewer", 4, ASM[4])
    other = line.stream(4, ASM[4], rate=50, sizes=(100,))
    case.wait_until(lambda: newcomer.arrivals, 10, "a group joined afterwards")
    changes = moved(begun, relay.snapshot())
    case.check("updates_received" in changes and "requests_received" not in changes, f"{changes}")
    case.check(set(tunnels(relay)) == endpoints, "the same tunnel, from the same port")

    for stream in [*streams, other]:
        stream.close()
    excused = queue_drops() - dropped
    sent = {listener: streams[1 if name.endswith("IPv6") else 0].sent for name, listener in listeners.items()}
    case.wait_until(lambda: all(one.arrivals[-1][2] == count - 1 for one, count in sent.items()), 5, "the last packet")
    for name, listener in listeners.items():
        report = sequence_report([number for _, _, number, _ in listener.arrivals])
        case.check(report["duplicated"] == 0 and report["lost"] <= excused, f"{name}: {report}, {changes}")
    case.figure("packets to each", min(stream.sent for stream in streams), f"over {rounds} changes of the gateway")
    gateways.now.terminate()
    case.wait_until(lambda: not tunnels(relay), 5, "the last one leaves as it should")
