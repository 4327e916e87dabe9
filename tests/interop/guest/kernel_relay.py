"""The kernel's relay with our gateway and our receiver.

    source ── smcroute ── amtr (kernel) ══ tunnel ══ amt gateway ── amt0 ── listener
"""

import json
import time

from lib import packets
from lib.multicast import Capture
from lib.topology import ASM, SSM, Line, url
from scenario import PATIENCE, KernelGateway, KernelRelay, Tally, collect, transmitted

PACKETS = 300


def kernel_relay(case, line: Line, sources=1) -> KernelRelay:
    """It forwards the groups of the tests, SSM from the first `sources` addresses of the source's host."""
    groups = [(ASM[family], None) for family in (4, 6)]
    groups += [(SSM[family], line.source_address(family, number)) for family in (4, 6) for number in range(1, sources + 1)]
    return KernelRelay(case, line.relay, line.relay_address(4), groups)


def joins(case):
    """SSM and ASM, IPv4 and IPv6 inside."""
    line = Line(case)
    kernel_relay(case, line)
    gateway = line.start_gateway(4)
    for family in (4, 6):
        source = line.source_address(family)
        for kind, group, sources in (("SSM", SSM[family], [source]), ("ASM", ASM[family], [])):
            stream = line.stream(family, group, rate=100)
            listener = line.listener(family, group, sources)
            first = collect(case, listener, PACKETS, f"{kind} {group}")
            case.check(listener.origins() == {source}, f"from {listener.origins()}")
            before = listener.count
            listener.leave_group(group, sources)
            time.sleep(1)
            case.check(listener.count <= before + 20, "nothing reaches a program that left")
            stream.close()
            listener.close()
            tally = Tally()
            tally.add(listener)
            tally.say(f"kernel relay, {kind} IPv{family}", f"first packet after {first:.1f} s")
    case.figure("gateway", gateway.snapshot()["counters"])


def receive(case):
    """`amt send` through the kernel's relay to `amt receive --verify`, which counts and compares by itself."""
    line = Line(case)
    kernel_relay(case, line)
    for family in (4, 6):
        group, source = SSM[family], line.source_address(family)
        out = case.folder / f"payload{family}"
        receiver = line.receive(url(group, source), "--verify", "--stats", "json", "-o", out, "--count", PACKETS,
                                "--timeout", PATIENCE, name=f"receive{family}")
        # Twice as many as are counted: the join takes its time.
        sender = case.start(["send", f"[{group}]:5000" if family == 6 else f"{group}:5000", "--interface", "s0",
                             "--rate", 800000, "--size", 1000, "--count", 4 * PACKETS, "--ttl", 8], f"send{family}", line.source)
        case.check(receiver.wait(2 * PATIENCE) == 0, f"receive: {receiver.status} {receiver.err}")
        sender.kill()
        [text] = [one for one in (receiver.err + receiver.out.decode(errors="replace")).splitlines() if one.startswith("{")]
        got = json.loads(text)
        case.check(got["damaged"] == got["duplicated"] == 0, text)
        case.check(out.stat().st_size == got["bytes"] == 1000 * PACKETS, f"{out.stat().st_size} octets written, {text}")
        Tally(got["received"], got["bytes"], got["lost"]).say(f"kernel relay, amt receive IPv{family}")


def leave(case):
    """What the kernel's relay still sends after our gateway left."""
    line = Line(case)
    kernel_relay(case, line)
    gateway = line.start_gateway(4)
    for family in (4, 6):
        for kind, group in (("SSM", SSM[family]), ("ASM", ASM[family])):
            sources = [line.source_address(family)] if kind == "SSM" else []
            stream = line.stream(family, group, rate=100)
            listener = line.listener(family, group, sources)
            collect(case, listener, 100, group)
            listener.leave_group(group, sources)
            time.sleep(3)  # robustness: the leave is repeated
            before = transmitted(line.relay, "r1")
            time.sleep(2)
            after = transmitted(line.relay, "r1") - before
            stream.close()
            listener.close()
            tally = Tally()
            tally.add(listener)
            tally.say(f"kernel relay, leave of {kind} IPv{family}", f"{after} packets in 2 s after it")
    case.figure("gateway", {name: count for name, count in gateway.snapshot()["counters"].items() if count})


def gateway_restart(case):
    """Our gateway ends and comes again, by order and by a crash; the kernel's relay keeps a tunnel's first port."""
    line = Line(case)
    kernel_relay(case, line)
    group, source = SSM[4], line.source_address(4)
    stream = line.stream(4, group, rate=100)
    tally, times, all_ports = Tally(), [], set()
    for number in range(3):
        capture = case.closing(Capture(line.relay, "r1"))
        gateway = line.start_gateway(4, name=f"gateway{number}")
        listener = line.listener(4, group, [source])
        times.append(f"{collect(case, listener, PACKETS, f'{group} at start {number}'):.1f} s")
        listener.close()
        tally.add(listener)
        ports = {int.from_bytes(one.payload[:2], "big") for one in map(packets.parse, capture.datagrams())
                 if one.protocol == packets.UDP and one.destination == line.relay_address(4)}
        capture.close()
        all_ports |= ports
        if number == 0:
            gateway.terminate()
        else:
            gateway.kill()
        case.wait_until(lambda: not line.gateway.has_link("amt0"), PATIENCE, "amt0 is gone")
    stream.close()
    case.check(len(all_ports) == 1, f"ports {all_ports}")
    tally.say("kernel relay, gateway restarts", f"first packet after {', '.join(times)}")


def relay_restart(case):
    """The kernel's relay forgets its tunnels: our gateway notices and comes again."""
    line = Line(case)
    relay = kernel_relay(case, line)
    line.start_gateway(4)
    group, source = SSM[4], line.source_address(4)
    stream = line.stream(4, group, rate=100)
    listener = line.listener(4, group, [source])
    collect(case, listener, PACKETS, group)
    relay.restart()
    down = time.monotonic()
    case.wait_until(lambda: listener.arrivals[-1][0] > down + 1, 90, "data after the restart")
    gap = next(at for at, *_ in listener.arrivals if at > down + 1) - down
    count = listener.count
    case.wait_until(lambda: listener.count >= count + PACKETS, PATIENCE, "the stream goes on")
    stream.close()
    case.check(not listener.damaged, f"{listener.damaged} damaged")
    Tally(listener.count, listener.octets).say("kernel relay, restarts", f"data again after {gap:.1f} s")


def source_filter(case):
    """The kernel's relay forwards by group alone; our gateway lets in what was asked for."""
    line = Line(case, sources=2)
    kernel_relay(case, line, sources=2)
    gateway = line.start_gateway(4)
    tally = Tally()
    for family in (4, 6):
        group = SSM[family]
        streams = [line.stream(family, group, number=number, stream=number, rate=60) for number in (1, 2)]
        listener = line.listener(family, group, [line.source_address(family, 2)])
        collect(case, listener, 150, group)
        case.check(listener.origins() == {line.source_address(family, 2)}, f"from {listener.origins()}")
        for one in (*streams, listener):
            one.close()
        tally.add(listener)
    refused = gateway.snapshot()["counters"]["reject_data_not_wanted"]
    case.check(refused > 0, "the kernel filters by source: this scenario has nothing to show")
    tally.say("kernel relay, another source of the group", f"{refused} packets of it refused by our gateway")


def kernel_gateway(case):
    """The measure of the rest: both ends are the kernel's."""
    line = Line(case)
    kernel_relay(case, line)
    KernelGateway(line.gateway, line.gateway_address(4), line.relay_address(4))
    tally = Tally()
    for family in (4, 6):
        stream = line.stream(family, SSM[family], rate=100)
        listener = line.listener(family, SSM[family], [line.source_address(family)], interface="amtg")
        collect(case, listener, PACKETS, SSM[family])
        stream.close()
        listener.close()
        tally.add(listener)
    tally.say("kernel relay, kernel gateway", ours=False)


SCENARIOS = {"relay-joins": joins, "relay-receive": receive, "relay-leave": leave, "relay-gateway-restart": gateway_restart,
             "relay-restart": relay_restart, "relay-source-filter": source_filter, "relay-kernel-gateway": kernel_gateway}
