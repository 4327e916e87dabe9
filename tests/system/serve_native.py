"""`amt serve --native`: a channel of the local network is served without a tunnel; when it stops the tunnel takes over, in the same
response; `/status` says who brings it.

    source ─┬─ relay ═══ tunnel ═══ amt serve │ HTTP │ a viewer
            └────── natively ──────┘
"""

from lib import http_streams, video
from lib.http_streams import Connection, Reader
from lib.native import NativeLine
from lib.topology import PORT, SSM, tunnels

NEEDS = {"namespaces"}
HTTP = 4022


def run(case):
    stream = video.make_stream(case, 60, name="Native")
    line = NativeLine(case)
    relay = line.start_relay()
    serve = case.start(["serve", "--relay", line.relay_address(4), "--native"], "serve", line.gateway)
    serve.wait_ready()
    case.start(["send", f"{SSM[4]}:{PORT}", stream, "--interface", "br0", "--ttl", 8], "send", line.source)
    connection = case.closing(Connection("127.0.0.1", HTTP, namespace=line.gateway))
    connection.get(f"/amt/{line.source_address(4)}@{SSM[4]}:{PORT}")

    def channel() -> dict:
        return http_streams.status("127.0.0.1", HTTP, line.gateway)["channels"][0]

    case.check(connection.header()[0] == 200, "a stream")
    reader = Reader(connection)
    case.wait_until(lambda: channel()["served_by"] == "native", 20, "it comes natively", poll=0.2)
    case.check(channel()["native_interface"] == "n1", str(channel()))
    case.wait_until(lambda: not tunnels(relay), 20, "no tunnel, or none any more")
    line.cut()
    case.wait_until(lambda: channel()["served_by"] == "tunnel", 20, "the tunnel takes over", poll=0.2)
    before = len(reader.octets)
    case.wait_until(lambda: len(reader.octets) > before + 50_000, 20, "the response goes on")
    case.check(channel()["relays"] == [f"{line.relay_address(4)}:2268"], str(channel()))
