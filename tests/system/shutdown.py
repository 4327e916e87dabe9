"""SIGTERM: within 2 s the relay has heard a Teardown, or a leave of everything; status 0; the interface is gone.
Argument: `gateway` (TUN interface) or `receive`. The relay is our own.

    our relay ══ gateway
"""

import time

from lib import amt, fake_relay
from lib.topology import ASM, SSM, Line, url

NEEDS = {"namespaces"}


def run(case):
    line = Line(case)
    source = line.source_address(4)
    for outer in (4, 6):
        for fields in (True, False):
            relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(outer)))
            relay.fields = fields
            name = f"v{outer}{'' if fields else '-no-fields'}"
            if case.arguments == ["gateway"]:
                case.need_tun()
                program = line.start_gateway(outer, name=name)
                case.check(line.gateway.has_link("amt0"), "amt0 exists once it is ready")
                listeners = [line.listener(4, SSM[4], [source]), line.listener(6, ASM[6])]
                case.wait_until(lambda: [len(groups) for groups in relay.tunnels.values()] == [2], 10, "two memberships")
            else:
                program = line.receive(url(SSM[4], source), "-o", case.folder / f"payload_{name}", outer=outer, name=name)
                listeners = []
                case.wait_until(lambda: relay.tunnels, 10, "membership")
            start = time.monotonic()
            took = program.terminate()
            case.wait_until(lambda: not relay.tunnels, 2, "everything left or torn down")
            case.check(took < 2 and relay.events[-1].at - start < 2, f"ended {took:.1f} s after SIGTERM")
            how = "Teardown" if relay.of_kind(amt.TEARDOWN) else "leave"
            case.figure(f"{name}: SIGTERM to {how}", (relay.events[-1].at - start) * 1000, "ms")
            case.figure(f"{name}: SIGTERM to end", took * 1000, "ms")
            case.check(fields == (how == "Teardown") or how == "leave", "a Teardown needs the gateway fields")
            case.check(relay.problems() == [], str(relay.problems()))
            case.check(not line.gateway.has_link("amt0"), "amt0 is gone")
            for listener in listeners:
                listener.close()
            relay.close()
