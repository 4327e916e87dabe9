"""One honest address joins, changes and leaves as much as it can: what it costs is its own affair.

    joins       256 tunnels x 512 groups, then 256 Teardowns, again and again
    changes     16 tunnels, 100 groups x 120 sources, 200 Updates a second of 100 records
    sources     4 tunnels x 512 groups x 128 sources
    expiry      256 tunnels x 512 groups fall silent, and end all at once
    and others: ATTACKS
"""

import time

from arena import CALM_SECONDS, SECONDS, WATCHED, WATCHERS, arena

from lib.topology import tunnels

NEEDS = {"namespaces"}

JOINING_SECONDS = 3
# At a query interval of one second
EXPIRY_SECONDS = 12

ATTACKS = {
    "joins": {"tunnels": 256, "groups": 512},
    "joins_leaves": {"tunnels": 256, "groups": 512, "then": "leave"},
    "joins_v6": {"tunnels": 256, "groups": 512, "inner": 6},
    "changes": {"tunnels": 16, "groups": 100, "sources": 120, "shared": 1, "act": "change", "updates_per_second": 200},
    "changes_v6": {"tunnels": 16, "groups": 60, "sources": 80, "shared": 1, "act": "change", "inner": 6,
                   "updates_per_second": 200},
    "sources": {"tunnels": 4, "groups": 512, "sources": 128, "act": "hold"},
    # Whole groups, as fast as Updates are taken
    "zapping": {"tunnels": 8, "groups": 100, "act": "change", "updates_per_second": 1000},
    # Tunnels that are made and torn down without a pause
    "flapping": {"tunnels": 100, "groups": 1},
    # Updates that say the same thing as often as fits
    "repeats": {"tunnels": 16, "groups": 1, "sources": 1, "act": "repeat", "updates_per_second": 1000},
    "older": {"tunnels": 64, "groups": 1, "act": "older"},
    # The stream that others watch, as often as one address may
    "watching": {"tunnels": 256, "groups": 1, "act": "hold"},
}


def expire(case) -> None:
    """Robustness x query interval + 10 s after the last Update."""
    with arena(case, "--query-interval", 1) as place:
        vanishing = place.attack("membership", seconds=JOINING_SECONDS, **ATTACKS["joins"] | {"then": "vanish"})
        case.check(vanishing.wait(30) == 0, vanishing.err)
        case.wait_until(lambda: len(tunnels(place.relay)) > WATCHERS, 5, "there are many tunnels")
        time.sleep(max(0.0, EXPIRY_SECONDS - JOINING_SECONDS - CALM_SECONDS - SECONDS / 2))
        place.withstand("expiry")
        case.wait_until(lambda: len(tunnels(place.relay)) == WATCHERS, 30, "the silent ones are gone")
        place.recover("expiry")
        place.stop("expiry")


def run(case):
    name = case.arguments[0]
    if name == "expiry":
        expire(case)
        return
    with arena(case) as place:
        attack = dict(ATTACKS[name])
        if name == "watching":
            attack |= place.channel(WATCHED)
        place.withstand(name, lambda: place.attack("membership", **attack))
        place.recover(name)
        # The end in the middle of it
        again = place.attack("membership", seconds=SECONDS, **attack | {"act": "hold", "then": "vanish"})
        case.wait_until(lambda: b"joined" in again.out or again.status is not None, 20, "the attack is under way again")
        place.stop(name)
