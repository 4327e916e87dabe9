"""Several relays: the first that answers is used; one that does not costs a quarter of a second.

    source ── relay ══ amt receive --relay SILENT --relay RELAY
"""

import time

from lib.topology import SSM, Line, tunnels, url

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    relay = line.start_relay()
    source = line.source_address(4)
    line.stream(4, SSM[4], rate=200)

    def first_data() -> float:
        listener = line.listener(4, interface="lo", port=6000)
        start = time.monotonic()
        # Nobody has this address: not even an ICMP error comes back from the relay's host.
        receiver = case.start(["receive", url(SSM[4], source), "--relay", "10.2.0.99", "--relay", line.relay_address(4),
                               "-o", "udp://127.0.0.1:6000"], "receive", line.gateway)
        case.wait_until(lambda: listener.count >= 50, 45, "data from the second relay")
        case.check(len(tunnels(relay)) == 1 and listener.damaged == 0, "one tunnel")
        receiver.terminate()
        case.wait_until(lambda: not tunnels(relay), 5, "no tunnel")
        listener.close()
        return listener.arrivals[0][0] - start
    # One after the other it would be 7 s and more.
    case.within(1, "start to first data, the first relay silent", first_data)
