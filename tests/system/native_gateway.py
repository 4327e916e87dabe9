"""`amt gateway --native`: a program that joined on amt0 has it natively where it comes natively, from the tunnel where it does
not, and never twice, though this host is on the native link, too. Arguments: family; n1 or nothing: by the route.

    source ─┬─ relay ═══ tunnel ═══ amt gateway: amt0, listener
            └────── natively ──────── n1
"""

import time

from lib import packets
from lib.multicast import RawSource, sequence_report
from lib.native import RATE, NativeLine, lose_native, regain_native
from lib.topology import SSM, tunnels

NEEDS = {"namespaces", "tun"}


def served(gateway) -> list[str]:
    return [one["served_by"] for one in gateway.snapshot()["native"]["channels"]]


def run(case):
    family = int(case.arguments[0])
    interface = case.arguments[1:]
    line = NativeLine(case)
    relay = line.start_relay()
    reports = line.native_reports()
    gateway = line.start_gateway(4, *(["--native", *interface] if interface else ["--native"]))
    stream = line.stream(family, SSM[family], rate=RATE)
    source = line.source_address(family)
    # As programs do that know nothing of this: bound to the port, joined on one interface, not shut to others.
    listener = line.listener(family, SSM[family], [source], everything=True)
    case.wait_until(lambda: listener.count >= RATE, 10, f"data natively: {gateway.err}")
    # RFC 3376 §5: a host's reports, of this source alone; and its answer to a General Query.
    case.wait_until(lambda: reports.records(SSM[family]), 5, "a report on the native link")
    case.check(reports.records(SSM[family])[0] == (packets.ALLOW, [source]), str(reports.records(SSM[family])))
    case.check(not line.is_joined_natively(SSM[family]), "the kernel would give amt0's programs what arrives on n1, too")
    time.sleep(1)
    reports.forget()
    router = case.closing(RawSource(line.source, "n0"))
    router.send(packets.general_query(family, source="10.1.0.99" if family == 4 else "fe80::99"))
    case.wait_until(lambda: (packets.IS_IN, [source]) in reports.records(SSM[family]), 15, "a query is answered")
    case.check(not tunnels(relay), "no relay is needed")
    case.check(served(gateway) == ["native"], str(gateway.snapshot()["native"]))
    [lan] = gateway.snapshot()["native"]["interfaces"]
    case.check(lan == {"interface": "n1", "up": True, "groups": 1, "drops": 0}, str(lan))
    case.check(not any(sequence_report(listener.numbers()).values()), f"natively: {sequence_report(listener.numbers())}")
    case.check(listener.origins() == {source}, "the source's own address")

    lost = lose_native(case, line, listener, gateway)
    case.check(served(gateway) == ["tunnel"] and len(tunnels(relay)) == 1, "by the tunnel")
    regain_native(case, line, listener, relay, gateway, lost)
    case.check(served(gateway) == ["native"], "natively again")
    case.check(gateway.snapshot()["counters"]["duplicates_dropped"] > 0, "the overlap was one")

    listener.leave_group(SSM[family], [source])
    case.wait_until(lambda: served(gateway) == [], 5, "left")
    case.wait_until(lambda: (packets.BLOCK, [source]) in reports.records(SSM[family]), 2, str(reports.records(SSM[family])))
    stream.close()
    gateway.terminate()
