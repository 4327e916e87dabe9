"""VLC 4 as a gateway, played by a double (no Debian release has it; VLC 3 knows no AMT): --gateway-fields auto answers its
first Request with a Query that it takes (X-10-2), its Updates are accepted without Router Alert (X-4.3-a) and with octets
behind the record (I-j), and the first nonce and MAC stay good for its own endpoint, and for no other, however often the
relay changes its secret (R-5.3.6-a, R-5.3.3.4-f). With --strict its IGMP is refused. Data comes from the relay's
unicast address and port (R-5.1.6-a).

    source ── relay (its secret lives one second) ══ VLC's double
"""

import time

from lib import amt, packets
from lib.topology import ASM, SSM, Line, moved, tunnels
from lib.vlc import Vlc

NEEDS = {"namespaces"}
INTERVAL = 2
# Long enough for the endpoint to age out (INTERVAL + 10 s, robustness 1) if the repeated Updates were not accepted.
WATCH = 14


def plays(case, line, outer: int, group: str, source: str | None) -> Vlc:
    vlc = case.closing(Vlc(line.gateway, line.relay_address(outer), group, source))
    query = vlc.connect()
    case.check(query[1] == 0, f"IPv{vlc.family} in IPv{outer}: flags {query[1]:#x}: neither G nor L")
    case.check(vlc.interval == INTERVAL, f"it reads a query interval of {vlc.interval} s")
    vlc.report()
    return vlc


def run(case):
    line = Line(case)
    relay = line.start_relay("--query-interval", INTERVAL, "--robustness", 1, "--secret-lifetime", 1, "--workers", 4)
    for family in (4, 6):
        for group in (SSM[family], ASM[family]):
            line.stream(family, group, rate=50, sizes=(100,))
    players = [plays(case, line, outer, SSM[family], line.source_address(family)) for outer in (4, 6) for family in (4, 6)]
    players += [plays(case, line, outer, ASM[4], None) for outer in (4, 6)]
    for vlc in players:
        case.wait_until(lambda: len(vlc.data) > 20, 5, f"data of {vlc.group} for {vlc.endpoint}")
        case.check({peer for peer, _ in vlc.data} == {(vlc.relay, amt.PORT)}, "from the relay's address and port")
        case.check({packets.parse(inner).destination for _, inner in vlc.data} == {vlc.group}, "of this group")

    start = relay.snapshot()
    begin = time.monotonic()
    while time.monotonic() - begin < WATCH:
        time.sleep(INTERVAL)
        for vlc in players:
            vlc.report()
    after = relay.snapshot()
    changes = moved(start, after)["secrets_changed"]
    case.figure("changes of the secret under VLC", changes)
    case.check(changes >= 5, "the secret changed")
    case.check("reject_bad_mac" not in moved(start, after), f"no Update was refused: {moved(start, after)}")
    known = tunnels(relay)
    for vlc in players:
        case.check(vlc.endpoint in known, f"{vlc.endpoint} is still served")
        case.check(sum(one[0] == amt.REQUEST for one in vlc.sent) == 1, "with one Request")
        count = len(vlc.data)
        case.wait_until(lambda: len(vlc.data) > count + 10, 3, "data goes on")

    # The old pair is worth nothing to anybody else.
    thief = line.fake_gateway(4)
    thief.send(players[0].sent[-1])
    case.wait_until(lambda: moved(after, relay.snapshot()).get("reject_bad_mac") == 1, 2, "refused from another port")
    case.check(thief.endpoint not in tunnels(relay), "no tunnel for it")
    for vlc in players:
        vlc.report(leave=True)
        case.wait_until(lambda: vlc.endpoint not in tunnels(relay), 2, "a leave ends the tunnel")
    relay.terminate()
    case.figure("VLCs served", len(players))

    relay = line.start_relay("--strict", "--query-interval", INTERVAL, name="strict")
    vlc = plays(case, line, 4, SSM[4], line.source_address(4))
    case.wait_until(lambda: relay.snapshot()["counters"]["reject_inner_no_router_alert"] == 1, 2, "refused with --strict")
    case.check(vlc.endpoint not in tunnels(relay) and not vlc.data, "and not served")
