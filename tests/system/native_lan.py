"""`amt gateway --native=n1 --downstream l0`: the hosts of a LAN hear a group that takes any source natively where it comes
natively; the gateway is its last router then. Cut and back again, and nothing comes twice, though the two ways differ in TTL.

    source ─┬─ relay ═══ tunnel ═══ amt gateway ── l0 ── host
            └────── natively ──────── n1
"""

from lib import packets
from lib.lan import Lan
from lib.multicast import RawSource, payload, sequence_report
from lib.native import RATE, NativeLine
from lib.topology import ASM, PORT, tunnels

NEEDS = {"namespaces", "tun"}


def run(case):
    line = NativeLine(case)
    relay = line.start_relay()
    lan = Lan(case, line, ["a"])
    gateway = line.start_gateway(4, "--native=n1", "--downstream", "l0")
    listeners = {}
    for family in (4, 6):
        line.stream(family, ASM[family], rate=RATE)
        listeners[family] = lan.listener("a", family, ASM[family])
    capture = lan.capture("a")

    def hops() -> set[int]:
        return {one.ttl for one in map(packets.parse, capture.datagrams()) if one.destination in ASM.values() and
                one.protocol == packets.UDP}

    def flow(what):
        before = {family: one.count for family, one in listeners.items()}
        case.wait_until(lambda: all(one.count >= before[family] + RATE for family, one in listeners.items()), 15,
                        f"{what}: {gateway.err}")

    flow("natively")
    case.check(not tunnels(relay), "no relay is needed")
    # The source sends with 16.
    case.check(hops() == {15}, f"one router: {hops()}")
    line.cut()
    flow("by the tunnel")
    case.check(hops() == {15, 14}, f"two routers: {hops()}")
    lost = {family: sequence_report(one.numbers())["lost"] for family, one in listeners.items()}
    line.open()
    case.wait_until(lambda: not tunnels(relay), 10, f"the tunnel is let go: {gateway.err}")
    flow("natively again")
    for family, listener in listeners.items():
        report = sequence_report(listener.numbers())
        case.check(report == {"lost": lost[family], "duplicated": 0, "reordered": 0}, f"IPv{family}: {report}")
        case.check(listener.damaged == 0, "damaged")

    # Whole datagrams: any protocol, and fragments. What nobody wants, and a wrong checksum, goes nowhere.
    raw = case.closing(RawSource(line.source, "n0"))
    whole = packets.udp_datagram(line.source_address(4), ASM[4], PORT, payload(9, 1, 3000), ttl=16)
    wrong = bytearray(packets.udp_datagram(line.source_address(4), ASM[4], PORT, payload(8, 1, 100), ttl=16))
    wrong[40] ^= 1
    raw.send(bytes(wrong))
    raw.send(packets.udp_datagram(line.source_address(4), "239.9.9.9", PORT, payload(7, 1, 100), ttl=16))
    raw.send(packets.igmp_datagram(packets.with_checksum(b"\x16\0\0\0" + packets.address(ASM[4])), ASM[4],
                                   source="10.1.0.77", ttl=16))
    other = packets.ip(line.source_address(4), ASM[4], 253, b"any protocol", ttl=16)
    raw.send(other)
    for piece in packets.fragments(whole, 1024):
        raw.send(piece)
    case.wait_until(lambda: listeners[4].numbers(9) == [1], 5, "fragments")
    seen = [packets.parse(one) for one in capture.datagrams()]
    case.check(packets.forwarded(other) in [one.octets for one in seen], "another protocol, whole")
    case.check(not [one for one in seen if one.destination == "239.9.9.9" or one.source == "10.1.0.77"], "unwanted")
    case.check(listeners[4].damaged == 0 and listeners[4].numbers(8) == [], "a wrong checksum")
    gateway.terminate()
