"""`amt send -` from a live pipe of 1 Mbit/s: whatever becomes of the stream's clock (PCR), nothing is more than 1 s behind.

    this test │ amt send - ── the loopback interface ── this test
"""

import socket
import struct
import subprocess
import threading
import time

from lib.topology import SSM

NEEDS = {"namespaces"}
RATE = 1_000_000
PACKET = 188
CLOCK, OTHER = 0x100, 0x101


def packet(number: int, pid=CLOCK, pcr: float | None = None) -> bytes:
    """One MPEG-TS packet, its number in its last four octets."""
    head = bytes([0x47, pid >> 8, pid & 255, 0x10 | number & 15])
    if pcr is not None:
        base = int(pcr * 90_000)
        head = head[:3] + bytes([0x30 | number & 15, 7, 0x10]) + struct.pack("!IH", base >> 1, (base & 1) << 15 | 0x7E00)
    return head.ljust(PACKET - 4, b"\xff") + struct.pack("!I", number)


def clock(kind: str, number: int, seconds: float):
    """PID and PCR of a packet: a clock every 40 ms until it stops, changes its PID, or leaps."""
    has_clock = number % 27 == 0
    if kind == "absent" or not has_clock:
        return CLOCK, None
    if kind == "stops" and seconds > 1:
        return CLOCK, None
    if kind == "changes" and seconds > 1:
        return OTHER, seconds + 500
    if kind == "leaps" and seconds > 1:
        return CLOCK, seconds + 4
    return CLOCK, seconds


def most_held_back(case, host, kind: str) -> float:
    """Seconds, of all packets."""
    with host.enter():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind((SSM[4], 5000))
        membership = socket.inet_aton(SSM[4]) + socket.inet_aton("127.0.0.1") + struct.pack("i", 0)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        listener.settimeout(0.2)
        sender = subprocess.Popen([case.amt, "send", f"{SSM[4]}:5000", "-", "--interface", "lo", "--source", "127.0.0.1"],
                                  stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=case.env)
    written, delays, over = {}, {}, threading.Event()

    def listen():
        while not over.is_set():
            try:
                datagram = listener.recv(2048)
            except TimeoutError:
                continue
            now = time.monotonic()
            for at in range(0, len(datagram), PACKET):
                number = struct.unpack("!I", datagram[at + PACKET - 4:at + PACKET])[0]
                delays[number] = now - written[number]
    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    start, number = time.monotonic(), 0
    while (seconds := number * PACKET * 8 / RATE) < 4:
        time.sleep(max(0.0, start + seconds - time.monotonic()))
        written[number] = time.monotonic()
        pid, pcr = clock(kind, number, seconds)
        sender.stdin.write(packet(number, pid, pcr))
        sender.stdin.flush()
        number += 1
    # The pipe stays open: all that was written comes all the same.
    case.wait_until(lambda: len(delays) == number, 3, f"{kind}: {len(delays)} of {number} packets while the pipe is open")
    over.set()
    listening.join()
    sender.terminate()
    case.check(sender.wait(3) == 0, sender.stderr.read().decode())
    sender.stdin.close()
    listener.close()
    return max(delays.values())


def run(case):
    host = case.host("sender")
    for kind in ("steady", "absent", "stops", "changes", "leaps"):
        case.within(1, f"most that a packet is held back, clock {kind}", lambda what=kind: most_held_back(case, host, what))
