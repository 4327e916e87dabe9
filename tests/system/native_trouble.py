"""Where native reception is not to be had it blocks nothing: the tunnel serves, one line says why, and when it can be had it is.

    source ─┬─ relay ═══ tunnel ═══ amt receive, amt gateway
            └────── natively ──────── n1
"""

import socket

from lib import packets
from lib.multicast import Capture, sequence_report
from lib.native import RATE, NativeLine
from lib.topology import PORT, SSM, tunnels, url

NEEDS = {"namespaces", "tun"}


def usage_errors(case, line):
    for command in (["receive", "--native=nope", url(SSM[4], line.source_address(4))], ["gateway", "--native=nope"]):
        done = case.amt_once(command, line.gateway)
        case.check(done.returncode == 2 and "--native nope: there is no such interface" in done.stderr, done.stderr)
        case.check(len(done.stderr.splitlines()) <= 2, done.stderr)


def port_taken(case, line, relay):
    """By a program that shares it with nobody."""
    with line.gateway.enter():
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.bind(("", PORT))
    listener = line.listener(4, interface="lo", port=6000)
    receiver = line.receive(url(SSM[4], line.source_address(4)), "--native", "-o", "udp://127.0.0.1:6000")
    case.wait_until(lambda: listener.count >= RATE, 10, f"data by the tunnel: {receiver.err}")
    case.check(len(tunnels(relay)) == 1, "by the tunnel")
    complaints = [text for text in receiver.err.splitlines() if "no native reception" in text]
    case.check(len(complaints) == 1 and "in use" in complaints[0], receiver.err)
    taken.close()
    case.wait_until(lambda: not tunnels(relay), 10, f"natively when the port is free: {receiver.err}")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 5, "data natively")
    report = sequence_report(listener.numbers())
    case.check(not any(report.values()), f"{report}")
    receiver.terminate()


def interface_goes(case, line, relay):
    gateway = line.start_gateway(4, "--native")
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    case.wait_until(lambda: listener.count >= RATE, 10, "data natively")
    case.check(not tunnels(relay), "natively")
    line.gateway.ip("link del n1")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 10, f"data by the tunnel: {gateway.err}")
    case.check(len(tunnels(relay)) == 1, "by the tunnel")
    lost = sequence_report(listener.numbers())["lost"]
    line.make_link()
    line.open()
    # By the route to the source, which leads to n1 again.
    case.wait_until(lambda: not tunnels(relay), 15, f"natively again: {gateway.err}")
    count = listener.count
    case.wait_until(lambda: listener.count >= count + RATE, 5, "data natively again")
    report = sequence_report(listener.numbers())
    case.check(report == {"lost": lost, "duplicated": 0, "reordered": 0}, f"{report}")
    gateway.terminate()


def nobody_else(case, line):
    """No relay is named, and none can be found: natively all the same, and nobody is asked for the source (D-3.1.1-a (1)). The
    network's own relays would be looked for once, whatever is wanted."""
    capture = case.closing(Capture(line.gateway, "g0"))
    listener = line.listener(4, interface="lo", port=6000)
    receiver = case.start(["receive", url(SSM[4], line.source_address(4)), "--native", "--resolver", "192.0.2.53",
                           "--discover-order", "driad,anycast", "-o", "udp://127.0.0.1:6000"], "alone", line.gateway)
    case.wait_until(lambda: listener.count >= 3 * RATE, 10, f"data natively: {receiver.err}")
    asked = [one for one in map(packets.parse, capture.datagrams()) if one.protocol == packets.UDP]
    case.check(not asked, f"{[(one.source, one.destination) for one in asked]}")
    line.cut()
    case.wait_until(lambda: any(packets.parse(one).destination == "192.0.2.53" for one in capture.datagrams()), 10,
                    "the DNS is asked when it stops")
    line.open()
    receiver.terminate()
    listener.close()


def same_lan(case, line, relay):
    """The native interface and the gateway's are ports of one bridge: what comes there natively is there already."""
    line.gateway.run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    line.gateway.ip("addr flush dev n1", "link set n1 master br0", "addr add 10.1.128.1/16 dev br0", "link set br0 up")
    for native in ("--native", "--native=n1"):
        gateway = line.start_gateway(4, "--tap", native)
        line.gateway.ip("link set amt0 master br0")
        listener = line.listener(4, SSM[4], [line.source_address(4)], interface="br0")
        case.wait_until(lambda: "it is the same LAN as amt0" in gateway.err, 10, gateway.err)
        case.wait_until(lambda: tunnels(relay), 10, "the tunnel is asked")
        count = listener.count
        case.wait_until(lambda: listener.count >= count + RATE, 10, "data")
        case.check(gateway.snapshot()["counters"]["native_packets"] == 0, "nothing goes round")
        listener.close()
        gateway.terminate()


def run(case):
    line = NativeLine(case)
    usage_errors(case, line)
    relay = line.start_relay()
    line.stream(4, SSM[4], rate=RATE)
    nobody_else(case, line)
    port_taken(case, line, relay)
    interface_goes(case, line, relay)
    same_lan(case, line, relay)
