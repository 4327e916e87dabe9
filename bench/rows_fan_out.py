"""Copies for a second of CPU: the relay against programs that only send."""

from bed import Bed, Load, best_rate, fitted, lost_part
from rounds import compare, take_turns

UNIT = "copies/cpu-s"
# Of a message of UDP_SEGMENT: 48 times 1346 octets are as many as fit.
SEGMENTS_MAX = 48
BASELINES = {"gso": "GSO blaster", "sendmmsg": "sendmmsg loop", "sendto": "sendto loop"}


def measure(bed: Bed, load: Load, name: str, where: str, targets: dict[str, str], end: float):
    """One row for each baseline that `targets` names."""
    ours = fitted(bed.relayed, load)
    segments = bed.segments_a_message(ours)
    # The blaster's messages carry as many as the relay's do.
    bare = {method: fitted(lambda one, method=method: bed.bare(method, one),
                           Load(max(1, round(segments)) if method == "gso" else load.at_once))
            for method in targets}
    runs, bare_runs = take_turns(lambda: bed.relayed(ours),
                                 {method: lambda method=method: bed.bare(method, bare[method]) for method in targets}, end)
    for method, target in targets.items():
        yield compare(f"{name}/{method}", f"relay / {BASELINES[method]}, {where}", UNIT, runs, bare_runs[method],
                      best_rate, target, **({"segments_a_message": round(segments, 1)} if "gso" in targets else {}),
                      packets_a_second=round(ours.at_once * ours.channels_at_once / ours.pause * 1e9), lost=lost_part(runs),
                      bare_lost=lost_part(bare_runs[method]))


def one_channel(gateways: int, at_once: int, targets: dict[str, str]):
    def rows(case, tools, name, end):
        bed = Bed(case, tools, each=gateways, wire=True)
        yield from measure(bed, Load(at_once), name, f"N={gateways}, {at_once} packets at once", targets, end)
    return rows


def many_channels(at_once: int, targets: dict[str, str], data_path="socket"):
    """1000 channels with 10 gateways each, which want nothing else: packets of one channel are seldom together."""
    def rows(case, tools, name, end):
        bed = Bed(case, tools, channels=1000, each=10, wire=True, options=("--data-path", data_path))
        where = f"1000 channels x 10, {at_once} at once, {data_path}"
        yield from measure(bed, Load(at_once, times=1000), name, where, targets, end)
    return rows


GROUPS = {
    "fan-out-1": one_channel(1, 16, {"gso": ">= 0.6", "sendmmsg": "", "sendto": ""}),
    "fan-out-10": one_channel(10, 16, {"gso": ">= 0.9", "sendmmsg": "", "sendto": ""}),
    "fan-out-100": one_channel(100, 16, {"gso": ">= 0.9", "sendmmsg": "", "sendto": ""}),
    "fan-out-1000": one_channel(1000, 16, {"gso": ">= 0.9", "sendmmsg": "", "sendto": ""}),
    "saturated-100": one_channel(100, SEGMENTS_MAX, {"gso": ">= 0.9", "sendto": ">= 4"}),
    "channels-1": many_channels(1, {"sendto": ""}),
    "channels-2": many_channels(2, {"sendto": "", "gso": ""}),
    "channels-xdp": many_channels(1, {"sendto": ">= 2.5"}, data_path="xdp"),
}
