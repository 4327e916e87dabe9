"""`amt receive --native`, with no capability at all: what comes natively needs no relay (D-3.1.1-a (1)); when that stops the
tunnel is there, when it is back the tunnel is let go, and nothing reaches the listener twice. Arguments: family, outer
family; `any`: a group from any source, on an interface that is named.

    source ─┬─ relay ═══ tunnel ═══ amt receive
            └────── natively ──────┘
"""

import pathlib
import time

from lib.multicast import sequence_report
from lib.native import RATE, NativeLine, lose_native, regain_native
from lib.topology import ASM, SSM, tunnels, url

NEEDS = {"namespaces"}
# What `setpriv` takes away: all that root has over a user.
UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


def run(case):
    family, outer = map(int, case.arguments[:2])
    any_source = case.arguments[2:] == ["any"]
    group = (ASM if any_source else SSM)[family]
    line = NativeLine(case)
    relay = line.start_relay()
    listener = line.listener(4, interface="lo", port=6000)
    stream = line.stream(family, group, rate=RATE)
    channel = url(group, None if any_source else line.source_address(family))
    native = "--native=n1" if any_source else "--native"
    receiver = case.program([*UNPRIVILEGED, case.amt, "receive", channel, "--relay", line.relay_address(outer), native,
                             "-o", "udp://127.0.0.1:6000"], "receive", line.gateway)

    case.wait_until(lambda: listener.count >= RATE, 10, f"data natively: {receiver.err}")
    case.check("CapEff:\t0000000000000000\n" in pathlib.Path(f"/proc/{receiver.pid}/status").read_text("ascii"), "no capability")
    case.check(line.is_joined_natively(group), "joined on n1")
    time.sleep(1)
    case.check(relay.snapshot()["counters"]["requests_received"] == 0, "the relay was not asked for anything")
    case.check(not any(sequence_report(listener.numbers()).values()), "sequence natively")

    sent = stream.sent
    lost = lose_native(case, line, listener, receiver)
    case.check(len(tunnels(relay)) == 1 and stream.sent > sent, "one tunnel")
    case.check(line.is_joined_natively(group), "still joined natively")
    regain_native(case, line, listener, relay, receiver, lost)
    receiver.terminate()
    case.check(all(one in receiver.err for one in ("comes natively", "does not come natively any more",
                                                   "the tunnel is let go", "of them natively on n1")), receiver.err)
