"""What frames of our own gain over the kernel's UDP: bare, and in the relay (`--data-path xdp`)."""

import pathlib

from bed import FRAME_METHODS, Bed, Load, Sink, fitted
from rounds import ROUNDS, compare, take_turns
from rows_fan_out import UNIT, lost_part

CHANNELS_AT_ONCE = 16
NOWHERE = "02:00:00:00:99:99"


class ThrownAway(Sink):
    """Counts what comes to the far interface, whose host throws it away as somebody else's: as if a network took it."""

    def __init__(self, namespace, sink: Sink):  # pylint: disable=super-init-not-called
        self._namespace, self._process = namespace, sink._process

    def count(self) -> int:
        with self._namespace.enter():
            [device] = [line for line in pathlib.Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
                        if line.split(":")[0].strip() == "g0"]
        return int(device.split(":")[1].split()[1])


def throw_away(bed: Bed) -> None:
    bed.line.relay.ip(f"neigh replace {bed.line.gateway_address(4)} lladdr {NOWHERE} dev r1 nud permanent")
    bed.sink = ThrownAway(bed.line.gateway, bed.sink)


def techniques(case, tools, name, end):
    """One datagram of each of 16 channels to each of 10 destinations, again and again, by each way that a program has."""
    bed = Bed(case, tools, channels=CHANNELS_AT_ONCE, each=10)
    load = fitted(lambda one: bed.bare("sendto", one), Load(1, channels_at_once=CHANNELS_AT_ONCE))
    for received, where in ((True, ""), (False, ", thrown away")):
        if not received:
            throw_away(bed)
        for method in ("sendmmsg", *FRAME_METHODS):
            ours, bare = take_turns(lambda method=method: bed.bare(method, load), {"sendto": lambda: bed.bare("sendto", load)},
                                    ROUNDS, end)
            yield compare(f"{name}/{method}{'' if received else '-thrown-away'}", f"{method} / sendto, singly{where}", UNIT,
                          [run.rate for run in ours], [run.rate for run in bare["sendto"]], lost=lost_part(ours))


def relay(received: bool):
    """The same relay twice, one packet of each of 16 channels at a time."""
    def rows(case, tools, name, end):
        beds = {path: Bed(case, tools, channels=1000, each=10, joins=1000, options=("--data-path", path))
                for path in ("socket", "xdp")}
        if not received:
            for bed in beds.values():
                throw_away(bed)
        load = fitted(beds["socket"].relayed, Load(1, times=100, channels_at_once=CHANNELS_AT_ONCE))
        ours, bare = take_turns(lambda: beds["xdp"].relayed(load), {"socket": lambda: beds["socket"].relayed(load)}, ROUNDS, end)
        counters = beds["xdp"].relay.snapshot()["counters"]
        yield compare(name, f"relay by frames / by the socket, 1000 x 10{'' if received else ', thrown away'}", UNIT,
                      [run.rate for run in ours], [run.rate for run in bare["socket"]], ">= 1.5",
                      frames=round(counters["xdp_frames"] / max(1, counters["data_packets_sent"]), 2), lost=lost_part(ours),
                      bare_lost=lost_part(bare["socket"]))
    return rows


GROUPS = {
    "techniques": techniques,
    "data-path-received": relay(received=True),
    "data-path-thrown-away": relay(received=False),
}
