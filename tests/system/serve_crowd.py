"""`amt serve` with a viewer that reads nothing, one that reads 1 kbit/s, and 500 that come and go, some in the middle of everything: those
who read on lose nothing, and memory stays within its bound.

    our relay ══ amt serve │ HTTP │ viewers
"""

import socket
import struct
import threading

from lib import http_streams, loopback
from lib import transport_stream as ts
from lib.http_streams import Connection, Reader
from lib.numbered_source import Source, check_begin

NEEDS = {"program"}
STEADY = 20
ROUNDS, EACH_ROUND = 10, 50
RING_OCTETS = 1 << 20
# Five hundred buffers of any use would be more.
GROWTH_MAX = 32 << 20
PATH = f"/amt/{loopback.SOURCE}@{loopback.GROUP}:{loopback.PORT}"
RESET = struct.pack("ii", 1, 0)  # linger for no time


class SlowReader(threading.Thread):
    """Reads 125 octets a second."""

    def __init__(self, connection: Connection):
        super().__init__(daemon=True)
        self.connection, self._over = connection, threading.Event()
        self.start()

    def run(self):
        while not self._over.wait(1):
            self.connection.read(125)

    def close(self):
        self._over.set()
        self.join()
        self.connection.close()


def run(case):
    player = loopback.Player(case)
    port = http_streams.free_port()
    serve = case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address, "--buffer", RING_OCTETS >> 20], "serve")
    serve.wait_ready()

    def watch(**options) -> Connection:
        connection = case.closing(Connection("127.0.0.1", port, **options))
        connection.get(PATH)
        return connection

    def channel() -> dict:
        return http_streams.status("127.0.0.1", port)["channels"][0]

    # The slow ones come first, so that the others are served behind them.
    slow = {"nothing": watch(receive_buffer=4096)}
    player.wait_joined()
    source = case.closing(Source(player, 300))
    case.check(slow["nothing"].header()[0] == 200, "a stream")
    slow["1 kbit/s"] = watch(receive_buffer=4096)
    case.check(slow["1 kbit/s"].header()[0] == 200, "the other slow one")
    readers = []
    for _ in range(STEADY):
        connection = watch()
        case.check(connection.header()[0] == 200, "one who reads on")
        readers.append(Reader(connection))
    name_of = {f"127.0.0.1:{connection.socket.getsockname()[1]}": who for who, connection in slow.items()}
    case.closing(SlowReader(slow["1 kbit/s"]))
    case.wait_until(lambda: channel()["memory_bytes"] > RING_OCTETS * 0.99, 30, "the ring is full", poll=0.2)
    before = serve.resident_octets()

    peak = before
    for _ in range(ROUNDS):
        crowd = [watch() for _ in range(EACH_ROUND)]
        for number, connection in enumerate(crowd):
            if number % 3 == 0:  # at once, in the middle of the answer
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            elif number % 3 == 1:
                connection.header()
                connection.socket.shutdown(socket.SHUT_WR)
            else:
                case.check(connection.header()[0] == 200, "one of the crowd")
                case.check(ts.is_key(ts.packets(connection.read(3 * ts.PACKET))[2]), "gets a key frame")
        peak = max(peak, serve.resident_octets())
        for connection in crowd:
            connection.close()
    case.wait_until(lambda: channel()["viewers"] == STEADY + len(slow), 20, "the crowd has gone")
    skips = case.wait_until(
        lambda: (lambda found: found if len(found) == len(slow) and all(found.values()) else None)(
            {name_of[one["address"]]: one["skips"] for one in channel()["viewer_list"] if one["address"] in name_of}),
        60, "both slow viewers have skipped", poll=0.3)
    for who, count in skips.items():
        case.figure(f"skips of the viewer that reads {who}", count)
    case.figure("resident before the crowd", before / 2**20, "MiB")
    case.figure("resident at most", peak / 2**20, "MiB")
    case.figure("kept for all viewers", channel()["memory_bytes"] / 2**20, "MiB")
    case.check(channel()["memory_bytes"] <= RING_OCTETS, "what is kept is bounded")
    case.check(peak - before < GROWTH_MAX, f"{peak - before} octets more for a crowd")
    source.close()
    for number, reader in enumerate(readers):
        case.wait_until(lambda: bytes(source.sent[-ts.PACKET:]) == bytes(reader.octets[-ts.PACKET:]), 20, f"viewer {number} has the last packet")
        check_begin(case, bytes(reader.octets), source, f"viewer {number}, beside the slow ones and the crowd")
    case.check(channel()["lost"] == 0, "nothing was lost before")
    serve.terminate()
