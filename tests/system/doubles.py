"""The tests' own packets and messages against the vectors of RFC 7450's layouts: a test double that is wrong proves nothing."""

from lib import amt, packets

NEEDS = set()


def octets(text: str) -> bytes:
    return bytes.fromhex("".join(text.split()))


def run(case):
    mac = octets("a1a2a3a4a5a6")
    gateway = ("192.0.2.1", 51000)
    allow = packets.record(packets.ALLOW, "232.1.2.3", ["198.51.100.12"])
    allow6 = packets.record(packets.ALLOW, "ff3e::8000:d", ["2001:db8::a"])
    expected = {
        "Relay Discovery": (amt.discovery(0x11223344), "01000000 11223344"),
        "Membership Query": (
            amt.query(mac, 0x55667788, packets.general_query(4), gateway=gateway),
            """0401a1a2 a3a4a5a6 55667788 46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81
               00000000 027d0000 c7380000 00000000 00000000 0000c000 0201"""),
        "Membership Update": (
            amt.update(mac, 0x55667788, packets.report([allow], 4)),
            """0500a1a2 a3a4a5a6 55667788 46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8
               00000001 05000001 e8010203 c633640c"""),
        "Teardown": (amt.teardown(mac, 0x55667788, *gateway),
                     "0700a1a2 a3a4a5a6 55667788 c7380000 00000000 00000000 0000c000 0201"),
        "MLDv2 General Query": (
            packets.general_query(6),
            """60000000 00240001 fe800000 00000000 00000000 00000001 ff020000 00000000 00000000 00000001
               3a000502 00000100 82007da5 00010000 00000000 00000000 00000000 00000000 027d0000"""),
        "MLDv2 report": (
            packets.report([allow6], 6),
            """60000000 00340001 fe800000 00000000 00000000 00000002 ff020000 00000000 00000000 00000016
               3a000502 00000100 8f00c0eb 00000001 05000001 ff3e0000 00000000 00000000 8000000d 20010db8
               00000000 00000000 0000000a"""),
    }
    for name, (ours, text) in expected.items():
        case.check(ours == octets(text), f"{name}: {ours.hex()}")
    query = amt.parse(expected["Membership Query"][0])
    case.check(query.gateway == gateway and query.mac == mac and query.nonce == 0x55667788, "Query read back")
    inner = packets.parse(amt.parse(expected["Membership Update"][0]).inner)
    case.check(inner.header_ok and inner.transport_ok() and inner.router_alert and inner.ttl == 1, "Update's inner datagram")
    case.check(packets.parse_report(inner) == [(5, "232.1.2.3", ["198.51.100.12"])], "its record")
    whole = packets.udp_datagram("192.0.2.9", "232.1.2.3", 5000, bytes(range(256)) * 9)
    pieces = [packets.parse(piece) for piece in packets.fragments(whole, 1024)]
    case.check(all(piece.header_ok and piece.fragment for piece in pieces), "fragments")
    case.check(b"".join(piece.payload for piece in pieces) == whole[20:], "fragments joined")
    case.figure("vectors", len(expected), "equal")
