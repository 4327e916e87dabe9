"""A relay that may open 1024 descriptors, as many service managers have it: 40 tunnels x 512 groups do not keep a further
channel from being joined, nor the status from being told.
"""

import ctypes
import resource

from arena import FRESH, SECONDS, arena

NEEDS = {"namespaces"}
DESCRIPTORS = 1024
PR_CAPBSET_DROP, CAP_SYS_RESOURCE = 24, 24
SETTING_UP_SECONDS = 4


def run(case):
    # Without the right to raise the limit, as a service has it.
    case.check(ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE) == 0, "the capability is dropped")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    with arena(case) as place:
        # What newcomers joined before the attack stays joined: they find no room that they left themselves.
        place.load(place.watchers, "watch", relay=place.relay_addresses(0), local=place.host_addresses(0), count=1,
                   file=case.folder / "kept", **place.channel(FRESH["calm"]))
        place.withstand("descriptors", lambda: place.attack(
            "membership", seconds=SECONDS + SETTING_UP_SECONDS, tunnels=40, groups=512, act="hold"), under_way=True)
        place.recover("descriptors")
        place.stop("descriptors")
