"""A relay that sets the L flag: a gateway without subscriptions there starts discovery again (R-5.2.3.5.4-m) and finds
another; one that has data looks for another, too (RFC 8777 §3.3.5), and keeps what it has while there is none (R-5.2.3.5.4-n).

    discovery address ── relay one, relay two (ours) ══ gateway ── amt0
"""

from lib import amt, fake_relay, packets
from lib.topology import SSM, Line

NEEDS = {"namespaces", "tun"}


def run(case):
    line = Line(case)
    line.relay.ip("addr add 10.2.0.10/24 dev r1", "addr add 10.2.0.11/24 dev r1", "addr add 192.52.193.1 dev lo")
    broker = case.closing(fake_relay.FakeRelay(line.relay, "192.52.193.1", advertise="10.2.0.10"))
    full = case.closing(fake_relay.FakeRelay(line.relay, "10.2.0.10"))
    free = case.closing(fake_relay.FakeRelay(line.relay, "10.2.0.11"))
    full.limit = True
    full.interval = free.interval = 3
    case.daemon(["gateway", "--discovery", "192.52.193.1"], "gateway", line.gateway)
    case.wait_until(lambda: full.of_kind(amt.REQUEST), 10, "a Request to the advertised relay")
    broker.advertise = "10.2.0.11"
    case.wait_until(lambda: len(broker.of_kind(amt.DISCOVERY)) >= 2, 20, "discovery again after the L flag")
    source = line.source_address(4)
    listener = line.listener(4, SSM[4], [source])
    case.wait_until(lambda: free.wanting(source, SSM[4]), 20, "membership at the other relay")
    case.check(not full.tunnels, "none at the full one")

    # Now the one that serves says it is full, and the address leads nowhere else: it goes on serving this gateway.
    free.limit = True
    discoveries = len(broker.of_kind(amt.DISCOVERY))
    requests = len(free.of_kind(amt.REQUEST))
    case.wait_until(lambda: len(free.of_kind(amt.REQUEST)) >= requests + 2, 15, "periodic Requests go on")
    case.check(free.wanting(source, SSM[4]), "membership kept")
    case.wait_until(lambda: len(broker.of_kind(amt.DISCOVERY)) > discoveries, 5, "discovery after the L flag")
    inner = packets.udp_datagram(source, SSM[4], 5000, b"x" * 100)
    free.multicast(inner)
    case.wait_until(lambda: listener.damaged == 1, 2, "data still arrives")
    broker.advertise = "10.2.0.10"
    full.limit = False
    case.wait_until(lambda: full.wanting(source, SSM[4]), 20, "membership at a relay that takes gateways")
    case.check(free.wanting(source, SSM[4]), "and still at the other")
    full.multicast(inner)
    case.wait_until(lambda: not free.wanting(source, SSM[4]), 10, "which is left once data comes by the new one")
    case.check(not (full.problems() + free.problems()), str(full.problems() + free.problems()))
    case.figure("discoveries", len(broker.of_kind(amt.DISCOVERY)))
