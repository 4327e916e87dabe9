"""Channels that are announced on the network (SAP, RFC 2974): `amt announce` says what there is, `amt serve` lists it, natively and
through a tunnel, until it is taken back or not said any more; what others send to these groups changes nothing that it should not.

    amt announce ── amt relay, amt serve --sap ══ amt serve --sap-tunnel
"""

import json
import signal
import struct
import time
import xml.etree.ElementTree

from lib import http_streams
from lib.multicast import Source
from lib.topology import Line

NEEDS = {"namespaces"}
GLOBAL, GLOBAL_6, PORT = "224.2.127.254", "ff0e::2:7ffe", 9875
HTTP = 4022
LIST = """#EXTM3U
#EXTINF:-1 tvg-id="1" group-title="News",One & <only>
amt://10.1.0.1@232.1.2.3:5001
#EXTINF:-1,Six
udp://[2001:db8:1::1]@[ff3e::8000:1]:5002
#EXTINF:-1,"Local", by RTP
rtp://239.255.1.2:5004
#EXTINF:-1,No channel
https://example.net/a.ts
"""
NAMES = {"One & <only>", "Six", '"Local", by RTP'}


def sdp(session: int, name: str, group="239.1.2.9", end=0, host="10.1.0.1") -> bytes:
    return (f"v=0\r\no=- {session} 1 IN IP4 {host}\r\ns={name}\r\nc=IN IP4 {group}/16\r\nt=0 {end}\r\nm=video 5004 RTP/AVP 33\r\n").encode()


def sap(payload: bytes, first=0x20, number=1, authentication=b"") -> bytes:
    return struct.pack("!BBH4s", first, len(authentication) // 4, number, bytes([10, 1, 0, 1])) + authentication + b"application/sdp\0" + payload


class Serve:
    def __init__(self, case, namespace, name, *options):
        self.namespace = namespace
        self.process = case.start(["serve", *options], name, namespace)
        self.process.wait_ready()

    def get(self, path: str) -> bytes:
        return http_streams.fetch("127.0.0.1", HTTP, path, namespace=self.namespace)[2]

    def announced(self) -> dict:
        return json.loads(self.get("/status"))["announced"]

    def names(self) -> set[str]:
        return {one["name"] for one in self.announced()["entries"]}


def check_lists(case, serve: Serve) -> None:
    """The list in its forms."""
    lines = serve.get("/playlist.m3u").decode().splitlines()
    pairs = set(zip(lines[1::2], lines[2::2]))
    base = "http://127.0.0.1/amt"
    for pair in (('#EXTINF:-1 group-title="News",One & <only>', f"{base}/10.1.0.1@232.1.2.3:5001"),
                 ('#EXTINF:-1 group-title="Announced",Six', f"{base}/[2001:db8:1::1]@[ff3e::8000:1]:5002")):
        case.check(pair in pairs, f"{pair} in {lines}")
    tracks = xml.etree.ElementTree.fromstring(serve.get("/playlist.xspf")).iter("{http://xspf.org/ns/0/}track")
    titles = {track.find("{http://xspf.org/ns/0/}title").text for track in tracks}
    case.check({"One & <only>", "Six"} <= titles, f"XSPF: {titles}")
    channels = json.loads(serve.get("/channels.json"))
    case.check({"One & <only>", "Six"} <= {one["name"] for one in channels}, f"for the page: {channels}")
    case.check("amt_serve_announced_sessions " in serve.get("/metrics").decode(), "metrics")


def check_refusals(case, serve: Serve, announcer: Source, stranger: Source) -> None:
    def say(packet: bytes, sender=announcer) -> None:
        sender.send(GLOBAL, PORT, packet)

    def counts(name: str, packet: bytes, sender=announcer) -> None:
        before = serve.announced()["counters"][name]
        say(packet, sender)
        case.wait_until(lambda: serve.announced()["counters"][name] == before + 1, 5, f"{name} is counted")

    before = serve.names()
    counts("reject_malformed", b"\x20\0\0")
    counts("reject_malformed", sap(b"v=0\r\nnonsense"))
    counts("reject_version", sap(sdp(1, "x"), first=0x40))
    counts("reject_encrypted", sap(sdp(1, "x"), first=0x22))
    counts("reject_compressed", sap(b"x\x9c\x01", first=0x21))
    counts("reject_payload_type", sap(sdp(1, "x")).replace(b"application/sdp", b"application/pgp"))
    counts("reject_too_large", sap(sdp(1, "x") + b"a=" + b"x" * 5000))
    counts("reject_no_stream", sap(sdp(1, "x", "10.0.0.1")))
    counts("reject_no_stream", sap(sdp(1, "x").replace(b"AVP 33", b"AVP 96")))
    counts("reject_ended", sap(sdp(1, "x", end=3_000_000_000)))
    case.check(serve.names() == before, "none of that is an entry")
    counts("signed", sap(sdp(7, "Signed"), authentication=b"\0\0\0\0" * 3))
    case.wait_until(lambda: "Signed" in serve.names(), 5, "authentication data is passed over")
    counts("reject_foreign", sap(sdp(7, "Forged", "239.6.6.6")), stranger)
    counts("reject_foreign", sap(sdp(7, "Signed"), first=0x24), stranger)
    case.check("Signed" in serve.names() and "Forged" not in serve.names(), "another host neither changes nor deletes it")
    say(sap(sdp(8, "\x1b[2J\"><script>", "239.1.2.10"), number=2))
    case.wait_until(lambda: any("script" in name for name in serve.names()), 5, "a name that is none")
    case.check(b"\x1b" not in serve.get("/playlist.m3u") + serve.get("/status"), "control characters go nowhere")
    counts("deletions", sap(sdp(7, "Signed"), first=0x24))
    say(sap(b"o=- 8 1 IN IP4 10.1.0.1\r\n", first=0x24, number=0))
    case.wait_until(lambda: serve.names() == before, 5, "the announcer takes back what is his")


def check_flood(case, serve: Serve, announcer: Source) -> None:
    for number in range(3000):
        announcer.send(GLOBAL, PORT, sap(sdp(1000 + number, f"flood {number}", f"239.7.{number // 250}.{number % 250}"), number=number + 1))
    case.wait_until(lambda: serve.announced()["counters"]["reject_rate"] > 0, 10, "a flood is bounded by the second")
    shown = serve.announced()
    case.check(len(shown["entries"]) <= 250 + len(NAMES), f"and by the host: {len(shown['entries'])}")
    case.check(NAMES <= serve.names(), "those who were there before stay")
    case.figure("datagrams of the flood that were not looked at", shown["counters"]["reject_rate"])


def run(case):
    line = Line(case, sources=2)
    relay = line.start_relay()
    listed = case.folder / "channels.m3u"
    listed.write_text(LIST, encoding="utf-8")
    native = Serve(case, line.relay, "native", "--sap", "--sap-interface", "r0", "--relay", "127.0.0.1")
    remote = Serve(case, line.gateway, "remote", "--sap-tunnel", "--relay", line.relay_address(4))
    case.wait_until(lambda: {GLOBAL, GLOBAL_6} <= {one["group"] for one in relay.snapshot()["channels"]}, 10, "the tunnel is there")
    announce = case.start(["announce", listed, "--interface", "s0"], "announce", line.source)
    announce.wait_ready()
    begun = time.monotonic()
    case.wait_until(lambda: native.names() == NAMES, 10, "natively, of every scope")
    case.wait_until(lambda: {"One & <only>", "Six"} <= remote.names(), 10, "through the tunnel, of global scope")
    case.figure("all channels are listed after", (time.monotonic() - begun) * 1000, "ms")
    case.check('"Local", by RTP' not in remote.names(), "239.255.255.255 ends where the site ends")
    check_lists(case, native)
    check_lists(case, remote)

    announcer = case.closing(Source(line.source, "s0", 4, address=line.source_address(4)))
    stranger = case.closing(Source(line.source, "s0", 4, address=line.source_address(4, 2)))
    check_refusals(case, native, announcer, stranger)
    check_flood(case, native, stranger)

    # What is taken back goes at once.
    announce.signal(signal.SIGTERM)
    case.check(announce.wait(10) == 0, f"announce ends: {announce.err}")
    case.wait_until(lambda: not NAMES & native.names(), 10, "taken back natively")
    case.wait_until(lambda: not NAMES & remote.names(), 10, "taken back through the tunnel")

    # What is not announced any more.
    native.process.terminate()
    timed = Serve(case, line.relay, "timed", "--sap", "--sap-timeout", "1s", "--relay", "127.0.0.1")
    case.wait_until(lambda: timed.process.err.count("announcements are heard on") >= 2, 10, "every interface that is up")
    announcer.send(GLOBAL, PORT, sap(sdp(9, "Brief")))
    case.wait_until(lambda: timed.names() == {"Brief"}, 5, "it is there", poll=0.005)
    case.wait_until(lambda: not timed.names(), 10, "and is forgotten")
    case.check(timed.announced()["counters"]["expired"] == 1, "which is counted")

    # Files that cannot be announced.
    empty = case.folder / "empty.m3u"
    empty.write_text("#EXTM3U\nhttp://example.net/\n", encoding="ascii")
    long = case.folder / "long.m3u"
    long.write_text("".join(f"udp://239.1.{at // 250}.{at % 250}:5000\n" for at in range(251)), encoding="ascii")
    unicast = case.folder / "unicast.sdp"
    unicast.write_bytes(sdp(1, "x", "10.0.0.1"))
    for file, word in ((empty, "no channel"), (long, "250"), (unicast, "multicast group"), (case.folder / "none", "cannot be read")):
        done = case.amt_once(["announce", file, "--interface", "s0"], line.source)
        case.check(done.returncode == 2 and word in done.stderr and str(file) in done.stderr, f"{file}: {done}")
