"""A real stream through a real relay, `amt serve`, and real players: each URL form, over IPv4 and IPv6, MPEG-TS bare and in RTP; and a
relay that is restarted does not end a response.

    amt send ── relay ══ amt serve │ HTTP │ ffprobe, ffmpeg, mpv, curl; HLS
"""

import json
import re
import shutil
import subprocess
import time

from lib import http_streams, video
from lib.http_streams import Connection, Reader
from lib.patience import PATIENCE
from lib.topology import PORT, SSM, Line

NEEDS = {"namespaces"}
HTTP = 4022
SECONDS = 60


def run(case):
    stream = video.make_stream(case, SECONDS, name="Test card")
    line = Line(case)
    relay = line.start_relay("--query-interval", 5)
    serve = case.start(["serve", "--relay", line.relay_address(4)], "serve", line.gateway)
    serve.wait_ready()

    def send(family):
        return case.start(["send", f"[{SSM[6]}]:{PORT}" if family == 6 else f"{SSM[4]}:{PORT}", stream, "--interface", "s0", "--ttl", 8],
                          f"send{family}", line.source)

    def in_namespace(command, timeout=30):
        with line.gateway.enter():
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout * PATIENCE,
                                  check=False, env=case.env)

    def state():
        return http_streams.status("127.0.0.1", HTTP, line.gateway)

    for family in (4, 6):
        source, group = line.source_address(family), SSM[family]
        sender = send(family)
        names = [f"{source}@{group}:{PORT}", f"{source}%40{group}%3A{PORT}"] if family == 4 else [
            f"[{source}]@[{group}]:{PORT}", f"%5B{source}%5D@%5B{group}%5D:{PORT}"]
        for form, name in (("amt", names[0]), ("udp", names[1]), ("rtp", names[0])):
            url = f"http://127.0.0.1:{HTTP}/{form}/{name}"
            begun = time.monotonic()
            probe = in_namespace(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "json", url])
            codecs = {one["codec_name"] for one in json.loads(probe.stdout or "{}").get("streams", [])}
            case.check(codecs == {"h264", "aac"}, f"{url}: {probe}")
            case.figure(f"ffprobe {form}, IPv{family}", time.monotonic() - begun, "s")
        channel = next(one for one in state()["channels"] if one["group"] == group)
        case.check(channel["name"] == "Test card" and channel["streams"] == ["H.264", "AAC"] and channel["state"] == "playing", str(channel))
        # No packet of the first picture is missing: the decoder has nothing to complain of.
        copied = case.folder / f"copy{family}.ts"
        done = in_namespace(["ffmpeg", "-v", "warning", "-t", "3", "-i", f"http://127.0.0.1:{HTTP}/amt/{names[0]}", "-c", "copy", str(copied)])
        case.check(done.returncode == 0, str(done))
        decoded = subprocess.run(["ffmpeg", "-v", "error", "-i", str(copied), "-f", "null", "-"], capture_output=True, text=True,
                                 timeout=60 * PATIENCE, check=False, env=case.env)
        case.check(decoded.returncode == 0 and "error" not in decoded.stderr.lower(), decoded.stderr[:500])
        # The same by HLS: a live window of segments that begin with a key frame.
        folder = f"http://127.0.0.1:{HTTP}/hls/{names[0]}/"
        begun = time.monotonic()
        probe = in_namespace(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "json", folder + "index.m3u8"])
        codecs = {one["codec_name"] for one in json.loads(probe.stdout or "{}").get("streams", [])}
        case.check(codecs == {"h264", "aac"}, f"HLS: {probe}")
        case.figure(f"ffprobe hls, IPv{family}", time.monotonic() - begun, "s")

        def fetch(file, **fields):
            return http_streams.fetch("127.0.0.1", HTTP, f"/hls/{names[0]}/{file}", namespace=line.gateway, **fields)
        index = fetch("index.m3u8")
        case.check(re.search(rb'CODECS="avc1\.[0-9A-F]{6},mp4a\.40\.2"\nlive\.m3u8\n', index[2]), f"{index}")
        case.check(index[1]["access-control-allow-origin"] == "*", f"{index}")
        case.check(fetch("index.m3u8", Origin="http://evil.example")[0] == 403, "a page of another site")
        def listed() -> tuple[str, list[tuple[str, str]]]:
            text = fetch("live.m3u8")[2].decode()
            return text, re.findall(r"#EXTINF:([\d.]+),\n(\d+)\.ts\n", text)
        case.wait_until(lambda: any(int(number) >= 3 for _, number in listed()[1]), 20, "a segment of two seconds", poll=0.3)
        live, segments = listed()
        # The stream has a key frame each second. The first three segments have one, the others two.
        case.check(all((0.9 if int(number) < 3 else 1.9) <= float(seconds) for seconds, number in segments), live)
        # Where this machine stalls for seconds, a segment is longer.
        case.check(any(int(number) >= 3 and float(seconds) <= 3.1 for seconds, number in segments), live)
        segment = fetch(f"{segments[-1][1]}.ts")[2]
        out = case.folder / f"segment{family}.ts"
        out.write_bytes(segment)
        shown = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=key_frame,pict_type", "-of", "csv=p=0",
                                str(out)], capture_output=True, text=True, timeout=60 * PATIENCE, check=False, env=case.env)
        case.check(shown.stdout.startswith("1,I") and "error" not in shown.stderr.lower(), f"a segment begins with a key frame: {shown}")
        case.check(len(shown.stdout.split()) >= 45, f"and has all of its frames: {len(shown.stdout.split())}")
        if family == 4:
            connection = case.closing(Connection("127.0.0.1", HTTP, namespace=line.gateway))
            connection.get(f"/amt/{names[0]}")
            case.check(connection.header()[0] == 200, "a viewer who stays")
            reader = Reader(connection)
            for program, command in (("mpv", ["mpv", "--no-config", "--vo=null", "--ao=null", "--length=1", f"http://127.0.0.1:{HTTP}/amt/{names[0]}"]),
                                     ("curl", ["curl", "-sS", "-m", "2", "-o", "/dev/null", "-w", "%{http_code} %{content_type}",
                                               f"http://127.0.0.1:{HTTP}/amt/{names[0]}"])):
                if shutil.which(program) is None:
                    case.note(f"{program} is not installed")
                    continue
                done = in_namespace(command)
                fine = done.returncode == 0 if program == "mpv" else done.stdout == "200 video/mp2t"
                case.check(fine, f"{program}: {done}")
            relay.kill()
            relay = line.start_relay("--query-interval", 5, name="relay-again")
            before = len(reader.octets)
            case.wait_until(lambda: len(reader.octets) > before + 100_000, 30, "data from the new relay, in the same response")
            case.check(reader.is_alive(), "the response went on")
            connection.close()
        sender.terminate()
    # Nothing comes: the player is told why.
    begun = time.monotonic()
    status, _, body = http_streams.fetch("127.0.0.1", HTTP, f"/amt/{line.source_address(4)}@232.9.9.9:{PORT}", namespace=line.gateway)
    case.check(status == 504 and b"nothing has arrived" in body, f"{status} {body}")
    case.note(body.decode())
    serve.terminate()
