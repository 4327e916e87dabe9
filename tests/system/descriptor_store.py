"""`amt relay --descriptor-store`: at the end it gives sockets and tunnels to systemd (played by this test), and the relay that
is started next goes on with them: no gateway loses a packet, or makes a new handshake.

    source ── relay, stopped and started again ══ our own gateways
"""

import array
import json
import os
import socket

from lib.machine import queue_drops
from lib.multicast import Capture, sequence_report, upstream_leaves
from lib.process import Process
from lib.topology import ASM, SSM, Line, moved

NEEDS = {"namespaces"}
ROUNDS = 5


class Manager:
    """What systemd does of sd_notify(3) and of its descriptor store."""

    def __init__(self, case):
        self.path = str(case.folder / "notify.sock")
        self.socket = case.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.socket.bind(self.path)
        self.socket.settimeout(10)
        self.messages: list[str] = []
        self.stored: int | None = None

    def handle(self) -> str:
        """The next message; a barrier's descriptor is closed, which is the answer."""
        text, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4))
        descriptors = array.array("i")
        for _, _, octets in ancillary:
            descriptors.frombytes(octets)
        message = text.decode()
        if message.startswith("FDSTORE=1\n"):
            self.stored = descriptors.pop()
        for one in descriptors:
            os.close(one)
        self.messages.append(message)
        return message

    def handle_until(self, text: str) -> None:
        while text not in self.handle():
            pass

    def start(self, case, line, name: str, arguments) -> Process:
        """With the stored descriptor, as systemd passes it: number 3, and named in the environment."""
        environment = dict(os.environ, NOTIFY_SOCKET=self.path)
        command, stored = [case.amt, *map(str, arguments)], self.stored
        if stored is not None:
            environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "amt-relay"}
            command = ["sh", "-c", f'exec 3<&{stored}; export LISTEN_PID=$$; exec "$@"', "sh", *command]
        started = case.program(command, name, line.relay, environment, [] if stored is None else [stored])
        if stored is not None:
            os.close(stored)
            self.stored = None
        return started


def numbers(gateway, group: str) -> list[int]:
    return [int.from_bytes(one.payload[16:20], "big") for one in gateway.inner() if one.destination == group]


def snapshot(case, control) -> dict:
    return json.loads(case.amt_once(["status", "--json", "--control", control]).stdout)


def run(case):
    line, manager = Line(case), Manager(case)
    control = case.folder / "relay.sock"
    options = ["relay", "--local", line.relay_address(4), "--local", line.relay_address(6), "--upstream", "r0", "--workers", 2,
               "--control", control, "--descriptor-store"]
    relay = manager.start(case, line, "relay0", options)
    manager.handle_until("READY=1")
    wanted = {4: (SSM[4], [line.source_address(4)]), 6: (ASM[6], [])}
    gateways = [line.fake_gateway(outer) for outer in (4, 6, 4, 6)]
    streams = [line.stream(family, group, rate=1000, sizes=(300,)) for family, (group, _) in wanted.items()]
    for gateway in gateways:
        for group, sources in wanted.values():
            gateway.join_channel(group, sources)
    case.wait_until(lambda: all(len(one.data) > 10 for one in gateways), 10, "data for all")
    before, dropped = snapshot(case, control), queue_drops()
    upstream = case.closing(Capture(line.source, "s0", outgoing=False))
    for number in range(1, ROUNDS + 1):
        relay.signal(15)
        manager.handle_until("FDSTORE=1")
        manager.handle_until("BARRIER=1")
        case.check(relay.wait(5) == 0, f"{relay.status}: {relay.err}")
        case.check("FDPOLL=0\nFDNAME=amt-relay" in "\n".join(manager.messages), f"{manager.messages}")
        relay = manager.start(case, line, f"relay{number}", options)
        manager.handle_until("FDSTOREREMOVE=1\nFDNAME=amt-relay")
        manager.handle_until("READY=1")
        seen = len(gateways[0].data)
        case.wait_until(lambda: len(gateways[0].data) > seen + 100, 10, "data goes on")
    for stream in streams:
        stream.close()
    changes = moved(before, snapshot(case, control))
    for gateway in gateways:
        gateway.catch_up(4)
    excused = queue_drops() - dropped
    case.check(not {"requests_received", "tunnels_created", "upstream_drops"} & changes.keys(), f"{changes}")
    for gateway in gateways:
        for group, _ in wanted.values():
            report = sequence_report(numbers(gateway, group))
            case.check(report["duplicated"] == 0 and report["lost"] <= excused, f"{gateway.endpoint} {group}: {report}")
    case.figure("packets to each gateway", sum(one.sent for one in streams), f"over {ROUNDS} restarts")

    case.check(not upstream_leaves(upstream), f"no leave upstream: {upstream_leaves(upstream)}")

    # Systemd starts none, or cannot keep anything: the relay ends as ever.
    os.unlink(manager.path)
    relay.signal(15)
    case.check(relay.wait(5) == 0 and "the tunnels end" in relay.err, relay.err)
    case.check(not control.exists(), "nothing is left")
