"""What must not have an effect has none, and each kind moves its own counter: forged, truncated, over-long, with wrong
checksums. What must be tolerated (reserved bits, octets behind) is. A tunnel that exists goes on all the while.

    source ── relay ══ our own gateway (good)
                     ══ our own gateway (wrong in one point at a time)
"""

import struct
import time

from lib import amt, packets
from lib.topology import ASM, SSM, Line, moved, tunnels

NEEDS = {"namespaces"}


def flipped(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes([octets[at] ^ 0x01]) + octets[at + 1:]


def refused(family: int, query: amt.Message) -> list[tuple[str, bytes, str]]:
    """(what, message, the counter that must move), none of which may create a tunnel."""
    mac, nonce, group = query.mac, query.nonce, ASM[family]
    join = [packets.record(packets.TO_EX, group)]
    good = packets.report(join, family)
    whole = amt.update(mac, nonce, good)
    protocol = packets.IGMP if family == 4 else packets.ICMPV6
    body = packets.parse(good).payload
    destination = "224.0.0.22" if family == 4 else "ff02::16"
    table = [
        ("forged MAC", amt.update(flipped(mac, 5), nonce, good), "reject_bad_mac"),
        ("wrong nonce", amt.update(mac, nonce ^ 1, good), "reject_bad_mac"),
        ("all-zero MAC", amt.update(bytes(6), nonce, good), "reject_bad_mac"),
        ("Teardown with a forged MAC", amt.teardown(flipped(mac, 0), nonce, *query.gateway), "reject_bad_mac"),
        ("Teardown of another port", amt.teardown(mac, nonce, query.gateway[0], query.gateway[1] ^ 1), "reject_bad_mac"),
        ("empty datagram", b"", "reject_empty"),
        ("version 1", b"\x15" + whole[1:], "reject_bad_version"),
        ("type 0", b"\x00" + whole[1:], "reject_unknown_type"),
        ("type 9", b"\x09" + whole[1:], "reject_unknown_type"),
        ("short Discovery", amt.discovery(7)[:7], "reject_bad_length"),
        ("short Request", amt.request(7, False)[:7], "reject_bad_length"),
        ("short Teardown", amt.teardown(mac, nonce, *query.gateway)[:29], "reject_bad_length"),
        ("Update of 11 octets", whole[:11], "reject_bad_length"),
        ("Advertisement", amt.advertisement(7, "192.0.2.1"), "reject_wrong_role"),
        ("Membership Query", amt.query(mac, nonce, packets.general_query(family)), "reject_wrong_role"),
        ("Multicast Data", amt.data(good), "reject_wrong_role"),
        ("inner datagram cut by one octet", whole[:-1], "reject_inner_truncated"),
        ("TTL 2", amt.update(mac, nonce, packets.report(join, family, ttl=2)), "reject_inner_bad_hop_limit"),
        ("inner checksum", amt.update(mac, nonce, flipped(good, len(good) - 1)), "reject_inner_bad_checksum"),
        ("not IP", amt.update(mac, nonce, b"\x00" + good[1:]), "reject_inner_bad_header"),
        ("UDP inside", amt.update(mac, nonce, packets.udp_datagram(
            packets.parse(good).source, destination, 5000, b"x" * 30, ttl=1)), "reject_inner_not_membership"),
        ("to another group", amt.update(mac, nonce, _readdressed(family, body)), "reject_inner_bad_destination"),
        ("link-scope group", amt.update(mac, nonce, packets.report(
            [packets.record(packets.TO_EX, "224.0.0.251" if family == 4 else "ff02::fb")], family)), "reject_link_scope_group"),
        ("not a group", amt.update(mac, nonce, packets.report(
            [packets.record(packets.TO_EX, "192.0.2.7" if family == 4 else "2001:db8::7")], family)), "reject_bad_group"),
        ("EXCLUDE of an SSM group", amt.update(mac, nonce, packets.report(
            [packets.record(packets.TO_EX, SSM[family])], family)), "reject_ssm_exclude"),
    ]
    if family == 4:
        v1 = packets.with_checksum(struct.pack("!BBH", 0x12, 0, 0) + packets.address(group))
        v2 = packets.with_checksum(struct.pack("!BBH", 0x16, 0, 0) + packets.address(SSM[4]))
        table += [
            ("inner header checksum", amt.update(mac, nonce, flipped(good, 10)), "reject_inner_bad_header_checksum"),
            ("inner fragment", amt.update(mac, nonce, packets.ipv4(
                "0.0.0.0", destination, protocol, body, ttl=1, options=packets.ROUTER_ALERT_V4, fragment=0x2000)),
             "reject_inner_fragment"),
            ("IGMPv1 report", amt.update(mac, nonce, packets.igmp_datagram(v1, group)), "reject_inner_not_membership"),
            ("IGMPv2 report of an SSM group", amt.update(mac, nonce, packets.igmp_datagram(v2, SSM[4])),
             "reject_ssm_older_report"),
        ]
    return table


def _readdressed(family: int, body: bytes) -> bytes:
    if family == 4:
        return packets.igmp_datagram(body, "224.0.0.7")
    return packets.mld_datagram(body[:2] + b"\0\0" + body[4:], "ff02::7")


def tolerated(family: int, query: amt.Message) -> list[tuple[str, bytes]]:
    good = amt.update(query.mac, query.nonce, packets.report([packets.record(packets.TO_EX, ASM[family])], family))
    skipped = packets.record(99, ASM[family])
    mixed = packets.report([skipped, packets.record(packets.TO_EX, ASM[family])], family)
    return [
        ("reserved bits of an Update", good[:1] + b"\xff" + good[2:]),
        ("octets behind the inner datagram", good + b"\xaa" * 40),
        ("unknown record type before a good one", amt.update(query.mac, query.nonce, mixed)),
        ("no Router Alert", amt.update(query.mac, query.nonce, packets.report(
            [packets.record(packets.TO_EX, ASM[family])], family, router_alert=False))),
        ("any inner source", amt.update(query.mac, query.nonce, packets.report(
            [packets.record(packets.TO_EX, ASM[family])], family, source="198.51.100.9" if family == 4 else "2001:db8::9"))),
    ]


def run(case):
    line = Line(case)
    relay = line.start_relay()
    counted = set()
    for family in (4, 6):
        good = line.fake_gateway(family)
        source = line.source_address(family)
        good.join_channel(SSM[family], [source])
        line.stream(family, SSM[family], rate=100, sizes=(100,))
        case.wait_until(lambda: good.data, 5, "the good tunnel")
        bad = line.fake_gateway(family)
        for what, octets, counter in refused(family, bad.request(family)):
            before = relay.snapshot()
            bad.send(octets)
            case.wait_until(lambda: counter in moved(before, relay.snapshot()), 2,
                            f"IPv{family}, {what}: {counter} moves; moved: {moved(before, relay.snapshot())}")
            case.check(bad.endpoint not in tunnels(relay), f"IPv{family}, {what}: no tunnel")
            counted.add(counter)
        case.check(not any(message.kind != amt.QUERY for _, _, message in bad.messages), "nothing was answered")
        for what, octets in tolerated(family, bad.request(family)):
            bad.send(octets)
            case.wait_until(lambda: bad.endpoint in tunnels(relay), 2, f"IPv{family}, {what}: accepted")
            bad.teardown(family)
            case.wait_until(lambda: bad.endpoint not in tunnels(relay), 2, f"IPv{family}, {what}: torn down")
        for what, octets in (("reserved bits", b"\x03\xfc\xff\xff"), ("octets behind", amt.request(0, False)[:4])):
            nonce = 0x01020304 + len(what)
            bad.send(octets + struct.pack("!I", nonce) + (b"" if what == "reserved bits" else b"\xff" * 50))
            case.check(bad.wait_for(amt.QUERY, nonce, 2), f"IPv{family}: a Request with {what} is answered")
        count = len(good.data)
        case.wait_until(lambda: len(good.data) > count + 10, 1, f"IPv{family}: the good tunnel goes on")
        case.check(set(tunnels(relay)) >= {good.endpoint}, "and stands in status")
        good.teardown(family)
    case.figure("kinds of refusal counted", len(counted))
