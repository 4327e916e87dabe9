"""`amt gateway --descriptor-store`: at the end it gives interface, sockets and tunnels to systemd (played by this test), and the
gateway that is started next goes on with them. A state that is of no use is refused with one line, and the gateway starts empty.

    source ── relay ══ gateway, stopped and started again ── amt0: a program
"""

import array
import fcntl
import os
import socket

from lib.multicast import sequence_report
from lib.service_manager import Manager
from lib.topology import SSM, Line, moved

NEEDS = {"namespaces"}
ROUNDS = 5
STATE, LAST = 0, 7
F_ADD_SEALS, ALL_SEALS = 1033, 0xf


def description(kind: int) -> bytes:
    """A descriptor without owner, address or name (NamedDescriptor)."""
    return bytes([kind]) + bytes(4 + 16 + 2 + 1 + 6 * 8)


def damaged() -> int:
    """What a gateway might have left whose memory went bad."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory = os.memfd_create("state", os.MFD_ALLOW_SEALING)
    os.write(memory, b"amtgatew" + (1).to_bytes(4, "big") + bytes(200))
    fcntl.fcntl(memory, F_ADD_SEALS, ALL_SEALS)
    ours.send(description(LAST))
    ours.sendmsg([description(STATE) + description(LAST)],
                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))])
    os.close(memory)
    ours.close()
    return theirs.detach()


def run(case):
    line, manager = Line(case), Manager(case, "amt-gateway")
    relay = line.start_relay("--workers", 1)
    control = case.folder / "gateway.sock"
    options = ["gateway", "--relay", line.relay_address(4), "--control", control, "--descriptor-store"]
    gateway = manager.start("gateway0", line.gateway, options)
    manager.handle_until("READY=1")
    listener = line.listener(4, SSM[4], [line.source_address(4)])
    stream = line.stream(4, SSM[4], rate=1000, sizes=(100,))
    case.wait_until(lambda: len(listener.arrivals) > 10, 10, "data")
    before = relay.snapshot()
    for number in range(1, ROUNDS + 1):
        gateway = manager.restart(gateway, f"gateway{number}", line.gateway, options)
        seen = len(listener.arrivals)
        case.wait_until(lambda at=seen: len(listener.arrivals) > at + 100, 10, "data goes on")
    changes = moved(before, relay.snapshot())
    case.check(not {"requests_received", "tunnels_created", "tunnels_torn_down", "tunnels_left"} & changes.keys(), f"{changes}")
    stream.close()
    case.wait_until(lambda: listener.arrivals[-1][2] == stream.sent - 1, 5, "the last packet")
    report = sequence_report([number for _, _, number, _ in listener.arrivals])
    case.check(report["duplicated"] == 0 and report["lost"] == 0, f"{report}")
    case.figure("packets", stream.sent, f"over {ROUNDS} restarts, {report['lost']} lost")

    manager.stop(gateway)
    os.close(manager.stored)
    manager.stored = damaged()
    gateway = manager.start("damaged", line.gateway, options)
    manager.handle_until("READY=1")
    lines = [text for text in gateway.err.splitlines() if "starts empty" in text]
    case.check(len(lines) == 1 and "its state is damaged" in lines[0], gateway.err)
    case.check("requests_received" in moved(before, relay.snapshot()), "it has begun anew")

    # Systemd cannot keep anything: the gateway ends as ever.
    os.unlink(manager.path)
    gateway.signal(15)
    case.check(gateway.wait(5) == 0 and "the tunnels end" in gateway.err, gateway.err)
    case.check(not control.exists(), "nothing is left")
