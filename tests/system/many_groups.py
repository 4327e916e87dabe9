"""200 groups at once from one gateway, and 50 sources of one group: beyond the kernel's limits for one socket
(igmp_max_memberships 20, igmp_max_msf 10) on the relay's upstream.
Argument: `tun` (programs join on amt0) or `double` (our own gateway).

    source (50 addresses) ── relay (joins natively) ══ tunnel ══ gateway
"""

from lib import packets
from lib.multicast import RawSource, payload
from lib.topology import PORT, Line, tunnels

NEEDS = {"namespaces"}
GROUPS, SOURCES, PER_SOCKET = 200, 50, 10


def group_names(family: int) -> list[str]:
    return [f"232.7.{n // 100}.{n % 100 + 1}" if family == 4 else f"ff3e::8007:{n + 1:x}" for n in range(GROUPS)]


def native_groups(line, family: int) -> int:
    """How many of the wanted groups the relay's kernel has joined on r0."""
    listing = line.relay.run("ip", f"-{family}", "maddr", "show", "dev", "r0")
    prefix = "232.7." if family == 4 else "ff3e::8007:"
    return sum(prefix in row for row in listing.splitlines())


def serve_family(case, line, relay, raw, family: int, tun: bool) -> None:
    groups, source = group_names(family), line.source_address(family)
    if tun:
        listeners = [line.listener(family) for _ in range(GROUPS // PER_SOCKET)]
        for number, group in enumerate(groups):
            listeners[number // PER_SOCKET].join_group(group, [source])
    else:
        gateway = line.fake_gateway(4)
        for at in range(0, GROUPS, 20):
            gateway.report(family, [packets.record(packets.ALLOW, group, [source]) for group in groups[at:at + 20]])
    case.wait_until(lambda: sum(len(one["groups"]) for one in tunnels(relay).values()) >= GROUPS, 20,
                    f"{GROUPS} groups at the relay", poll=0.2)
    case.wait_until(lambda: native_groups(line, family) == GROUPS, 10,
                    f"{GROUPS} native joins, {native_groups(line, family)} there", poll=0.2)
    for number, group in enumerate(groups):
        raw.send(packets.udp_datagram(source, group, PORT, payload(1, number, 500)))

    def numbers():
        if tun:
            return sorted(number for one in listeners for number in one.numbers())
        return sorted(int.from_bytes(one.payload[16:20], "big") for one in gateway.inner())
    case.wait_until(lambda: len(numbers()) >= GROUPS, 10, f"one packet of each group, got {len(numbers())}", poll=0.1)
    case.check(numbers() == list(range(GROUPS)), "each exactly once")
    case.figure(f"IPv{family} groups received", GROUPS)

    # Many sources of one group, half of those that send.
    group = "232.8.8.8" if family == 4 else "ff3e::8008:8"
    senders = [line.source_address(family, number) for number in range(1, SOURCES + 1)]
    if tun:
        for one in listeners:
            one.close()
        # A socket takes ten sources of a group by default; an interface takes them all.
        listeners = [line.listener(family, group, senders[at:at + PER_SOCKET]) for at in range(0, SOURCES, PER_SOCKET)]
    else:
        gateway.teardown(family)
        gateway = line.fake_gateway(4)
        gateway.join_channel(group, senders)

    def sources_at_relay():
        return max((len(one["sources"]) for tunnel in tunnels(relay).values() for one in tunnel["groups"]
                    if one["group"] == group), default=0)
    case.wait_until(lambda: sources_at_relay() == SOURCES, 15, f"{SOURCES} sources at the relay", poll=0.2)
    for number, sender in enumerate(senders):
        raw.send(packets.udp_datagram(sender, group, PORT, payload(3, number, 200)))
    stranger = "10.1.77.77" if family == 4 else "2001:db8:1::7777"
    raw.send(packets.udp_datagram(stranger, group, PORT, payload(3, 9999, 200)))
    case.wait_until(lambda: len(set(numbers())) >= SOURCES, 10, f"a packet of each source, got {len(numbers())}", poll=0.1)
    case.check(set(numbers()) == set(range(SOURCES)), "and no stranger's")
    case.figure(f"IPv{family} sources of one group received", SOURCES)
    if tun:
        for one in listeners:
            one.close()
    else:
        gateway.teardown(family)


def run(case):
    tun = case.arguments == ["tun"]
    line = Line(case, sources=SOURCES)
    relay = line.start_relay()
    raw = case.closing(RawSource(line.source, "s0"))
    if tun:
        case.need_tun()
        line.start_gateway(4)
    for family in (4, 6):
        serve_family(case, line, relay, raw, family, tun)
