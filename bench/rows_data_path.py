"""What frames of our own gain over the kernel's UDP: bare, and in the relay (`--data-path xdp`)."""

from bed import FRAME_METHODS, Bed, Load, best_rate, fitted, lost_part
from rounds import compare, take_turns
from rows_fan_out import UNIT

CHANNELS_AT_ONCE = 16


def techniques(case, tools, name, end):
    """One datagram of each of 16 channels to each of 10 destinations, again and again, by each way that a program has."""
    bed = Bed(case, tools, channels=CHANNELS_AT_ONCE, each=10)
    load = fitted(lambda one: bed.bare("sendto", one), Load(1, channels_at_once=CHANNELS_AT_ONCE))
    for wire, where in ((False, ""), (True, ", behind the wire")):
        if wire:
            bed.put_wire()
        for method in ("sendmmsg", *FRAME_METHODS):
            ours, bare = take_turns(lambda method=method: bed.bare(method, load), {"sendto": lambda: bed.bare("sendto", load)},
                                    end)
            yield compare(f"{name}/{method}{'-wire' if wire else ''}", f"{method} / sendto, singly{where}", UNIT, ours,
                          bare["sendto"], best_rate, lost=lost_part(ours))


def relay(wire: bool):
    """The same relay twice, one packet of each of 16 channels at a time."""
    def rows(case, tools, name, end):
        beds = {path: Bed(case, tools, channels=1000, each=10, joins=1000, wire=wire, options=("--data-path", path))
                for path in ("socket", "xdp")}
        load = fitted(beds["socket"].relayed, Load(1, times=100, channels_at_once=CHANNELS_AT_ONCE))
        ours, bare = take_turns(lambda: beds["xdp"].relayed(load), {"socket": lambda: beds["socket"].relayed(load)}, end)
        counters = beds["xdp"].relay.snapshot()["counters"]
        yield compare(name, f"relay by frames / by the socket, 1000 x 10{', behind the wire' if wire else ''}", UNIT, ours,
                      bare["socket"], best_rate, ">= 1.5",
                      frames=round(counters["xdp_frames"] / max(1, counters["data_packets_sent"]), 2), lost=lost_part(ours),
                      bare_lost=lost_part(bare["socket"]))
    return rows


GROUPS = {
    "techniques": techniques,
    "data-path-received": relay(wire=False),
    "data-path-wire": relay(wire=True),
}
