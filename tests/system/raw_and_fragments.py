"""Datagrams of any protocol, and fragments of inner datagrams, pass unchanged but for the TTL of a router.

    source (raw frames) ── relay ══ tunnel ══ gateway ── amt0 (argument `tun`) or our own gateway (argument `double`)
"""

from lib import packets
from lib.multicast import Capture, RawSource, payload
from lib.topology import ASM, PORT, SSM, Line

NEEDS = {"namespaces"}


def datagrams(source: str, group: str) -> list[bytes]:
    experimental = [packets.ip(source, group, 253, bytes([n]) * (40 + 100 * n), ttl=9, tos=0x28) for n in range(8)]
    # With IPv4 options, and with a Destination Options header: only what is needed is looked at.
    if packets.family_of(group) == 4:
        special = packets.ipv4(source, group, 253, b"options" * 20, ttl=7, options=b"\x01\x01\x01\x00")
    else:
        special = packets.ipv6(source, group, 60, bytes([253, 0, 1, 4, 0, 0, 0, 0]) + b"options" * 20, hop_limit=7)
    whole = packets.udp_datagram(source, group, PORT, payload(1, 1, 4000), ttl=20)
    return [*experimental, special, *packets.fragments(whole, 1040)]


def run(case):
    [where] = case.arguments
    line = Line(case)
    line.start_relay()
    if where == "tun":
        line.start_gateway(4)
    raw = case.closing(RawSource(line.source, "s0"))
    for family in (4, 6):
        for group in (SSM[family], ASM[family]):
            source = line.source_address(family)
            sent = datagrams(source, group)
            sources = [source] if group == SSM[family] else []
            if where == "tun":
                listener = line.listener(family, group, sources)
                capture = case.closing(Capture(line.gateway, "amt0", outgoing=False))
                seen = capture.datagrams
            else:
                gateway = line.fake_gateway(6 if family == 4 else 4)
                gateway.join_channel(group, sources)

                def seen(gateway=gateway):
                    return [octets for _, _, octets in list(gateway.data)]
            # A first datagram tells when the join has taken effect.
            probe = packets.ip(source, group, 254, b"probe", ttl=9)

            def joined():
                raw.send(probe)
                return packets.forwarded(probe) in seen()
            case.wait_until(joined, 10, f"a first datagram of {group}", poll=0.1)
            for datagram in sent:
                raw.send(datagram)
            expected = [packets.forwarded(datagram) for datagram in sent]

            def arrived():
                return [octets for octets in seen() if octets in expected]
            case.wait_until(lambda: len(arrived()) >= len(expected), 5,
                            f"{group}: all {len(expected)} datagrams unchanged; missing "
                            f"{[one.hex() for one in expected if one not in seen()][:2]}")
            case.check(sorted(arrived()) == sorted(expected), f"{group}: some came twice")
            case.figure(f"{group} datagrams unchanged", len(expected))
            if where == "tun":
                # The kernel puts the fragments together again: the listener checks the 4000 octets.
                case.wait_until(lambda: listener.count, 5, f"{group}: reassembled datagram")
                case.check(listener.damaged == 0, "reassembled datagram damaged")
                listener.close()
                capture.close()
