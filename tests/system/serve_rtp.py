"""RTP as it comes over real networks, through `amt serve`: reordered, doubled, with padding and extension, of another payload type, and
with losses that rows and columns repair (SMPTE ST 2022-1). The viewer gets the octets that were sent.

    our relay ══ amt serve │ HTTP │ a viewer
"""

import random

from lib import http_streams, loopback
from lib import transport_stream as ts
from lib.http_streams import Connection, Reader
from lib.loopback import PORT, rtp
from lib.repair import repair

NEEDS = {"program"}
COLUMNS = ROWS = 10
MATRICES = 15
DATAGRAM = 7 * ts.PACKET
PATH = f"/amt/{loopback.SOURCE}@{loopback.GROUP}:{PORT}"


def with_padding(packet: bytes) -> bytes:
    return bytes([packet[0] | 0x20]) + packet[1:] + bytes(3) + b"\x04"


def with_extension(packet: bytes) -> bytes:
    return bytes([packet[0] | 0x10]) + packet[1:12] + b"\xbe\xde\x00\x01" + bytes(4) + packet[12:]


def check_whole(case, got: bytes, whole: bytes) -> None:
    """Each octet in order, once, behind the tables; from the first key frame, or from one that came while the viewer was let in."""
    case.check(len(got) > len(whole) * 3 // 4 and whole.endswith(got[2 * ts.PACKET:]), f"{len(got)} octets of {len(whole)}")


def repaired_losses(case, play, payloads_of) -> None:
    """Losses: single ones at random, a burst as long as a row, and what only a column can repair."""
    payloads = payloads_of(ts.Sender(), COLUMNS * ROWS * (MATRICES + 1))
    chance = random.Random(1)
    lost = {number for number in range(COLUMNS * ROWS, len(payloads) - COLUMNS * ROWS) if chance.random() < 0.01}
    lost |= set(range(505, 515)) | {620, 621}
    packets, repairs = [], 0
    for number, payload in enumerate(payloads):
        if number not in lost:
            packets.append((PORT, rtp(number, payload)))
        matrix, place = number // (COLUMNS * ROWS) * COLUMNS * ROWS, number % (COLUMNS * ROWS)
        if place % COLUMNS == COLUMNS - 1:
            packets.append((PORT + 4, repair(number - COLUMNS + 1, 1, COLUMNS, payloads, repairs)))
            repairs += 1
        # The columns of one matrix are sent during the next.
        if matrix and place % ROWS == 0:
            packets.append((PORT + 2, repair(matrix - COLUMNS * ROWS + place // ROWS, COLUMNS, ROWS, payloads, repairs)))
            repairs += 1
    got, state = play(packets)
    case.figure("lost", len(lost), "packets")
    case.figure("repaired", state["repaired"], "packets")
    whole = b"".join(payloads)
    check_whole(case, got, whole)
    case.check(state["repaired"] == len(lost) and state["lost"] == 0, f"{state}")


def run(case):
    player = loopback.Player(case)
    port = http_streams.free_port()
    serve = case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address], "serve")
    serve.wait_ready()

    def play(packets) -> tuple[bytes, dict]:
        """What a viewer gets of (port, RTP packet), and the channel's status."""
        connection = case.closing(Connection("127.0.0.1", port))
        connection.get(PATH)
        player.wait_joined()
        for to, packet in packets:
            player.send(packet, pause=0.0008, port=to)
        case.check(connection.header()[0] == 200, "a stream")
        reader = Reader(connection)
        last = [0, -1]

        def is_over():
            last[0], last[1] = last[1], len(reader.octets)
            return last[0] == last[1]
        case.wait_until(is_over, 30, "all has come", poll=1.5)
        state = http_streams.status("127.0.0.1", port)["channels"][0]
        reader.close()
        case.wait_until(lambda: not player.relay.tunnels, 15, "left")
        return bytes(reader.octets), state

    def payloads_of(sender, count) -> list[bytes]:
        whole = b""
        while len(whole) < count * DATAGRAM:
            whole += sender.group()
        return [whole[at:at + DATAGRAM] for at in range(0, count * DATAGRAM, DATAGRAM)]

    # Out of order by up to five places, each tenth twice, some with padding, an extension, or another payload type.
    payloads = payloads_of(ts.Sender(), 400)
    packets = [rtp(number + 65400, payload, kind=97 if number % 7 == 0 else 33) for number, payload in enumerate(payloads)]
    packets = [with_padding(one) if number % 5 == 1 else with_extension(one) if number % 5 == 2 else one for number, one in enumerate(packets)]
    for at in range(10, 390, 6):
        packets.insert(at, packets.pop(at + 5))
    for at in range(20, 380, 10):
        packets.insert(at, packets[at])
    got, state = play([(PORT, one) for one in packets])
    whole = b"".join(payloads)
    check_whole(case, got, whole)
    case.check(state["lost"] == 0 and state["duplicates"] > 0, f"{state}")

    repaired_losses(case, play, payloads_of)
    serve.terminate()
