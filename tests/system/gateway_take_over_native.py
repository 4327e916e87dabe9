"""`amt gateway --native --take-over`: what comes natively goes on over changes of the process. Nothing is lost or comes twice, and
no relay is asked. Arguments: how often (default 6).

    source ─┬─ relay ═══ tunnel ═══ amt gateway, amt gateway, ...: amt0, listener
            └────── natively ──────── n1
"""

from lib.multicast import sequence_report
from lib.native import RATE, NativeLine
from lib.topology import SSM, tunnels

NEEDS = {"namespaces", "tun"}


def run(case):
    rounds = int(case.arguments[0]) if case.arguments else 6
    line = NativeLine(case)
    relay = line.start_relay()
    options = ["gateway", "--relay", line.relay_address(4), "--native"]
    control = case.folder / "gateway.sock"
    gateway = case.daemon(options, "gateway0", line.gateway, True, control)
    stream = line.stream(4, SSM[4], rate=RATE)
    listener = line.listener(4, SSM[4], [line.source_address(4)], everything=True)
    case.wait_until(lambda: listener.count >= RATE, 10, f"data natively: {gateway.err}")
    for number in range(1, rounds + 1):
        old, gateway = gateway, case.daemon([*options, "--take-over"], f"gateway{number}", line.gateway, True, control)
        case.check(old.wait(10) == 0, f"{old.status}: {old.err}")
        seen = listener.count
        case.wait_until(lambda at=seen: listener.count >= at + 50, 10, f"data goes on: {gateway.err}")
    case.check([one["served_by"] for one in gateway.snapshot()["native"]["channels"]] == ["native"], f"{gateway.err}")
    case.check(not tunnels(relay), "no relay is needed")
    stream.close()
    case.wait_until(lambda: listener.numbers()[-1] == stream.sent - 1, 5, "the last packet")
    report = sequence_report(listener.numbers())
    case.check(not any(report.values()), f"{report}")
    case.figure("packets", stream.sent, f"over {rounds} changes, {report['lost']} lost")
