"""Relay Discovery on the unicast and on an anycast address alike (R-5.3.3.2-a, R-5.3.2-a): the Advertisement comes from where the Discovery went
(R-5.3.3.2-c), names the relay's own address of that family (R-5.1.2-b, R-5.3.2-b), repeats the nonce. Then the whole way:
`amt receive --discovery` from discovery to data.

    source ── relay (anycast address on lo) ══ our own gateway, then amt receive
"""

from lib import amt
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
ANYCAST = {4: "192.52.193.1", 6: "2001:3::1"}


def run(case):
    line = Line(case)
    line.relay.ip(*(f"addr add {address} dev lo" for address in ANYCAST.values()))
    line.start_relay("--discovery", ANYCAST[4], "--discovery", ANYCAST[6])
    for family in (4, 6):
        gateway = line.fake_gateway(family)
        for address in (line.relay_address(family), ANYCAST[family]):
            answer = gateway.discover(to=address)
            case.check(answer, f"an Advertisement from {address}")
            peer, message = answer
            case.check(peer == (address, amt.PORT), f"it came from {peer}")
            case.check(message.relay == line.relay_address(family), f"it names {message.relay}")
        nonce = 0x12345678
        gateway.send(b"\x01\xff\xff\xff" + nonce.to_bytes(4, "big") + b"more")
        case.check(gateway.wait_for(amt.ADVERTISEMENT, nonce, 2), "reserved bits and octets behind are ignored")
        # Anycast says where the relay is; data comes from the relay.
        line.stream(family, SSM[family], rate=200)
        receiver = case.start(["receive", url(SSM[family], line.source_address(family)), "--discovery", ANYCAST[family],
                               "-o", case.folder / f"payload{family}", "--count", 50], f"receive{family}", line.gateway)
        case.check(receiver.wait(15) == 0, f"amt receive --discovery: {receiver.err}")
        case.figure(f"IPv{family} discovered and received", 50, "packets")
