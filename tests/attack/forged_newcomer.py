"""Somebody asks in a newcomer's name, 20 000 times a second from ever new ports. The newcomer has never been here, so nothing
in its first Request tells it from the forged ones; but it asks again, as RFC 7450 §5.2.3.5.3 has it, and comes in.

    relay ══ the forger: Requests from 10.4.0.2, whatever the port
          ══ 10.4.0.2, amt receive
"""

import time

from arena import FRESH, arena

from lib.topology import moved, url

NEEDS = {"namespaces"}
FLOOD_SECONDS, PER_SECOND = 20, 20_000
# The forger's messages come in bursts: between two of them this limit must not let anybody in by chance.
LIMIT = ("--max-requests-per-address", 20)
# By the third Request, 3 s after the first: the second one has another nonce, since it does without ECN.
JOIN_SECONDS_MAX = 6


def run(case):
    family = int(case.arguments[0])
    with arena(case, *LIMIT) as place:
        line = place.line
        before = place.relay.snapshot()
        place.attack("flood", seconds=FLOOD_SECONDS, family=family, what="request", per_second=PER_SECOND,
                     **{"from": line.gateway_address(family, 2)})
        case.wait_until(lambda: moved(before, place.relay.snapshot()).get("reject_request_rate_limit", 0) > PER_SECOND / 2, 10,
                        "Requests in the newcomer's name are refused")
        start = time.monotonic()
        receiver = case.start(["receive", url(FRESH["calm"], line.source_address(4)), "--relay", line.relay_address(family, 2),
                               "-o", case.folder / "out", "--count", 1], "newcomer", place.newcomer)
        case.check(receiver.wait(15) == 0, receiver.err)
        took = time.monotonic() - start
        case.figure(f"join while 20 000 Requests a second are forged in its name, IPv{family}", f"{took:.2f}", "s")
        place.require(took < JOIN_SECONDS_MAX, f"the join took {took:.2f} s")
        refused = moved(before, place.relay.snapshot())["reject_request_rate_limit"]
        case.figure("forged Requests refused", refused)
