"""The relay's pseudo-interface: whose reports appear on it, what happens when somebody deletes it, and a name that is taken.

    relay (router mode, no daemon) ══ a gateway of ours
"""

from lib import packets
from lib.multicast import Capture, emit
from lib.topology import ASM, PORT, SSM, Line

NEEDS = {"namespaces", "tun"}
ADDRESSES = ("10.77.0.254/24", "2001:db8:77::1/64")
# Beside 10.77.0.254, which ends its subnet, and beside the default link-local address.
HOSTS = {4: "10.77.0.253", 6: "fe80::2"}


def reports(capture) -> list:
    """(source, record type, group, sources) of what the relay's host said."""
    found = []
    for octets in capture.datagrams():
        datagram = packets.parse(octets)
        if datagram.destination in ("224.0.0.22", "ff02::16"):
            found += [(datagram.source, *record) for record in packets.parse_report(datagram)]
    return found


def run(case):
    line = Line(case)
    options = [word for prefix in ADDRESSES for word in ("--interface-address", prefix)]
    relay = line.start_relay("--workers", 4, *options, upstream=("--interface", "amtr0"))
    case.check(relay.err.count("router mode has one worker") == 1, f"told that 4 workers are one: {relay.err}")
    case.check(len(relay.snapshot()["workers"]) == 1, "and so it is")
    shown = line.relay.run("ip", "-o", "address", "show", "dev", "amtr0")
    for address in (*ADDRESSES, "fe80::1/64"):
        case.check(f" {address} " in shown, f"{address} on amtr0: {shown}")
    case.check("198.18.0.1" not in shown, f"no default beside what was given: {shown}")

    capture = case.closing(Capture(line.relay, "amtr0", outgoing=False))
    gateway = line.fake_gateway(4)
    gateway.join_channel(SSM[4], ["10.1.0.1"])
    gateway.join_channel(ASM[6])
    for wanted in ((HOSTS[4], packets.ALLOW, SSM[4], ["10.1.0.1"]), (HOSTS[6], packets.TO_EX, ASM[6], [])):
        case.wait_until(lambda here=wanted: here in reports(capture), 5, f"report {wanted}, got {reports(capture)}")

    line.relay.ip("link del amtr0")
    case.wait_until(lambda: "upstream amtr0 is gone" in relay.err, 5, "the loss is told")
    case.wait_until(lambda: "upstream amtr0 is back" in relay.err and line.relay.has_link("amtr0"), 5, "made anew")
    case.check(relay.err.count("is gone") == 1, "told once")
    datagram = packets.udp_datagram("10.1.0.1", SSM[4], PORT, bytes(30), ttl=5)
    emit(line.relay, "amtr0", datagram)
    case.wait_until(lambda: gateway.data, 5, "what is sent out of the new one")
    case.check(gateway.data[0][2] == datagram, "as it was")
    before = relay.snapshot()["upstreams"][0]
    case.check(before["reports"] >= 2, f"everything is reported again on the new one: {before}")
    capture.close()

    # Nobody asks: a routing daemon that opens the interface late hears what is wanted all the same, until it asks.
    capture = case.closing(Capture(line.relay, "amtr0", outgoing=False))
    for family, wanted in ((4, (HOSTS[4], packets.IS_IN, SSM[4], ["10.1.0.1"])), (6, (HOSTS[6], packets.IS_EX, ASM[6], []))):
        case.wait_until(lambda: wanted in reports(capture), 12, f"IPv{family}: told again: {reports(capture)}")
    for family in (4, 6):
        emit(line.relay, "amtr0", packets.general_query(family))
    case.wait_until(lambda: relay.snapshot()["upstreams"][0]["queries"] >= 2, 5, "a querier is heard")
    capture.close()

    second = case.amt_once(["relay", "--local", "10.2.0.1", "--relay-port", "2269", "--interface", "r0",
                            "--control", str(case.folder / "second.sock")], namespace=line.relay)
    case.check(second.returncode == 1 and "r0" in second.stderr and "exists already" in second.stderr,
               f"a name that is taken: {second}")
    case.check(line.relay.has_link("r0"), "the other r0 is untouched")
    relay.terminate()
    case.check(not line.relay.has_link("amtr0"), "gone after the end")
