"""`amt serve` with viewers of every kind: each gets the stream's own octets from a key frame on, one reception serves all, a slow one
slows nobody, and requests that are no requests harm nothing.

    our relay ══ amt serve │ HTTP │ viewers
"""

import os
import pathlib
import re
import time

from lib import http_streams, loopback
from lib import transport_stream as ts
from lib.http_streams import Connection, Reader
from lib.numbered_source import DATAGRAM, Source, check_begin

NEEDS = {"program"}
MANY = 60
PATH = f"/amt/{loopback.SOURCE}@{loopback.GROUP}:{loopback.PORT}"
BAD = [
    ("/nothing", 404, "GET"), (PATH + "/more", 404, "GET"), (PATH, 405, "POST"), (PATH, 405, "DELETE"),
    ("/amt/", 400, "GET"), ("/amt/232.1.2.3", 400, "GET"), ("/amt/232.1.2.3:5000", 400, "GET"), ("/amt/10.0.0.1:5000", 400, "GET"),
    ("/amt/224.0.0.1:5000", 400, "GET"), ("/amt/239.1.1.1:0", 400, "GET"), ("/amt/239.1.1.1:99999", 400, "GET"),
    ("/udp/..%2f..%2fetc%2fpasswd", 400, "GET"), ("/udp/239.1.1.1:5000%00", 400, "GET"), ("/rtp/%zz", 400, "GET"),
    ("/../etc/passwd", 404, "GET"), (PATH + "?relay=127.0.0.1", 403, "GET"),
]
RAW = [
    (b"nonsense\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    (b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 431),
    (b"GET /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345", 413),
    (b"GET /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403),
    (b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n", 403),
]


def run(case):
    player = loopback.Player(case)
    port = http_streams.free_port()
    serve = case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address, "--buffer", 1, "--max-viewers", MANY + 5],
                       "serve")
    serve.wait_ready()

    def watch(path=PATH, **options) -> Connection:
        connection = case.closing(Connection("127.0.0.1", port, **options))
        connection.get(path)
        return connection

    def state() -> dict:
        return http_streams.status("127.0.0.1", port)

    # The first waits for the channel to begin; the header comes with the first octets.
    first = watch()
    player.wait_joined()
    source = case.closing(Source(player, 400))
    status, header = first.header()
    case.check(status == 200 and header["content-type"] == "video/mp2t", f"{status} {header}")
    check_begin(case, first.read(200 * ts.PACKET), source, "the first viewer")
    begun = time.monotonic()
    second = watch(f"/udp/{loopback.SOURCE}%40{loopback.GROUP}%3A{loopback.PORT}")
    second.header()
    check_begin(case, second.read(3 * ts.PACKET), source, "one who comes later")
    case.figure("GET to key frame on a channel that is received", (time.monotonic() - begun) * 1000, "ms")
    second.close()

    # Many, and one who reads nothing.
    slow = watch(receive_buffer=4096)
    slow.header()
    readers = []
    for _ in range(MANY):
        connection = watch(f"/rtp/{loopback.SOURCE}@{loopback.GROUP}:{loopback.PORT}")
        case.check(connection.header()[0] == 200, "many viewers")
        readers.append(Reader(connection))
    case.wait_until(lambda: state()["viewers"] == MANY + 2, 10, "viewers are counted, and the one who left is not")
    now = state()
    case.check(len(now["channels"]) == 1 and len(player.relay.tunnels) == 1, "one reception for all")
    more = [watch() for _ in range(3)]
    case.check([one.header()[0] for one in more] == [200] * 3, "up to --max-viewers")
    case.check(watch().header()[0] == 503, "and no more")
    for one in more:
        one.close()
    case.wait_until(lambda: state()["channels"][0]["skips"] >= 1, 40, "the slow viewer is behind and skips", poll=0.3)
    octets = slow.read(2 << 20)
    parts = ts.packets(octets[:len(octets) // ts.PACKET * ts.PACKET])
    case.check(all(one[0] == 0x47 for one in parts), "the slow viewer gets whole packets")
    video = [at for at, one in enumerate(parts) if ts.pid(one) == ts.VIDEO_PID]
    jumps = [now for before, now in zip(video, video[1:]) if ts.number(parts[now]) != ts.number(parts[before]) + 1]
    case.check(jumps, "something is missing")
    case.check(all([ts.pid(one) for one in parts[at - 2:at]] == [0, ts.MAP_PID] and ts.is_key(parts[at]) for at in jumps),
               "and it goes on at key frames, behind PAT and PMT")
    for number, reader in enumerate(readers):
        check_begin(case, bytes(reader.octets[:len(reader.octets) // ts.PACKET * ts.PACKET]), source, f"viewer {number}, beside a slow one")
    case.figure("octets of each viewer", len(readers[0].octets))
    case.figure("resident", serve.resident_octets() / 2**20, "MiB")
    metrics = http_streams.fetch("127.0.0.1", port, "/metrics")[2].decode()
    case.check(re.search(r"^amt_serve_viewers \d+$", metrics, re.M) and "amt_serve_viewer_skips_total " in metrics, metrics)

    # What is no request, or asks for what there is not.
    loris = Connection("127.0.0.1", port, timeout=30)
    loris.send(b"GET /am")
    for path, wanted, method in BAD:
        got = http_streams.fetch("127.0.0.1", port, path, method)
        case.check(got[0] == wanted, f"{method} {path}: {got}, not {wanted}")
    for request, wanted in RAW:
        connection = Connection("127.0.0.1", port)
        connection.send(request)
        got = connection.header()[0]
        case.check(got == wanted, f"{request[:60]!r}: {got}, not {wanted}")
        connection.close()
    head = http_streams.fetch("127.0.0.1", port, PATH, "HEAD")
    case.check(head[0] == 200 and head[1]["content-type"] == "video/mp2t" and head[2] == b"", f"HEAD: {head}")
    case.check(http_streams.fetch("127.0.0.1", port, "/healthz")[0] == 200, "healthz")
    case.check(loris.read(100) == b"", "a request that does not end is ended")

    # The last viewer goes, and then the channel.
    for reader in readers[1:]:
        reader.close()
    slow.close()
    first.close()
    late = watch(receive_buffer=4096)
    case.check(late.header()[0] == 200, "one who does not read yet")
    name = f"127.0.0.1:{late.socket.getsockname()[1]}"
    case.wait_until(lambda: any(one["address"] == name and one["behind_bytes"] > 10 * DATAGRAM for one in state()["channels"][0]["viewer_list"]),
                    20, "he falls behind", poll=0.1)
    source.close()
    late_reader = Reader(late)
    case.wait_until(lambda: late_reader.octets.endswith(source.sent[-DATAGRAM:]), 10, "and has it all when he reads, though nothing comes any more")
    late_reader.close()
    case.check(readers[0].is_alive(), "a source that pauses ends nothing")
    readers[0].close()
    case.wait_until(lambda: state()["viewers"] == 0, 15, "nobody watches")
    case.wait_until(lambda: not player.relay.tunnels, 15, "the channel is left")

    # A second start, ended by SIGTERM while somebody watches.
    source = case.closing(Source(player, 200))
    last = watch()
    case.check(last.header()[0] == 200, "again")
    reader = Reader(last)
    case.wait_until(lambda: len(reader.octets) > 50 * ts.PACKET, 10, "data")
    serve.terminate()
    reader.join(5)
    case.check(reader.ended, "the viewer sees the end")
    case.wait_until(lambda: not player.relay.tunnels, 5, "left at the end")

    # The list.
    listed = pathlib.Path(case.folder, "list.m3u")
    listed.write_text("#EXTM3U\n#EXTINF:-1 group-title=\"A\",One\n" + loopback.URL + "\n#EXTINF:-1,Six\nudp://[2001:db8::1]@[ff3e::8000:1]:5\n",
                      encoding="utf-8")
    serve = case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address, "--playlist", listed], "serve-list")
    serve.wait_ready()
    _, header, body = http_streams.fetch("127.0.0.1", port, "/playlist.m3u", host=f"localhost:{port}")
    case.check(body.decode() == f"#EXTM3U\n#EXTINF:-1 group-title=\"A\",One\nhttp://localhost:{port}{PATH}\n"
               f"#EXTINF:-1,Six\nhttp://localhost:{port}/amt/[2001:db8::1]@[ff3e::8000:1]:5\n", body.decode())
    listed.write_text("#EXTM3U\n", encoding="utf-8")
    os.kill(serve.pid, 1)
    case.wait_until(lambda: http_streams.fetch("127.0.0.1", port, "/playlist.m3u")[2] == b"#EXTM3U\n", 5, "SIGHUP reads it again")
    serve.terminate()
