"""`amt receive`, without interface or privileges, writes exactly the octets that the source sent: outer and inner family.

    source ── relay (host mode) ══ tunnel ══ amt receive -o FILE
"""

from lib.multicast import payload
from lib.topology import ASM, SSM, Line, url

NEEDS = {"namespaces"}
PACKETS = 400
SIZES = (64, 700, 1316, 1400)


def run(case):
    outer, inner = map(int, case.arguments)
    line = Line(case)
    line.start_relay()
    source = line.source_address(inner)
    for kind, group, sender in (("SSM", SSM[inner], source), ("ASM", ASM[inner], None)):
        out = case.folder / f"{kind}.payload"
        stream = line.stream(inner, group, rate=400, sizes=SIZES)
        receiver = line.receive(url(group, sender), "-o", out, "--count", PACKETS, outer=outer, name=f"receive-{kind}")
        case.check(receiver.wait(20) == 0, f"{kind}: status {receiver.status}: {receiver.err}")
        stream.close()
        got = out.read_bytes()
        first = int.from_bytes(got[8:12], "big")
        expected = b"".join(payload(1, number, SIZES[number % len(SIZES)]) for number in range(first, first + PACKETS))
        case.figure(f"{kind} octets", len(got), f"from packet {first} on")
        case.check(got == expected, f"{kind}: {len(got)} octets differ from the {len(expected)} sent")
