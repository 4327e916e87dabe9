"""tshark decodes everything that relay and gateway send, from discovery to Teardown, IGMP and MLD inside, and finds
nothing malformed and no wrong checksum; the outer UDP checksum is there, over IPv4 as well, with control and with data
(R-5.1-d, R-5.1.6-b).

    source ── relay (anycast address) ══ capture ══ gateway ── amt0 ── listeners
"""

import collections
import subprocess

from lib import netns
from lib.multicast import Capture
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces", "tun", "tshark"}
ANYCAST = {4: "192.52.193.1", 6: "2001:3::1"}
FIELDS = ["ip.version", "amt.type", "_ws.malformed", "udp.checksum.status", "ip.checksum.status", "igmp.checksum.status",
          "icmpv6.checksum.status", "_ws.expert.severity", "_ws.expert.message"]


def run(case):
    outer = int(case.arguments[0])
    line = Line(case)
    line.relay.ip(f"addr add {ANYCAST[outer]} dev lo")
    for host, device in ((line.relay, "r1"), (line.gateway, "g0")):
        # Packets on the wire as a network card would make them: cut, and with their checksums.
        host.run("ip", "link", "set", device, "gso_max_segs", "1", check=False)
        netns.checksum_offload_off(host, device)
    line.start_relay("--discovery", ANYCAST[outer], "--query-interval", 4)
    capture = case.closing(Capture(line.gateway, "g0"))
    gateway = case.daemon(["gateway", "--discovery", ANYCAST[outer]], "gateway", line.gateway)
    listeners = []
    for inner in (4, 6):
        line.stream(inner, SSM[inner], rate=20)
        line.stream(inner, ASM[inner], rate=20)
        listeners += [line.listener(inner, SSM[inner], [line.source_address(inner)]), line.listener(inner, ASM[inner])]
    case.wait_until(lambda: all(one.count >= 20 for one in listeners), 15, "data of all four groups")
    for one in listeners[:2]:
        one.close()
    # Through one more Request, so that a periodic cycle is in the capture too.
    more = listeners[2].count
    case.wait_until(lambda: listeners[2].count > more + 100, 15, "the session goes on")
    gateway.terminate()
    case.wait_until(lambda: capture.seen, 1, "capture")
    capture.close()
    path = case.folder / "session.pcap"
    capture.write_pcap(path)
    command = ["tshark", "-n", "-r", str(path), "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
               "-T", "fields", "-E", "occurrence=a", "-E", "separator=|", *(word for field in FIELDS for word in ("-e", field)),
               "-Y", "udp.port == 2268"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    case.check(done.returncode == 0, f"tshark: {done.stderr}")
    kinds = collections.Counter()
    for row in done.stdout.splitlines():
        values = dict(zip(FIELDS, row.split("|")))
        case.check(values["amt.type"], f"not decoded as AMT: {row}")
        kinds[values["amt.type"].split(",")[0]] += 1
        case.check(not values["_ws.malformed"], f"malformed: {row}")
        # 1: good. 3: there is none, which UDP over IPv4 would allow.
        case.check(values["udp.checksum.status"].split(",")[0] == "1", f"outer UDP checksum: {row}")
        for name in FIELDS:
            if name.endswith("checksum.status"):
                case.check("0" not in values[name].split(","), f"{name} bad: {row}")
    names = dict(zip("1234567", ["Relay Discovery", "Relay Advertisement", "Request", "Membership Query", "Membership Update",
                                 "Multicast Data", "Teardown"]))
    counted = {names.get(str(int(kind, 0)), kind): count for kind, count in kinds.items()}
    case.check(set(counted) == set(names.values()), f"all seven messages: {counted}")
    for name, count in counted.items():
        case.figure(f"{name} decoded", count)
