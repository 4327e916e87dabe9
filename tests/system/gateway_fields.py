"""Whether a Query carries the gateway's address and port (G flag): --gateway-fields always, never, and auto, which leaves
them out towards gateways known to break on them and know no Teardown.

    relay ══ our own gateways, some of which behave like others' software
"""

from lib import amt, packets
from lib.topology import Line

NEEDS = {"namespaces"}


def query_of(case, gateway, octets: bytes, nonce: int) -> amt.Message:
    gateway.send(octets)
    answer = gateway.wait_for(amt.QUERY, nonce, 2)
    case.check(answer, f"a Query for nonce {nonce:#x}")
    inner = packets.parse(answer[1].inner)
    case.check(inner.header_ok and inner.transport_ok() and inner.ttl == 1 and inner.router_alert, "inner General Query")
    case.check(len(inner.octets) == len(answer[1].inner), "exact length")
    return answer[1]


def run(case):
    line = Line(case)
    for policy in ("always", "never", "auto"):
        relay = line.start_relay("--gateway-fields", policy, name=policy)
        for family in (4, 6):
            usual = line.fake_gateway(family)
            for mld in (False, True):
                nonce = 0x66554433 + mld
                query = query_of(case, usual, amt.request(nonce, mld), nonce)
                expected = None if policy == "never" else (usual.address, usual.port)
                case.check(query.gateway == expected, f"{policy}: {query.gateway}, expected {expected}")
            # VLC: the Request repeats the nonce of the Discovery.
            vlc = line.fake_gateway(family)
            nonce = 0x77665544
            vlc.send(amt.discovery(nonce))
            case.check(vlc.wait_for(amt.ADVERTISEMENT, nonce, 2), "Advertisement")
            query = query_of(case, vlc, amt.request(nonce, False) + b"\0", nonce)
            case.check((query.gateway is not None) == (policy == "always"), f"{policy}, nonce reused: {query.gateway}")
            # The kernel's gateway: P at 0x80.
            kernel = line.fake_gateway(family)
            nonce = 0x11998877
            query = query_of(case, kernel, b"\x03\x80\0\0" + nonce.to_bytes(4, "big"), nonce)
            case.check(packets.parse(query.inner).version == 6, "0x80 asks for MLD")
            case.check((query.gateway is not None) == (policy == "always"), f"{policy}, P at 0x80: {query.gateway}")
        relay.terminate()
    case.figure("policies", 3, "as documented")
