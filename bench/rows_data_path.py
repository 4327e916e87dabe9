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


def orders(channels: int, each: int, targets: dict[str, str], joins=1):
    """One packet at a time, of each channel in turn: what comes together of one channel goes by the socket. Ours into an XDP sink, and what is compared with behind the wire: to make a packet of each frame
    that arrives would cost a veth's sender what it costs on no network, and an XDP program that is given packets likewise."""
    def rows(case, tools, name, end):
        def bed(path):
            one = Bed(case, tools, channels=channels, each=each, joins=joins, options=("--data-path", path))
            (one.put_wire if path == "socket" else one.put_xdp_sink)()
            return one
        beds = {path: bed(path) for path in ("orders", "xdp", "socket")}
        load = fitted(beds["socket"].relayed, Load(1, times=100))
        ways = {"sendto": lambda: beds["socket"].bare("sendto", load),
                "gso": lambda: beds["socket"].bare("gso", Load(16, load.pause * 16, max(2, load.times // 16))),
                "xdp": lambda: beds["xdp"].relayed(load)}
        ours, others = take_turns(lambda: beds["orders"].relayed(load), {way: ways[way] for way in targets}, end)
        counters = beds["orders"].relay.snapshot()["counters"]
        for way, target in targets.items():
            yield compare(f"{name}/{way}", f"relay by orders / {OTHERS[way]}, {channels} x {each}, one packet at a time", UNIT, ours,
                          others[way], best_rate, target,
                          orders=round(counters["order_copies"] / max(1, counters["data_packets_sent"]), 2),
                          refused=counters["order_refusals"], lost=lost_part(ours), bare_lost=lost_part(others[way]))
    return rows


OTHERS = {"sendto": "sendto loop", "gso": "GSO blaster with 16", "xdp": "relay by xdp"}
GROUPS = {
    "orders-100": orders(100, 100, {"sendto": ">= 5", "gso": ">= 1.5"}, joins=100),
    "orders-channels": orders(1000, 10, {"sendto": ">= 3.8", "xdp": ">= 1.5"}),
    "techniques": techniques,
    "data-path-received": relay(wire=False),
    "data-path-wire": relay(wire=True),
}
