"""MPEG-TS in RTP: on a pipe and in a file a transport stream, in order, once each; kept where that is asked, and where
datagrams are sent again.

    our relay ══ amt receive │ a pipe, a file, udp://
"""

import os
import socket

from lib import loopback
from lib.loopback import rtp, ts_packets

NEEDS = {"program"}
PACKETS = 60
FIRST = 65500  # the sequence number wraps on the way


def played() -> list[bytes]:
    """In the order in which they are sent: two swapped, one four places late, one twice, one missing."""
    order = list(range(PACKETS))
    order[10], order[11] = order[11], order[10]
    order.insert(24, order.pop(20))
    order.insert(30, order[30])
    order.remove(40)
    return [rtp(FIRST + number, ts_packets(number)) for number in order]


def expected() -> bytes:
    return b"".join(ts_packets(number) for number in range(PACKETS) if number != 40)


def gaps_and_other_rtp(case, player, play, end) -> None:
    """A gap is waited for no longer than the window; --rtp keep and strip."""
    # A gap is waited for no longer than the window, though nothing else comes.
    out = case.folder / "gap.ts"
    receiver = play("gap", "-o", out, datagrams=[rtp(1, ts_packets(1)), rtp(3, ts_packets(3))])
    case.wait_until(lambda: out.read_bytes() == ts_packets(1) + ts_packets(3), 5, "written after the window, with nothing behind it")
    player.send(rtp(2, ts_packets(2)))
    player.send(rtp(4, ts_packets(4)))
    case.wait_until(lambda: out.read_bytes() == ts_packets(1) + ts_packets(3) + ts_packets(4), 5, "too late: left out")
    end(receiver)
    case.check("1 too late to be put in order" in receiver.err, receiver.err)

    out = case.folder / "kept"
    receiver = play("keep", "-o", out, "--rtp", "keep")
    case.wait_until(lambda: out.read_bytes() == b"".join(played()), 10, "--rtp keep: as it came")
    end(receiver)

    audio = [rtp(number, bytes([number]) * 160, kind=0) for number in (1, 3, 2)]
    for choice, wanted in (("auto", b"".join(audio)), ("strip", b"".join(bytes([number]) * 160 for number in (1, 2, 3)))):
        out = case.folder / f"audio_{choice}"
        receiver = play(f"audio_{choice}", "-o", out, "--rtp", choice, datagrams=audio)
        case.wait_until(lambda: out.read_bytes() == wanted, 10, f"other RTP, --rtp {choice}")
        end(receiver)

    for choice, wanted in (("auto", played()), ("strip", [ts_packets(n) for n in range(PACKETS) if n != 40])):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.settimeout(5)
            receiver = play(f"udp_{choice}", "-o", f"udp://127.0.0.1:{listener.getsockname()[1]}", "--rtp", choice)
            got = [listener.recv(2048) for _ in wanted]
            case.check(got == wanted, f"datagrams sent again, --rtp {choice}")
            end(receiver)


def run(case):
    player = loopback.Player(case)

    def play(name, *options, datagrams=None):
        receiver = player.receive("--duration", 30, *options, name=name)
        player.wait_joined()
        for datagram in datagrams or played():
            player.send(datagram, pause=0.001)
        return receiver

    def end(receiver):
        receiver.terminate()
        case.wait_until(lambda: not player.relay.tunnels, 5, "left")

    out = case.folder / "file.ts"
    receiver = play("file", "-o", out)
    case.wait_until(lambda: out.stat().st_size == len(expected()), 10, "the file has all of the stream")
    case.check(out.read_bytes() == expected(), "a transport stream in order, each packet once")
    end(receiver)
    case.check("MPEG-TS in RTP: 1 lost" in receiver.err, f"what is missing is told: {receiver.err}")
    case.check("1 duplicated, 2 reordered" in receiver.err, f"and what came in disorder: {receiver.err}")

    pipe = case.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    got = bytearray()

    def read_all():
        try:
            got.extend(os.read(reader, 1 << 16))
        except BlockingIOError:
            pass
        return len(got) == len(expected())
    receiver = play("pipe", "-o", pipe)
    case.wait_until(read_all, 10, "the pipe has all of the stream")
    case.check(bytes(got) == expected(), "the same on a pipe")
    end(receiver)
    os.close(reader)

    gaps_and_other_rtp(case, player, play, end)
