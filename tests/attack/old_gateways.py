"""VLC breaks on the gateway fields (docs/architecture.md). The relay knows it by the nonce that its Request has from its
Discovery, and remembers that for a while: a flood of Requests from elsewhere does not make it forget.
"""

import random
import time

from arena import arena

from lib import amt
from lib.fake_gateway import FakeGateway

NEEDS = {"namespaces"}
FLOOD_PER_SECOND = 150_000
TRIES = 4
# To a viewer who is far away
ROUND_TRIP_SECONDS = 0.1
WRONG_SHARE_MAX = 0.1


def query_for_vlc(place):
    """The Query that one VLC gets, None if none came."""
    gateway = FakeGateway(place.newcomer, place.line.relay_address(4, 2))
    nonce = random.randrange(1 << 20, 1 << 32)
    try:
        for message, kind in ((amt.discovery(nonce), amt.ADVERTISEMENT), (amt.request(nonce, False), amt.QUERY)):
            for _ in range(TRIES):
                gateway.send(message)
                answer = gateway.wait_for(kind, nonce, 0.5)
                if answer:
                    break
            else:
                return None
            time.sleep(ROUND_TRIP_SECONDS)
        return answer[1]
    finally:
        gateway.close()


def run(case):
    with arena(case) as place:
        flood = place.attack("flood", what="request", per_second=FLOOD_PER_SECOND)
        queries = []
        while flood.status is None:
            queries.append(query_for_vlc(place))
        case.check(flood.status == 0, flood.err)
        wrong = sum(1 for one in queries if one is None or one.gateway)
        case.figure("old gateways: Queries that VLC does not understand", wrong, f"of {len(queries)}; {flood.out.decode().strip()}")
        place.require(queries and wrong <= len(queries) * WRONG_SHARE_MAX, f"{wrong} of {len(queries)} Queries break VLC")
