"""How long a viewer waits for the first picture, from the start of the player to its first decoded frame.

    a relay, played ══ `amt serve` ── HTTP ── ffmpeg          the channel is received already
                    ══ `amt receive` ── a pipe ── ffmpeg      joins anew, and waits for a key frame
    `ffmpeg -re -listen 1` ── HTTP ── ffmpeg                  begins with the file, at a key frame

The stream has a key frame each second. The player reads half a second of stream before it shows any, as players for live television
are set.
"""

import pathlib
import random
import statistics
import subprocess
import time

from lib import http_streams, loopback, video
from lib.loopback import GROUP, PORT, SOURCE, URL
from lib.station import Station
from rounds import compare, take_turns

SECONDS = 400
PLAYER = ["ffmpeg", "-v", "fatal", "-max_error_rate", "1", "-fflags", "nobuffer", "-analyzeduration", "500000"]
ONE_FRAME = ["-frames:v", "1", "-an", "-f", "null", "-"]
TIMEOUT = 60


def pause() -> None:
    """Viewers do not come in step with key frames."""
    time.sleep(random.uniform(0, 1))


def first_frame(address: str, source=subprocess.DEVNULL) -> None:
    subprocess.run([*PLAYER, "-i", address, *ONE_FRAME], stdin=source, check=True, timeout=TIMEOUT)


def listens(port: int) -> bool:
    """Seen without connecting: ffmpeg takes one client alone."""
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


def first_picture(case, _tools, name, end):
    file = video.make_stream(case, SECONDS, name="First picture")
    player = loopback.Player(case)
    port, other_port = http_streams.free_port(), http_streams.free_port()
    serve = case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address], "serve")
    serve.wait_ready()
    path = f"/amt/{SOURCE}@{GROUP}:{PORT}"
    stays = case.closing(http_streams.Connection("127.0.0.1", port, timeout=TIMEOUT))
    stays.get(path)
    player.wait_joined()
    with open(file, "rb") as stream:
        case.closing(Station(player.relay, SECONDS, {(SOURCE, GROUP): stream.read()}))
    stays.header()
    case.closing(http_streams.Reader(stays))

    def by_serve() -> float:
        pause()
        begun = time.monotonic()
        first_frame(f"http://127.0.0.1:{port}{path}")
        return time.monotonic() - begun

    def by_pipe() -> float:
        pause()
        begun = time.monotonic()
        with subprocess.Popen([case.amt, "receive", URL, "--relay", player.address, "-o", "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as receive:
            first_frame("-", receive.stdout)
            took = time.monotonic() - begun
            receive.terminate()
        return took

    def by_ffmpeg() -> float:
        with subprocess.Popen(["ffmpeg", "-v", "quiet", "-re", "-i", file, "-c", "copy", "-f", "mpegts", "-listen", "1",
                               f"http://127.0.0.1:{other_port}/"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            case.wait_until(lambda: listens(other_port), TIMEOUT, "ffmpeg listens")
            begun = time.monotonic()
            first_frame(f"http://127.0.0.1:{other_port}/")
            took = time.monotonic() - begun
            server.terminate()
        return took

    mine, others = take_turns(by_serve, {"amt receive | ffmpeg": by_pipe, "ffmpeg's HTTP output": by_ffmpeg}, end)
    for baseline, theirs in others.items():
        yield compare(name, f"first picture: amt serve / {baseline}", "s", mine, theirs, statistics.median, "<= 1.0",
                      longest=max(mine), shortest=min(mine))


GROUPS = {"first-picture": first_picture}
