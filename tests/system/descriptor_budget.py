"""20 480 channels with 1024 descriptors: those that do not fit are told and counted, the relay accepts control clients
and serves other gateways meanwhile, and what was refused is joined when there is room.

    source ── relay (at most 1024 descriptors) ══ 40 tunnels of our own with 512 channels each
                                               ══ a gateway with a channel that is joined already
"""

import resource

from lib import joiners
from lib.topology import SSM, Line

NEEDS = {"namespaces"}
TUNNELS, CHANNELS, DESCRIPTORS = 40, 512, 1024


def run(case):
    line = Line(case, gateways=2)
    source = line.source_address(4)
    # The relay inherits it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    relay = line.start_relay("--max-updates-per-address", "0", "--workers", "2", "--max-channels", "200000",
                             "--max-channels-per-address", "200000")
    case.check(resource.prlimit(relay.pid, resource.RLIMIT_NOFILE) == (DESCRIPTORS, DESCRIPTORS), "the limit is kept")
    many = case.closing(joiners.Joiners(line.gateways[0], line.relay_address(4), source, TUNNELS, CHANNELS))
    many.handshake()
    many.join()

    def missing() -> int:
        return relay.snapshot()["counters"]["upstream_joins_missing"]
    case.wait_until(lambda: joiners.native_groups(line.relay) + missing() == TUNNELS * CHANNELS, 20,
                    "each is joined or counted", poll=0.3)
    case.check(missing() > 1000, "more than there is room for")
    case.figure("joined", joiners.native_groups(line.relay))
    case.figure("refused for want of descriptors", missing())
    case.check("joins may use" in relay.err and relay.err.count("of the joins on r0 failed") == 1, "told once")
    for _ in range(5):
        relay.snapshot()
    # Room again: what was refused is joined, and a newcomer is, too.
    for number in range(0, TUNNELS, 2):
        many.leave(number)
    case.wait_until(lambda: missing() == 0, 20, "the rest is joined", poll=0.3)
    case.check(joiners.native_groups(line.relay) == TUNNELS * CHANNELS // 2, "all that is still wanted")
    other = line.fake_gateway(4, number=1)
    other.join_channel(SSM[4], [source])
    line.stream(4, SSM[4])
    case.wait_until(lambda: other.data, 5, "another gateway's data")
