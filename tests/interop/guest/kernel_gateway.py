"""The kernel's gateway with our relay.

    source ── relay (ours, host mode) ══ tunnel ══ amtg (kernel) ── listener
"""

import time

from lib import amt, packets
from lib.multicast import Capture, Listener, RawSource, Source, payload
from lib.topology import ASM, PORT, SSM, Line, moved, tunnels
from scenario import PATIENCE, KernelGateway, Tally, collect

PACKETS = 300


def kernel_gateway(case, line: Line, number=0) -> KernelGateway:
    return KernelGateway(line.gateways[number], line.gateway_address(4, number), line.relay_address(4, number))


def joins(case):
    """SSM and ASM, IPv4 and IPv6 inside: join, data, leave; then what the relay's counters say."""
    line = Line(case)
    relay = line.start_relay()
    before = relay.snapshot()
    kernel_gateway(case, line)
    for family in (4, 6):
        source = line.source_address(family)
        for kind, group, sources in (("SSM", SSM[family], [source]), ("ASM", ASM[family], [])):
            stream = line.stream(family, group, rate=100)
            listener = line.listener(family, group, sources, interface="amtg")
            first = collect(case, listener, PACKETS, f"{kind} {group}")
            case.check(listener.origins() == {source}, f"from {listener.origins()}")
            [tunnel] = relay.snapshot()["tunnels"]
            wanted = [(one["mode"], one["sources"]) for one in tunnel["groups"] if one["group"] == group]
            case.check(wanted == [("include", sources) if sources else ("exclude", [])], f"the relay understood {wanted}")
            left = time.monotonic()
            listener.leave_group(group, sources)
            case.wait_until(lambda group=group: all(one["group"] != group for one in relay.snapshot()["channels"]), PATIENCE,
                            f"the relay understood the leave of {group}")
            leave = time.monotonic() - left
            stream.close()
            listener.close()
            tally = Tally()
            tally.add(listener)
            tally.say(f"kernel gateway, {kind} IPv{family}", f"first packet after {first:.1f} s, left after {leave:.1f} s")
    case.figure("counters", moved(before, relay.snapshot()))


def gateway_fields(case):
    """The kernel drops a Query with G; `auto` finds out in time, `always` shows that the trouble is real."""
    line = Line(case)
    tally = Tally()
    for policy in ("auto", "always"):
        relay = line.start_relay("--gateway-fields", policy, name=policy)
        capture = case.closing(Capture(line.relay, "r1"))
        gateway = kernel_gateway(case, line)
        stream = line.stream(4, SSM[4], rate=100)
        listener = line.listener(4, SSM[4], [line.source_address(4)], interface="amtg")
        if policy == "auto":
            collect(case, listener, PACKETS, SSM[4])
            tally.add(listener)
        else:
            time.sleep(10)
            case.check(listener.count == 0, f"the kernel took a Query with G: {listener.count} packets")
        messages = [amt.parse(one.payload[8:]) for one in map(packets.parse, capture.datagrams())
                    if one.protocol == packets.UDP and amt.PORT in (int.from_bytes(one.payload[:2], "big"),
                                                                    int.from_bytes(one.payload[2:4], "big"))]
        queries = [one for one in messages if one.kind == amt.QUERY]
        with_fields = [one for one in queries if one.gateway]
        case.check(any(one.kind == amt.REQUEST and one.flags == 0x80 for one in messages), "the kernel's P is at 0x80")
        if policy == "auto":
            case.check(len(with_fields) <= 1, f"{len(with_fields)} of {len(queries)} Queries with G")
            # The kernel drops that one; it comes again at once.
            case.check(all(any(again.nonce == one.nonce and not again.gateway and packets.parse(again.inner).version == 4
                               for again in queries) for one in with_fields), "the Query with G is repeated without it")
        else:
            case.check(len(with_fields) == len(queries) > 3, f"{len(with_fields)} of {len(queries)} Queries with G")
        stream.close()
        listener.close()
        capture.close()
        gateway.remove()
        relay.terminate()
    tally.say("kernel gateway, --gateway-fields", "auto serves it, always does not")


def relay_restart(case):
    """Our relay ends and comes again, by order and by a crash: the kernel's gateway finds back."""
    line = Line(case)
    relay = line.start_relay(name="relay0")
    kernel_gateway(case, line)
    stream = line.stream(4, SSM[4], rate=100)
    listener = line.listener(4, SSM[4], [line.source_address(4)], interface="amtg")
    collect(case, listener, PACKETS, SSM[4])
    tally, gaps = Tally(), []
    for number in (1, 2):
        if number == 1:
            relay.terminate()
        else:
            relay.kill()
        down = time.monotonic()
        relay = line.start_relay(name=f"relay{number}")
        case.wait_until(lambda down=down: listener.arrivals[-1][0] > down, 2 * PATIENCE, "data after the restart")
        gaps.append(f"{next(at for at, *_ in listener.arrivals if at > down) - down:.1f} s")
        count = listener.count
        case.wait_until(lambda count=count: listener.count >= count + PACKETS, PATIENCE, "the stream goes on")
    stream.close()
    # What was sent while there was no relay is lost to anybody; the numbers after each gap are without a hole.
    numbers = sorted(listener.numbers())
    holes = [after - before for before, after in zip(numbers, numbers[1:]) if after != before + 1]
    case.check(len(holes) <= 2 and not listener.damaged, f"holes {holes}, {listener.damaged} damaged")
    tally.packets, tally.octets = listener.count, listener.octets
    tally.say("kernel gateway, relay restarts", f"data again after {' and '.join(gaps)}")


def two_gateways(case):
    """Two kernel gateways want different sources of one group, and one of them another family too."""
    line = Line(case, sources=2, gateways=2)
    relay = line.start_relay()
    for number in (0, 1):
        kernel_gateway(case, line, number)
    tally = Tally()
    for family in (4, 6):
        group = SSM[family]
        streams = [line.stream(family, group, number=number, stream=number, rate=60) for number in (1, 2)]
        listeners = [line.listener(family, group, [line.source_address(family, number + 1)], number=number, interface="amtg")
                     for number in (0, 1)]
        for number, listener in enumerate(listeners):
            collect(case, listener, 150, f"{group} at gateway {number}")
            expected = {line.source_address(family, number + 1)}
            case.check(listener.origins() == expected, f"gateway {number} got {listener.origins()}, wanted {expected}")
        case.check(len(tunnels(relay)) == 2, f"tunnels {sorted(tunnels(relay))}")
        for one in streams + listeners:
            one.close()
        for listener in listeners:
            tally.add(listener)
    tally.say("kernel gateway, two of them, one group, other sources")


def bursts(case):
    """Many packets at once, which our relay sends merged (UDP_SEGMENT): the kernel's gateway gets each alone."""
    line = Line(case)
    line.start_relay()
    kernel_gateway(case, line)
    tally = Tally()
    for family in (4, 6):
        group, source = SSM[family], line.source_address(family)
        probe = line.stream(family, group, stream=1, rate=50)
        listener = line.listener(family, group, [source], interface="amtg")
        collect(case, listener, 20, group)
        probe.close()
        sender = case.closing(Source(line.source, "s0", family, address=source))
        for n in range(20):
            for octets in [payload(2, n * 30 + i, 1200) for i in range(30)]:
                sender.send(group, PORT, octets)
            time.sleep(0.05)
        case.wait_until(lambda: len(listener.numbers(2)) >= 600, PATIENCE, f"600 packets, got {len(listener.numbers(2))}")
        case.check(sorted(listener.numbers(2)) == list(range(600)) and not listener.damaged, "each once and whole")
        tally.packets += 600
        tally.octets += 600 * 1200
        listener.close()
    tally.say("kernel gateway, bursts of 30 packets")


def fragments(case):
    """Datagrams that fit no tunnel: fragments pass as they are, and what may be cut is cut inside the tunnel."""
    line = Line(case)
    line.start_relay()
    kernel_gateway(case, line)
    group, source = SSM[4], line.source_address(4)
    raw = case.closing(RawSource(line.source, "s0"))
    listener = line.listener(4, group, [source], interface="amtg")
    probe = line.stream(4, group, stream=1, rate=50)
    collect(case, listener, 20, group)
    probe.close()
    whole = [packets.udp_datagram(source, group, PORT, payload(2, number, 1472)) for number in range(20)]
    for datagram in whole:
        raw.send(datagram)
        time.sleep(0.05)
    for number in range(20, 40):
        big = packets.udp_datagram(source, group, PORT, payload(2, number, 4000))
        for piece in packets.fragments(big, 1040, ident=number):
            raw.send(piece)
        time.sleep(0.05)
    case.wait_until(lambda: len(listener.numbers(2)) >= 40, PATIENCE, f"40 datagrams, got {listener.numbers(2)}")
    case.check(not listener.damaged, "damaged")
    tally = Tally(packets=40, octets=20 * 1472 + 20 * 4000)
    tally.say("kernel gateway, datagrams above the path MTU", "put together by the listener's kernel")


def many_groups(case):
    """More groups than one report of the kernel's host part holds in one burst of joins."""
    line = Line(case)
    relay = line.start_relay()
    kernel_gateway(case, line)
    tally = Tally()
    groups = [f"232.7.7.{number}" for number in range(1, 49)]
    source = line.source_address(4)
    listeners = [case.closing(Listener(line.gateway, "amtg", 4, PORT + number)) for number in range(4)]
    for number, group in enumerate(groups):
        listeners[number // 12].join_group(group, [source])
    case.wait_until(lambda: len(relay.snapshot()["channels"]) == len(groups), PATIENCE, "all groups joined at the relay")
    sender = case.closing(Source(line.source, "s0", 4, address=source))
    for group_number, group in enumerate(groups):
        for number in range(5):
            sender.send(group, PORT + group_number // 12, payload(group_number + 1, number, 400))
        time.sleep(0.02)
    total = 5 * len(groups)
    case.wait_until(lambda: sum(one.count for one in listeners) >= total, PATIENCE,
                    f"{total} packets, got {sum(one.count for one in listeners)}")
    for number in range(len(groups)):
        case.check(sorted(listeners[number // 12].numbers(number + 1)) == list(range(5)), f"{groups[number]}: each once")
    tally.packets, tally.octets = total, sum(one.octets for one in listeners)
    tally.say(f"kernel gateway, {len(groups)} groups")


def goes_silent(case):
    """A kernel gateway that loses its link, with memberships: its tunnel ages out."""
    line = Line(case)
    relay = line.start_relay("--query-interval", "4")
    kernel_gateway(case, line)
    stream = line.stream(4, SSM[4], rate=50)
    listener = line.listener(4, SSM[4], [line.source_address(4)], interface="amtg")
    collect(case, listener, 50, SSM[4])
    stream.close()
    line.gateway.ip("link set g0 down")
    start = time.monotonic()
    case.check(tunnels(relay), "the tunnel is there")
    # 2 x 4 s + 10 s, up to 20 s more
    case.wait_until(lambda: not tunnels(relay), 60, "the tunnel is gone")
    tally = Tally()
    tally.add(listener)
    tally.say("kernel gateway, its link lost", f"the tunnel was gone after {time.monotonic() - start:.0f} s")


SCENARIOS = {"gateway-joins": joins, "gateway-fields": gateway_fields, "gateway-relay-restart": relay_restart,
             "gateway-two": two_gateways, "gateway-bursts": bursts, "gateway-fragments": fragments,
             "gateway-many-groups": many_groups, "gateway-silent": goes_silent}
