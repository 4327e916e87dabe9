"""Without a machine-id (containers, OpenWrt) the gateway's port is the same at each start, too: a relay that knows gateways
by their address alone would speak to the old one for minutes.

    gateway ══ relay (a double)
"""

import os
import subprocess

from lib import amt, fake_relay
from lib.topology import ASM, Line

NEEDS = {"namespaces", "tun"}


def run(case):
    line = Line(case)
    for path in ("/etc/machine-id", "/sys/class/dmi/id/product_uuid"):
        if os.path.exists(path):
            subprocess.run(["mount", "--bind", "/dev/null", path], check=True)
    relay = case.closing(fake_relay.FakeRelay(line.relay, "10.2.0.1"))
    ports = []
    for number in range(3):
        relay.events.clear()
        gateway = line.start_gateway(4, name=f"start-{number}")
        listener = line.listener(4, ASM[4])
        case.wait_until(lambda: any(one.message.kind == amt.REQUEST for one in relay.events), 10, "a Request")
        ports.append(next(one.endpoint[1] for one in relay.events if one.message.kind == amt.REQUEST))
        listener.close()
        gateway.terminate()
    case.check(len(set(ports)) == 1 and ports[0] >= 49152, f"the port changes: {ports}")
