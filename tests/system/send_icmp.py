"""`amt send` survives every ICMP error, forged or not: too big, ports and hosts unreachable, time exceeded. It sends on, and
no smaller pieces.

    amt send ── relay's host, which forges
"""

import socket
import struct

from lib import packets
from lib.multicast import Capture
from lib.topology import SSM, Line

NEEDS = {"namespaces"}
PACKETS, SIZE = 400, 1316
# type, code, and what stands after the checksum
ERRORS = {4: [(3, code, 552 if code == 4 else 0) for code in range(16)] + [(11, 0, 0), (12, 0, 0), (4, 0, 0)],
          6: [(1, code, 0) for code in range(7)] + [(2, 0, 1280), (3, 0, 0), (4, 0, 0)]}


def run(case):
    line = Line(case)
    for family in (4, 6):
        group, source = SSM[family], line.source_address(family)
        target = f"[{group}]:5000" if family == 6 else f"{group}:5000"
        capture = case.closing(Capture(line.relay, "r0", outgoing=False))

        def sent() -> list[packets.Datagram]:
            found = [packets.parse(octets) for octets in capture.datagrams()]
            return [one for one in found if one.destination == group]
        sender = case.start(["send", target, "--interface", "s0", "--rate", 2000000, "--size", SIZE, "--count", PACKETS],
                            f"send{family}", line.source)
        case.wait_until(lambda: sent(), 5, "the first packet")
        kind, protocol = (socket.AF_INET, packets.ICMP) if family == 4 else (socket.AF_INET6, packets.ICMPV6)
        with line.relay.enter():
            forger = case.closing(socket.socket(kind, socket.SOCK_RAW, protocol))
        rounds = 0
        while len(sent()) < PACKETS * 3 // 4 and sender.status is None:
            quote = sent()[-1].octets[:500]
            for number, code, word in ERRORS[family]:
                message = struct.pack("!BBHI", number, code, 0, word) + quote
                forger.sendto(packets.with_checksum(message) if family == 4 else message, (source, 0))
            rounds += 1
        case.check(sender.wait(15) == 0, f"IPv{family}: send: {sender.err}")
        case.figure(f"IPv{family}: rounds of ICMP errors", rounds)
        case.check(rounds > 3, "it had errors enough")
        datagrams = sent()
        case.wait_until(lambda: len(sent()) >= PACKETS * 9 // 10, 5, "most packets")
        case.check(len(datagrams) >= PACKETS - 4, f"IPv{family}: {len(datagrams)} of {PACKETS} packets")
        case.check(not any(one.fragment for one in datagrams), f"IPv{family}: none is cut")
