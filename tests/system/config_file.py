"""The TOML file has the options' names, with `-` or `_`, arrays for what may be repeated; flags win over it.

    relay (configured by file) ══ our own gateway
"""

from lib import packets
from lib.topology import Line

NEEDS = {"namespaces"}


def announced(case, gateway) -> tuple[int, int]:
    """(robustness, query interval) of the Query's inner General Query."""
    payload = packets.parse(gateway.request(4).inner).payload
    return payload[8] & 7, payload[9]


def run(case):
    line = Line(case)
    config = case.folder / "relay.toml"
    for spelling in ("query-interval", "query_interval"):
        config.write_text(f"""
# a relay
local = ["10.2.0.1", "2001:db8:2::1"]
upstream = ["r0"]
{spelling} = 17
robustness = 3
strict = false
log-level = "debug"
""", encoding="utf-8")
        relay = case.daemon(["relay", "--config", config], f"file-{spelling}", line.relay)
        got = announced(case, line.fake_gateway(4))
        case.check(got == (3, 17), f"{spelling}: robustness and interval {got}")
        case.check(announced_v6(line) == (3, 17), "on the second local address, too")
        relay.terminate()
    relay = case.daemon(["relay", "--config", config, "--query-interval", 33], "flag-wins", line.relay)
    got = announced(case, line.fake_gateway(4))
    case.check(got == (3, 33), f"the flag wins: {got}")
    relay.terminate()
    case.figure("configured relays", 3)


def announced_v6(line) -> tuple[int, int]:
    payload = packets.parse(line.fake_gateway(6).request(6).inner).payload
    return payload[24] & 7, payload[25]
