"""A relay that does not answer: Requests of one series are at least 0.9 s apart, back off, and carry one nonce (one
other for the try without the E flag). ICMP unreachable neither ends the gateway nor hurries it (R-5.2.3.9-a). Then
it answers, and takes Updates from the endpoint of their Request only (R-5.1.5-b).
Argument: `gateway` (TUN interface) or `receive`.

    silent host, then our relay ══ gateway
"""

import time

from lib import amt, fake_relay, packets
from lib.multicast import Capture
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
SECONDS = 8


def run(case):
    line = Line(case)
    source = line.source_address(4)
    for quiet in ("silent", "unreachable"):
        relay = None
        if quiet == "silent":
            relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(4)))
            relay.answers_requests = False
        capture = case.closing(Capture(line.relay, "r1", outgoing=False))
        if case.arguments == ["gateway"]:
            case.need_tun()
            program = line.start_gateway(4, name=quiet)
            listener = line.listener(4, SSM[4], [source])
        else:
            program = line.receive(url(SSM[4], source), "-o", case.folder / f"payload_{quiet}", name=quiet)
            listener = None
        time.sleep(SECONDS)
        case.check(program.status is None, f"{quiet}: ended with {program.status}: {program.err}")
        series: dict[tuple[bool, int], list[float]] = {}
        for at, octets in list(capture.seen):
            datagram = packets.parse(octets)
            if datagram.protocol == packets.UDP and datagram.payload[2:4] == amt.PORT.to_bytes(2, "big"):
                message = amt.parse(datagram.payload[8:])
                case.check(message.kind == amt.REQUEST, f"{quiet}: only Requests, not {amt.NAMES[message.kind]}")
                series.setdefault((message.mld, message.nonce), []).append(at)
        case.check(series, f"{quiet}: Requests are sent")
        igmp = sorted(at for (mld, _), times in series.items() for at in times if not mld)
        gaps = [b - a for a, b in zip(igmp, igmp[1:])]
        case.figure(f"{quiet}: Requests for IGMP in {SECONDS} s", len(igmp), f"gaps {', '.join(f'{gap:.2f}' for gap in gaps)} s")
        case.check(2 <= len(igmp) <= 10, f"{quiet}: {len(igmp)} Requests")
        case.check(min(gaps) >= 0.9, f"{quiet}: a gap of {min(gaps):.3f} s")
        nonces = {nonce for mld, nonce in series if not mld}
        # One nonce, one more for the try without the E flag; another series may have begun.
        case.check(len(nonces) <= 3 and any(len(times) > 1 for times in series.values()),
                   f"{quiet}: {len(nonces)} nonces in {len(igmp)} Requests")
        # Now it answers, and the membership is there.
        if relay is None:
            relay = case.closing(fake_relay.FakeRelay(line.relay, line.relay_address(4)))
        relay.answers_requests = True
        start = time.monotonic()
        case.wait_until(lambda: relay.wanting(source, SSM[4]), 20, f"{quiet}: membership once it answers")
        case.figure(f"{quiet}: answered to membership", time.monotonic() - start, "s")
        case.check(relay.problems() == [], str(relay.problems()))
        program.terminate()
        if listener:
            listener.close()
        capture.close()
        relay.close()
