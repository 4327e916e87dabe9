"""`amt receive --native`, with no capability at all: what comes natively needs no relay (D-3.1.1-a (1)); when that stops the
tunnel is there, when it is back the tunnel is let go, and nothing reaches the listener twice. Arguments: family, outer
family; `any`: a group from any source, on an interface that is named.

    source ─┬─ relay ═══ tunnel ═══ amt receive
            └────── natively ──────┘
"""

import pathlib
import time

from lib.multicast import sequence_report
from lib.native import NativeLine, gap_after
from lib.topology import ASM, SSM, tunnels, url

NEEDS = {"namespaces"}
RATE = 200
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

    line.cut()
    cut, count, sent = time.monotonic(), listener.count, stream.sent
    case.wait_until(lambda: listener.count >= count + RATE, 15, f"data by the tunnel: {receiver.err}")
    case.check(len(tunnels(relay)) == 1, "one tunnel")
    case.figure("native path cut: no data for", gap_after(listener, cut), "s")
    report = sequence_report(listener.numbers())
    case.figure(f"native path cut: packets lost at {RATE} a second", report["lost"])
    case.check(report["duplicated"] == 0 and report["reordered"] == 0 and stream.sent > sent, f"{report}")
    lost = report["lost"]
    case.check(line.is_joined_natively(group), "still joined natively")

    line.open()
    back = time.monotonic()
    case.wait_until(lambda: not tunnels(relay), 10, f"the tunnel is let go: {receiver.err}")
    case.figure("native path back: tunnel let go after", time.monotonic() - back, "s")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 5, "data natively again")
    report = sequence_report(listener.numbers())
    case.check(report == {"lost": lost, "duplicated": 0, "reordered": 0}, f"{report}: nothing lost or doubled on the way back")
    case.check(listener.damaged == 0, "damaged")
    receiver.terminate()
    case.check(all(one in receiver.err for one in ("comes natively", "does not come natively any more",
                                                   "the tunnel is let go", "of them natively on n1")), receiver.err)
