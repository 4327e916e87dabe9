"""--max-tunnel-rate and --max-rate (R-4.1.4.2-a): each gateway, and all together, get so many bits a second and no more; what
is dropped is counted, and a stream below the cap loses nothing.

    amt send, 4 Mbit/s and 200 kbit/s ── relay ══ amt bench: four gateways on each
"""

import json

from lib.topology import Line, moved

NEEDS = {"namespaces"}
GATEWAYS, SECONDS, SIZE = 4, 5, 1000


def measure(case, line, relay, name: str) -> tuple[dict, dict, dict]:
    """What four gateways of the large stream got, and what the relay counted meanwhile."""
    before = relay.snapshot()
    loads = [case.start(["bench", "--relay", line.relay_address(4), "--json", "--gateways", GATEWAYS, "--group",
                         f"{line.source_address(4)}@232.1.1.{number}", "--duration", SECONDS], f"{name}{number}", line.gateway)
             for number in (1, 2)]
    for load in loads:
        case.check(load.wait(30) == 0, f"amt bench: {load.err}")
    large, small = (json.loads(load.out) for load in loads)
    case.figure(f"{name}: the large stream", large["bits_per_second"] / 1e6, "Mbit/s to all four")
    case.figure(f"{name}: the small stream", f"{small['packets']} packets, {small['lost']} lost")
    return large, small, moved(before, relay.snapshot())


def run(case):
    line = Line(case)
    for number, rate in ((1, "4M"), (2, "200k")):
        case.start(["send", f"232.1.1.{number}:5000", "--interface", "s0", "--source", line.source_address(4), "--rate", rate,
                    "--size", SIZE], f"send{number}", line.source)

    relay = line.start_relay(name="uncapped")
    large, small, counted = measure(case, line, relay, "none")
    case.check(large["lost"] == small["lost"] == 0, f"{large} {small}")
    case.check("data_tunnel_rate" not in counted and "data_total_rate" not in counted, f"{counted}")
    relay.terminate()

    relay = line.start_relay("--max-tunnel-rate", "1M", name="tunnel")
    large, small, counted = measure(case, line, relay, "each-1M")
    allowed = GATEWAYS * 1e6
    case.check(0.5 * allowed < large["bits_per_second"] < 1.15 * allowed, f"{large}")
    case.check(small["lost"] == 0 and small["packets"] > 0, f"the stream below the cap is whole: {small}")
    case.check(counted["data_tunnel_rate"] > large["lost"] / 2 > 0, f"{counted}")
    relay.terminate()

    relay = line.start_relay("--max-rate", "2M", name="total")
    large, small, counted = measure(case, line, relay, "all-2M")
    both = large["bits_per_second"] + small["bits_per_second"]
    case.check(0.5 * 2e6 < both < 1.15 * 2e6, f"{large} {small}")
    case.check(counted["data_total_rate"] > 0, f"{counted}")
